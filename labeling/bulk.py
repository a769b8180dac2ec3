"""Many rows at once, as plain tuples: COPY on PostgreSQL, one prepared statement on SQLite.

A model instance for each row and an ORM expression for each value would cost several times what the database takes.
For models without database defaults and signals. Names in the statements come from the models alone.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, cast

from django.db import connection, connections, models

AS_THEY_ARE = frozenset(
    {
        "BigAutoField", "BigIntegerField", "PositiveBigIntegerField", "PositiveIntegerField",
        "PositiveSmallIntegerField", "CharField", "TextField", "FloatField",
    }
)  # fmt: skip
AS_PSYCOPG_KNOWS = AS_THEY_ARE | {"BooleanField", "DateTimeField", "UUIDField"}
EMPTY: dict[type, str] = {list: "[]", tuple: "[]", dict: "{}"}  # most are, and the encoder takes its time
# The sequence's name is looked up once, not for every key: inlined, it took longer than the keys.
NEXT_KEYS = (
    "WITH named AS MATERIALIZED (SELECT pg_get_serial_sequence(%s, %s)::regclass AS sequence) "
    "SELECT nextval(sequence) FROM named, generate_series(1, %s)"
)

Values = Sequence[Any]
Prepare = Callable[[Any], Any]


@models.CharField.register_lookup
class Among(models.Lookup):
    """`column__among=values`: `in` with the whole list as one parameter, so that the statement is short and known."""

    lookup_name = "among"
    prepare_rhs = False

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*params, list(self.rhs)]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        listed = "(SELECT value FROM json_each(%s))"
        return f"{column} IN {listed}", [*params, json.dumps(list(self.rhs))]


def next_keys(model: type[models.Model], count: int) -> list[int]:
    """Primary keys for rows that the caller inserts in this transaction.

    On SQLite the transaction holds the one write lock from its start (BEGIN IMMEDIATE), so nobody counts beside it.
    """
    if not count:
        return []
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(NEXT_KEYS, [_quoted(table), model._meta.pk.column, count])
            return [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = %s", [table])
        last = cursor.fetchone()[0]
        return list(range(last + 1, last + 1 + count))


def copy(model: type[models.Model], columns: Sequence[str], rows: Iterable[Values], **same: Any) -> None:
    """Insert rows that give these columns, named by attname, in the caller's transaction.

    `same` is what all rows share. What is named in neither place gets its field's default, asked once for all rows; a
    primary key is then given by the database.
    """
    fields = {field.attname: field for field in _stored(model)}
    rest = [name for name, field in fields.items() if name not in columns and not isinstance(field, models.AutoField)]
    prepare = _preparer([fields[name] for name in columns])
    shared = _shared([fields[name] for name in rest], same)
    names = ", ".join(_quoted(str(fields[name].column)) for name in (*columns, *rest))
    _insert(_quoted(model._meta.db_table), names, ([*prepare(row), *shared] for row in rows), len(columns) + len(rest))


def _shared(fields: Sequence[Any], same: Mapping[str, Any]) -> list[Any]:
    """The values of these fields for all rows. For COPY they are made text here, once, not again in every row."""
    values = [same[field.attname] if field.attname in same else field.get_default() for field in fields]
    ready = _preparer(fields)(values)
    return ready if connection.vendor != "postgresql" else [None if value is None else str(value) for value in ready]


def _insert(table: str, names: str, rows: Iterator[list[Any]], width: int) -> None:
    with connection.cursor() as cursor, connection.wrap_database_errors:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as stream:
                for row in rows:
                    stream.write_row(row)
        else:
            places = ", ".join(["%s"] * width)
            statement = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608 (names of the model)
            cursor.executemany(statement, cast(Any, rows))  # its stub knows no iterators


def insert(rows: Sequence[models.Model]) -> None:
    """Insert model instances in the caller's transaction; those without a primary key get one."""
    if not rows:
        return
    model = type(rows[0])
    if rows[0].pk is None:
        for row, key in zip(rows, next_keys(model, len(rows)), strict=True):
            row.pk = key
    columns = [field.attname for field in _stored(model)]
    copy(model, columns, map(attrgetter(*columns), rows))
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _stored(model: type[models.Model]) -> list[Any]:
    """The columns that are given a value; the database makes the others from these."""
    return [field for field in model._meta.concrete_fields if not getattr(field, "generated", False)]


def update(model: type[models.Model], columns: Sequence[str], rows: Mapping[int, Values]) -> None:
    """Set these columns, named by attname, of the rows with these primary keys."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    prepare = _preparer([fields[name] for name in columns])
    places = ", ".join(f"{_quoted(str(fields[name].column))} = %s" for name in columns)
    table, key = _quoted(model._meta.db_table), _quoted(str(model._meta.pk.column))
    statement = f"UPDATE {table} SET {places} WHERE {key} = %s"  # noqa: S608 (names of the model)
    with connection.cursor() as cursor:
        cursor.executemany(statement, [(*prepare(values), pk) for pk, values in rows.items()])


def _preparer(fields: Sequence[Any]) -> Callable[[Values], list[Any]]:
    """Values of these fields as the driver takes them. Most pass as they are: asking their field costs most."""
    prepares = {place: prepare for place, field in enumerate(fields) if (prepare := _prepare(field))}

    def prepared(values: Values) -> list[Any]:
        ready = list(values)
        for place, prepare in prepares.items():
            ready[place] = prepare(ready[place])
        return ready

    return prepared if prepares else list


def _prepare(field: Any) -> Prepare | None:
    kind = str((field.target_field if field.is_relation else field).get_internal_type())
    if kind in (AS_PSYCOPG_KNOWS if connection.vendor == "postgresql" else AS_THEY_ARE):
        return None
    if kind == "JSONField":
        return _json
    return partial(_saved, field, connections[connection.alias])  # not the proxy, which looks its thread up each time


def _json(value: Any) -> str | None:
    if value:
        return json.dumps(value)
    return None if value is None else EMPTY[type(value)]


def _saved(field: Any, database: Any, value: Any) -> Any:
    return None if value is None else field.get_db_prep_save(value, database)


def analyze(*tables: type[models.Model]) -> None:
    """Tell the planner what has come: without it, it plans for the empty tables of before the load."""
    with connection.cursor() as cursor:
        for model in tables:
            cursor.execute(f"ANALYZE {_quoted(model._meta.db_table)}")


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
