"""Export of all judgments of a project as NDJSON: rows a second, and the memory it takes on top."""

from collections.abc import Iterator

from benchmarks.figures import Clock, Figure, at_most, watched_memory
from benchmarks.rows import LABELS, import_urls, make_project
from labeling import bulk, exports
from labeling.models import Item, Judgment, Project, Rater

VERDICTS = {key: "yes" if place < 2 else "no" for place, key in enumerate(LABELS)}
CHUNK = 5_000


def measure(n: int) -> Iterator[Figure]:
    project = judged_project(n)
    found = exports.judgments(project, complete_only=False)
    with watched_memory() as memory, Clock() as clock:
        size = sum(
            len(piece) for piece in exports.as_ndjson(exports.all_judgments(found, identify=False, whole_urls=True))
        )
    with Clock() as bare:
        for _ in Judgment.objects.filter(item__project=project).values_list("verdicts").iterator(chunk_size=2_000):
            pass
    yield Figure(f"export of {n:,} judgments", n / clock.seconds, "rows/s", digits=0)
    yield Figure("floor: read the verdicts alone", n / bare.seconds, "rows/s", digits=0)
    yield Figure("bytes of a row", size / n, digits=0)
    yield at_most("memory on top while exporting", memory.growth_mib, 100, "MiB")


def judged_project(n: int) -> Project:
    project = make_project()
    import_urls(project, n, queue=False)
    rater, schema = Rater.objects.create(project=project, code="bench"), project.schema
    ids = list(Item.objects.filter(project=project).order_by("pk").values_list("pk", flat=True))
    for start in range(0, n, CHUNK):
        bulk.insert(
            [
                Judgment(item_id=pk, rater=rater, schema=schema, source="import", verdicts=VERDICTS)
                for pk in ids[start : start + CHUNK]
            ]
        )
    bulk.analyze(Judgment)
    return project
