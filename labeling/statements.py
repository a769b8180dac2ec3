"""Statements the ORM writes once and the database runs often.

Django writes the SQL of a queryset anew each time it is evaluated. For the few statements behind every answer that
costs several times what the database needs to run them. Here a queryset is written once a connection, with a Place
wherever a value goes, and a call fills the places. What it asks for stays where it was: in the models' querysets.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.query import get_related_populators
from django.db.models.sql import UpdateQuery
from django.db.models.sql.compiler import SQLCompiler


class Place(Expression):
    """Where a value goes that only the call knows."""

    def __init__(self, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]  # ours holds places, not values
        return "%s", [self]


class Select:
    """A queryset whose SQL is kept. It may not be empty by itself (`.none()`, `__in=[]`)."""

    def __init__(self, build: Callable[[], "QuerySet[Any, Any]"]) -> None:
        self._build = build

    def rows(self, **values: Any) -> list[Any]:
        """Tuples of what a `values_list` selects."""
        return [tuple(row) for row in self._fetch(values)]

    def first(self, **values: Any) -> Any:
        """The first instance, with its related ones and annotations, or None."""
        found = _kept(self, self._build)
        return next((_instance(found, row) for row in self._fetch(values)), None)

    def _fetch(self, values: dict[str, Any]) -> Iterable[Any]:
        found = _kept(self, self._build)
        with connection.cursor() as cursor:
            cursor.execute(found.sql, found.filled(values))
            rows: Iterable[Any] = cursor.fetchall()
        return found.compiler.apply_converters(rows, found.converters) if found.converters else rows


class Update:
    """An UPDATE whose SQL is kept: build() returns the queryset and what changes in it."""

    def __init__(self, build: Callable[[], "tuple[QuerySet[Any, Any], dict[str, Any]]"]) -> None:
        self._build = build

    def run(self, **values: Any) -> int:
        """How many rows were changed."""
        found = _kept(self, self._build)
        with connection.cursor() as cursor:
            cursor.execute(found.sql, found.filled(values))
            return int(cursor.rowcount)


@dataclass(slots=True)
class _Written:
    sql: str
    params: tuple[Any, ...]
    compiler: Any
    converters: dict[int, Any]
    populators: list[Any]

    def filled(self, values: dict[str, Any]) -> list[Any]:
        return [
            param.output_field.get_db_prep_value(values[param.name], connection) if isinstance(param, Place) else param
            for param in self.params
        ]


def _kept(statement: Select | Update, build: Callable[[], Any]) -> _Written:
    # A connection belongs to one thread, and a compiler to one connection.
    known: dict[Any, _Written] = connection.__dict__.setdefault("_kept_statements", {})
    if statement not in known:
        known[statement] = _write(build())
    return known[statement]


def _write(built: Any) -> _Written:
    if isinstance(built, tuple):
        queryset, changes = built
        query = queryset.query.chain(UpdateQuery)
        query.add_update_values(changes)
    else:
        query = built.query
    compiler = query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    if isinstance(built, tuple):
        return _Written(sql, tuple(params), compiler, {}, [])
    converters = compiler.get_converters([column[0] for column in compiler.select[: compiler.col_count]])
    info = compiler.klass_info
    related = get_related_populators(info, compiler.select, connection.alias) if info else []  # type: ignore[call-arg]
    return _Written(sql, tuple(params), compiler, converters, related)


def _instance(found: _Written, row: Any) -> Model:
    """As Django's own ModelIterable makes it."""
    compiler = found.compiler
    fields = compiler.klass_info["select_fields"]
    start, end = fields[0], fields[-1] + 1
    names = [column[0].target.attname for column in compiler.select[start:end]]
    made: Model = compiler.klass_info["model"].from_db(connection.alias, names, row[start:end])
    for related in found.populators:
        related.populate(row, made)
    for name, place in compiler.annotation_col_map.items():
        setattr(made, name, row[place])
    return made
