"""Projects with severities, and people whose day has a past."""

from datetime import UTC, datetime, timedelta

from labeling import judging, queue
from labeling.models import Assignment, Judgment, Label, Project, User
from tests.factories import make_assignment, make_item, make_judgment, make_project

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MIDNIGHT = datetime(2026, 3, 3, tzinfo=UTC)
SEVERITIES = {"games": None, "news": 1, "violence": 3, "self_harm": 4}
NONE = judging.Answer(none=True)


def make_careful_project(slug: str | None = None, *, severities=None, **rules) -> Project:
    """A project whose labels hurt in different degrees."""
    severities = SEVERITIES if severities is None else severities
    project = make_project(slug, labels=tuple(severities), **rules)
    for key, severity in severities.items():
        Label.objects.filter(schema__project=project, key=key).update(severity=severity)
    return project


def make_slot(project: Project, *, expected: float = 0.0, **fields) -> Assignment:
    """A free slot of a page that is expected to cost that much."""
    return make_assignment(
        project, make_item(project, expected_exposure=expected), available_at=NOON - MINUTE, **fields
    )


def has_read(person: User, project: Project, *points: int, until: datetime = NOON) -> list[Judgment]:
    """Earlier answers of this person, a minute apart, the last a minute before `until`; each cost that much."""
    starts = until - len(points) * MINUTE
    return [
        make_judgment(make_item(project), person, exposure=cost, submitted_at=starts + place * MINUTE)
        for place, cost in enumerate(points)
    ]


def next_page(person: User, project: Project, *, at: datetime = NOON) -> Assignment | None:
    return queue.lease_next(project, annotator=person, now=at)


def answer(slot: Assignment, person: User, *yes: str, at: datetime = NOON) -> Judgment:
    said = judging.Answer(yes=yes) if yes else NONE
    return judging.submit(slot, by=person, answer=said, now=at)
