"""What must be true of the numbers that care for people rests on."""

from collections.abc import Iterator

from labeling import expectations, exposure, schemas
from labeling.expectations import Watched
from labeling.invariants import check, rows_by_id
from labeling.models import Judgment, Project
from labeling.refusals import Refused


@check("exposure", "What an answer given here cost its reader is the largest severity of what they ticked.")
def costs() -> Iterator[str]:
    given = Judgment.objects.exclude(source=Judgment.Source.IMPORT)
    for pk, schema_id, verdicts, kept in rows_by_id(given, "schema", "verdicts", "exposure"):
        right = exposure.points(verdicts, schemas.by_id(schema_id)) if isinstance(verdicts, dict) else kept
        if kept != right:
            yield f"judgment {pk}: {kept} points are kept, and {right} are right"


@check("expected", "What a page is expected to cost, and which labels are likely on it, is the best estimate there is.")
def expected() -> Iterator[str]:
    for project in Project.objects.order_by("pk"):
        try:
            yield from _unexpected(project, expectations.watched(project))
        except Refused as refused:
            yield f"project {project.slug}: {refused.sentence}"


def _unexpected(project: Project, labels: Watched) -> Iterator[str]:
    for chunk in expectations.chunks(project):
        for item, (kept, right) in expectations.differing(project, chunk, labels).items():
            if kept.exposure != right.exposure:
                yield f"item {item}: expected to cost {kept.exposure}, and {right.exposure} is right"
            if kept.likely != right.likely:
                yield f"item {item}: other labels are kept as likely than there are"
