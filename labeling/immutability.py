"""Rows that never change: triggers on both databases, and a check that reads the catalogue.

One table a rule: `frozen` refuses UPDATE and DELETE (and TRUNCATE on PostgreSQL; INSERT OR REPLACE on SQLite deletes,
and recursive_triggers makes that fire too). `judgment` may change only in when it was superseded or voided. Released
bytes are frozen whole: nothing can take them down yet, and a takedown will need a tombstone that the trigger asks for.
"""

import re

from django.db import connections

FROZEN = (
    "labeling_goldrelease", "labeling_golditem", "labeling_releasefile", "labeling_blob", "labeling_draw",
    "labeling_event", "labeling_suggestion", "labeling_sentback",
)  # fmt: skip
# Table -> columns whose change is refused; the others may change. DELETE is refused in all of them.
PARTLY_FROZEN = {
    "labeling_judgment": (
        "item_id", "rater_id", "assignment_id", "schema_id", "snapshot_id", "purpose", "round", "source", "outcome",
        "verdicts", "confidence", "note", "active_seconds", "wall_seconds", "exposure", "saw_suggestion",
        "submitted_at", "revision", "supersedes_id",
    ),
    "labeling_adjudication": (
        "item_id", "adjudicator_id", "schema_id", "verdicts", "seen", "how", "accepted", "acceptance_id", "cause",
        "note", "active_seconds", "decided_at",
    ),
    "labeling_selection": ("item_id", "stream", "draw_id", "origin", "probability", "rank", "reason", "created_at"),
    "labeling_snapshot": ("item_id", "title", "text", "content_hash", "captured_at", "created_at"),
}  # fmt: skip


def _expected(vendor: str) -> set[str]:
    verbs = ("no_update", "no_delete", *(("no_truncate",) if vendor == "postgresql" else ()))
    return {f"{table}_{verb}" for table in (*FROZEN, *PARTLY_FROZEN) for verb in verbs}


def _sqlite_statements() -> list[str]:
    out = []
    for table in FROZEN:
        out.append(_sqlite_trigger(table, "no_update", "UPDATE", "1"))
    for table, columns in PARTLY_FROZEN.items():
        changed = " OR ".join(f'NEW."{column}" IS NOT OLD."{column}"' for column in columns)
        out.append(_sqlite_trigger(table, "no_update", "UPDATE", changed))
    for table in (*FROZEN, *PARTLY_FROZEN):
        out.append(_sqlite_trigger(table, "no_delete", "DELETE", "1"))
    return out


def _sqlite_trigger(table: str, suffix: str, verb: str, when: str) -> str:
    return (
        f'CREATE TRIGGER "{table}_{suffix}" BEFORE {verb} ON "{table}" WHEN {when} '
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _postgres_statements() -> list[str]:
    out = [
        "CREATE OR REPLACE FUNCTION labeling_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"
    ]
    for table in FROZEN:
        out.append(_postgres_trigger(table, "no_update", "BEFORE UPDATE", "FOR EACH ROW"))
    for table, columns in PARTLY_FROZEN.items():
        changed = " OR ".join(f'NEW."{column}" IS DISTINCT FROM OLD."{column}"' for column in columns)
        out.append(_postgres_trigger(table, "no_update", "BEFORE UPDATE", f"FOR EACH ROW WHEN ({changed})"))
    for table in (*FROZEN, *PARTLY_FROZEN):
        out.append(_postgres_trigger(table, "no_delete", "BEFORE DELETE", "FOR EACH ROW"))
        out.append(_postgres_trigger(table, "no_truncate", "BEFORE TRUNCATE", "FOR EACH STATEMENT"))
    return out


def _postgres_trigger(table: str, suffix: str, when: str, each: str) -> str:
    return f'CREATE TRIGGER "{table}_{suffix}" {when} ON "{table}" {each} EXECUTE FUNCTION labeling_refuse()'


def install(*, using: str = "default", **_signal: object) -> None:
    """Lay every trigger anew. Harmless to repeat; does nothing while a table is not there yet (a partial migrate)."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    if not {*FROZEN, *PARTLY_FROZEN} <= tables:
        return
    remove(using=using)
    statements = _postgres_statements() if connection.vendor == "postgresql" else _sqlite_statements()
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def remove(*, using: str = "default") -> None:
    """Take the triggers away: for a migration that must rewrite a table, and for emptying a test database."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for table in (*FROZEN, *PARTLY_FROZEN):
            for suffix in ("no_update", "no_delete", "no_truncate"):
                if connection.vendor == "postgresql":
                    cursor.execute(f'DROP TRIGGER IF EXISTS "{table}_{suffix}" ON "{table}"')
                else:
                    cursor.execute(f'DROP TRIGGER IF EXISTS "{table}_{suffix}"')


def missing(*, using: str = "default") -> list[str]:
    """Names of triggers that are not in the catalogue, or refuse less than they should: an older one keeps its name."""
    laid = _laid(using)
    return sorted(name for name in _expected(connections[using].vendor) if not _refuses_enough(name, laid.get(name)))


def _laid(using: str) -> dict[str, str]:
    """Name -> definition of every trigger that is switched on."""
    with connections[using].cursor() as cursor:
        if connections[using].vendor == "postgresql":
            cursor.execute(
                "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
            )
        else:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        return dict(cursor.fetchall())


def _refuses_enough(name: str, definition: str | None) -> bool:
    """Whether it fires for every row or, where only some columns are frozen, for a change of each of them."""
    if definition is None:
        return False
    columns = PARTLY_FROZEN.get(name.removesuffix("_no_update"))
    if columns is None:
        return re.search(r"\bWHEN\b(?! 1 BEGIN)", definition) is None
    return all(re.search(rf'\bNEW\."?{column}\b', definition, re.IGNORECASE) for column in columns)
