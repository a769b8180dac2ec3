"""Breaking a database on purpose: past the domain, past the triggers, past the constraints."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import Model

from labeling import immutability


def execute(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def unguarded(*constraints: tuple[type[Model], str]) -> Iterator[None]:
    """Rows can be made wrong inside: no triggers, and none of these constraints. Only the triggers come back."""
    immutability.remove()
    if connection.vendor == "sqlite":
        execute("PRAGMA ignore_check_constraints = ON")
    for model, name in constraints:
        drop(model, name)
    yield
    if connection.vendor == "sqlite":
        execute("PRAGMA ignore_check_constraints = OFF")
    immutability.install()


def drop(model: type[Model], name: str) -> None:
    """A unique constraint with a condition is an index on both databases; a check is one only on PostgreSQL."""
    constraint = next(one for one in model._meta.constraints if one.name == name)
    if getattr(constraint, "fields", None) and constraint.condition is not None:
        execute(f'DROP INDEX "{name}"')
    elif connection.vendor == "postgresql":
        execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks outstanding cannot be altered
        execute(f'ALTER TABLE "{model._meta.db_table}" DROP CONSTRAINT "{name}"')
