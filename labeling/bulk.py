"""Many rows at once, without an ORM expression per value: COPY on PostgreSQL, one prepared statement on SQLite.

For models without database defaults and signals. Names in the statements come from the models alone.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, cast

from django.db import connection, connections, models

AS_THEY_ARE = frozenset(
    {
        "BigAutoField", "BigIntegerField", "PositiveBigIntegerField", "PositiveIntegerField",
        "PositiveSmallIntegerField", "CharField", "TextField", "FloatField",
    }
)  # fmt: skip
NEXT_KEYS = "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"


def builder(model: type[models.Model], **same: Any) -> Callable[..., Any]:
    """A constructor for many rows, several times quicker than the model's own. Fields are named by their attname.

    `same` is what all rows share. Defaults are asked once, so a default that is a list or object must be given per row.
    """
    fields = model._meta.concrete_fields
    places = {field.attname: place for place, field in enumerate(fields)}
    template = [same[field.attname] if field.attname in same else field.get_default() for field in fields]

    def build(**own: Any) -> models.Model:
        values = template.copy()
        for name, value in own.items():
            values[places[name]] = value
        return model(*values)

    return build


def number(rows: Sequence[models.Model]) -> None:
    """Give rows of one model the next primary keys before they are inserted, in the caller's transaction.

    On SQLite the transaction holds the one write lock from its start (BEGIN IMMEDIATE), so nobody counts beside it.
    """
    if not rows:
        return
    model = type(rows[0])
    table, key = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(NEXT_KEYS, [_quoted(table), key, len(rows)])
            keys = [row[0] for row in cursor.fetchall()]
        else:
            cursor.execute("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = %s", [table])
            last = cursor.fetchone()[0]
            keys = list(range(last + 1, last + 1 + len(rows)))
    for row, pk in zip(rows, keys, strict=True):
        row.pk = pk


def insert(rows: Sequence[models.Model]) -> None:
    """Insert rows of one model in the caller's transaction; rows without a primary key get one."""
    if not rows:
        return
    if rows[0].pk is None:
        number(rows)
    fields = type(rows[0])._meta.concrete_fields
    table = _quoted(type(rows[0])._meta.db_table)
    columns = ", ".join(_quoted(str(field.column)) for field in fields)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for value in _values(fields, rows):
                    copy.write_row(value)
        else:
            places = ", ".join(["%s"] * len(fields))
            statement = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608 (names of the model)
            cursor.executemany(statement, cast(Any, _values(fields, rows)))  # its stub knows no iterators
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _values(fields: Sequence[Any], rows: Sequence[models.Model]) -> Iterator[list[Any]]:
    """The rows as the database takes them. Text and numbers pass as they are: asking their field costs most."""
    database = connections[connection.alias]  # not the proxy, which looks its thread up for every value
    of_row = attrgetter(*(field.attname for field in fields))
    others = [(place, field) for place, field in enumerate(fields) if _kind(field) not in AS_THEY_ARE]
    for row in rows:
        values = list(of_row(row))
        for place, field in others:
            value = values[place]
            if isinstance(value, list | dict):
                values[place] = json.dumps(value)
            elif value is not None:
                values[place] = field.get_db_prep_save(value, database)
        yield values


def _kind(field: Any) -> str:
    return str((field.target_field if field.is_relation else field).get_internal_type())


def point(model: type[models.Model], column: str, targets: Mapping[int, int | None]) -> None:
    """Set one foreign key of many rows: {primary key: target}."""
    field = cast(Any, model._meta.get_field(column))
    table, target_of = _quoted(model._meta.db_table), _quoted(field.column)
    statement = f"UPDATE {table} SET {target_of} = %s WHERE id = %s"  # noqa: S608 (names of the model)
    with connection.cursor() as cursor:
        cursor.executemany(statement, [(target, key) for key, target in targets.items()])


def analyze(*tables: type[models.Model]) -> None:
    """Tell the planner what has come: without it, it plans for the empty tables of before the load."""
    with connection.cursor() as cursor:
        for model in tables:
            cursor.execute(f"ANALYZE {_quoted(model._meta.db_table)}")


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
