"""Import of a list of addresses, against parsing them and one COPY into a table of the same columns and indexes."""

import json
from collections.abc import Iterator

from django.db import connection, transaction
from django.utils import timezone

from benchmarks.figures import Clock, Figure, at_least, watched_memory
from benchmarks.rows import addresses, import_urls, make_project
from labeling import weburls
from labeling.models import Item

SKIPPED = ("id", "snapshot_id", "first_import_id")


def measure(n: int) -> Iterator[Figure]:
    first = floor_seconds(n)
    project = make_project()
    with watched_memory() as memory, Clock() as clock:
        import_urls(project, n, queue=False)
    bare = (first + floor_seconds(n)) / 2  # before and after: a busy machine slows both
    yield Figure(f"import of {n:,} URLs", n / clock.seconds, "rows/s", digits=0)
    yield Figure("floor: parse + COPY", n / bare, "rows/s", digits=0)
    yield at_least("rate of the import / of the floor", bare / clock.seconds, 0.5)
    yield Figure("memory on top while importing", memory.growth_mib, "MiB")


def floor_seconds(n: int) -> float:
    columns = [field.column for field in Item._meta.concrete_fields if field.column not in SKIPPED]
    names = ", ".join(f'"{column}"' for column in columns)
    project_id, now = make_project().pk, timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_item")
        cursor.execute('CREATE TABLE bench_item (LIKE "labeling_item" INCLUDING ALL)')
        with Clock() as clock, transaction.atomic(), cursor.copy(f"COPY bench_item ({names}) FROM STDIN") as copy:
            for raw in addresses(n):
                values = row(weburls.parse(raw), project_id, now)
                copy.write_row([values[column] for column in columns])
        cursor.execute("DROP TABLE bench_item")
    return clock.seconds


def row(url: weburls.WebURL, project_id: int, now: object) -> dict[str, object]:
    return {
        "project_id": project_id, "public_id": url.public_id, "url_raw": url.raw, "url_key": url.key,
        "url_display": url.display, "host": url.host, "registrable_domain": url.registrable_domain,
        "flags": json.dumps(list(url.flags)), "external_id": "", "language": "", "metadata": "{}", "state": "active",
        "state_reason": "", "expected_exposure": 0.0, "not_assessable": "", "created_at": now,
    }  # fmt: skip
