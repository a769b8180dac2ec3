"""Statements the ORM writes once and the database runs often.

Django writes the SQL of a queryset anew each time it is evaluated. For the few statements behind every answer that
costs several times what the database needs to run them. Here a queryset is written once a connection, with a Place
wherever a value goes, and a call fills the places. What it asks for stays where it was: in the models' querysets.

PostgreSQL is given the text once, too: it plans a prepared statement a few times and then keeps the plan, which costs
it several times less than running a look into the queue anew. Constants are written into the text for that: a plan that
does not know `state = 'leased'` cannot use a partial index.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models import BigIntegerField, Expression, Field, IntegerField, Model, QuerySet
from django.db.models.query import get_related_populators
from django.db.models.sql import InsertQuery, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler
from psycopg import sql


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
        return [tuple(row) for row in self._fetch(_kept(self), values)]

    def first(self, **values: Any) -> Any:
        """The first instance, with its related ones and annotations, or None."""
        found = _kept(self)
        return next((_instance(found, row) for row in self._fetch(found, values)), None)

    def write(self, connection: BaseDatabaseWrapper) -> "_Written":
        query = self._build().query
        compiler = query.get_compiler(connection=connection)
        text, params = _with_constants(connection, *compiler.as_sql())
        converters = compiler.get_converters([column[0] for column in compiler.select[: compiler.col_count]])
        info = compiler.klass_info
        related = get_related_populators(info, compiler.select, connection.alias) if info else []  # type: ignore[call-arg]
        return _Written(connection, text, params, compiler, converters, related)

    def _fetch(self, found: "_Written", values: dict[str, Any]) -> Iterable[Any]:
        with _cursor(found.connection) as cursor:
            cursor.execute(found.sql, found.filled(values))
            rows: Iterable[Any] = cursor.fetchall()
        return found.compiler.apply_converters(rows, found.converters) if found.converters else rows


class Update:
    """An UPDATE whose SQL is kept: build() returns the queryset and what changes in it."""

    def __init__(self, build: Callable[[], "tuple[QuerySet[Any, Any], dict[str, Any]]"]) -> None:
        self._build = build

    def run(self, **values: Any) -> int:
        """How many rows were changed."""
        found = _kept(self)
        with _cursor(found.connection) as cursor:
            cursor.execute(found.sql, found.filled(values))
            return int(cursor.rowcount)

    def write(self, connection: BaseDatabaseWrapper) -> "_Written":
        queryset, changes = self._build()
        query: Any = queryset.query.chain(UpdateQuery)
        query.add_update_values(changes)
        compiler = query.get_compiler(connection=connection)
        return _Written(connection, *_with_constants(connection, *compiler.as_sql()), compiler)


class Insert:
    """The INSERT of one row of a model, whose SQL is kept. As `save(force_insert=True)`, but it sends no signals.

    The row has a value for every column: none that the database alone can work out.
    """

    def __init__(self, model: type[Model]) -> None:
        self._model = model
        self._fields = [
            field for field in model._meta.local_concrete_fields if not (field.primary_key or field.generated)
        ]

    def run(self, row: Model) -> None:
        """Store a row that is new, and give it its number."""
        found = _kept(self)
        values = {field.attname: getattr(row, field.attname) for field in self._fields}
        with _cursor(found.connection) as cursor:
            cursor.execute(found.sql, found.filled(values))
            [row.pk] = cursor.fetchone()
        row._state.adding, row._state.db = False, found.connection.alias

    def write(self, connection: BaseDatabaseWrapper) -> "_Written":
        blank = self._model(**{field.attname: Place(field.attname, _bare(field)) for field in self._fields})
        query = InsertQuery(self._model)
        query.insert_values(self._fields, [blank])
        compiler: Any = query.get_compiler(connection=connection)
        compiler.returning_fields = [self._model._meta.pk]
        [(text, params)] = compiler.as_sql()
        return _Written(connection, *_with_constants(connection, text, params), compiler)


def _bare(field: "Field[Any, Any]") -> "Field[Any, Any]":
    """The field of the values a column holds: a reference holds a number."""
    return BigIntegerField() if field.is_relation else field


@dataclass(slots=True)
class _Written:
    connection: BaseDatabaseWrapper
    sql: str
    params: list[Place]
    compiler: Any
    converters: dict[int, Any] = field(default_factory=dict)
    populators: list[Any] = field(default_factory=list)

    def filled(self, values: dict[str, Any]) -> list[Any]:
        return [self._as_stored(values[place.name], place.output_field) for place in self.params]

    def _as_stored(self, value: Any, of: "Field[Any, Any]") -> Any:
        if isinstance(value, int) and isinstance(of, IntegerField):  # as the field does it, in a quarter of the time
            return self.connection.ops.adapt_integerfield_value(value, of.get_internal_type())
        return of.get_db_prep_save(value, self.connection)


def _kept(statement: Select | Update | Insert) -> _Written:
    # A connection belongs to one thread, and a compiler to one connection. Looked up once: Django's own `connection`
    # stands for it and looks it up again for each attribute.
    connection = connections[DEFAULT_DB_ALIAS]
    known: dict[Any, _Written] = connection.__dict__.setdefault("_kept_statements", {})
    found = known.get(statement)
    if found is None:
        found = known[statement] = statement.write(connection)
    return found


def _with_constants(connection: BaseDatabaseWrapper, text: str, params: Iterable[Any]) -> tuple[str, list[Place]]:
    """The text with everything but the places written into it."""
    values, places = iter(params), []

    def put(mark: re.Match[str]) -> str:
        if mark[0] == "%%":
            return "%%"
        value = next(values)
        if isinstance(value, Place):
            places.append(value)
            return "%s"
        return _literal(connection, value).replace("%", "%%")

    return re.sub(r"%s|%%", put, text), places


def _literal(connection: BaseDatabaseWrapper, value: Any) -> str:
    if connection.vendor == "postgresql":
        connection.ensure_connection()
        return str(sql.Literal(value).as_string(connection.connection))
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, int | float):
        return repr(+value)  # True is 1
    raise TypeError(f"{value!r} cannot be written into a statement: give it a Place.")


class _Prepared(ServerBindingCursor):
    """Prepares what it runs. Behind a pooler that lends its sessions by transaction (DATABASE_POOLER) it does not."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        done = super().execute(query, params, **options, prepare=True)  # type: ignore[misc]  # as above
        # Django's log of queries reads the text here, and psycopg leaves it empty when it only names what it prepared.
        self._query: Any = self._query or SimpleNamespace(query=query.encode())
        return done


def _cursor(connection: BaseDatabaseWrapper) -> Any:
    """A cursor as Django wraps it, so that errors, logs and counts are the usual ones."""
    if connection.vendor != "postgresql":
        return connection.cursor()
    wrapper: Any = connection
    wrapper.ensure_connection()
    with connection.wrap_database_errors:
        bare: Any = _Prepared
        return wrapper._prepare_cursor(bare(wrapper.connection))


def _instance(found: _Written, row: Any) -> Model:
    """As Django's own ModelIterable makes it."""
    compiler = found.compiler
    fields = compiler.klass_info["select_fields"]
    start, end = fields[0], fields[-1] + 1
    names = [column[0].target.attname for column in compiler.select[start:end]]
    made: Model = compiler.klass_info["model"].from_db(found.connection.alias, names, row[start:end])
    for related in found.populators:
        related.populate(row, made)
    for name, place in compiler.annotation_col_map.items():
        setattr(made, name, row[place])
    return made
