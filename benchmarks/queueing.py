"""Lease and submit in a short and in a long queue: does the next page take longer when a million wait?"""

from collections.abc import Iterator

from django.db import connection
from django.db.models import Count, Q
from django.test.utils import CaptureQueriesContext

from benchmarks.figures import Clock, Figure, at_most, percentile
from benchmarks.rows import LABELS, import_urls, make_annotator, make_project
from labeling import bulk, judging, queue
from labeling.models import Assignment, Project, State, User

ANSWER = judging.Answer(yes=LABELS[:2])
WARM_UP = 10


def measure(*, few: int, many: int, finished: int, turns: int, morning: int) -> Iterator[Figure]:
    short, long = queue_of(few), queue_of(many)
    lease, submit = {}, {}
    for name, project in (("few", short), ("many", long)):
        lease[name], submit[name] = work(project, make_annotator(project), turns)
    for name, n in (("few", few), ("many", many)):
        yield from spread(f"lease, {n:,} slots", lease[name])
        yield from spread(f"submit, {n:,} slots", submit[name])
    yield at_most(f"lease p95, {many:,} / {few:,} slots", ratio(lease["many"], lease["few"]), 1.5)
    yield at_most(f"submit p95, {many:,} / {few:,} slots", ratio(submit["many"], submit["few"]), 1.5)

    veteran = veteran_of(long, finished)
    tired, _ = work(long, veteran, turns)
    yield from spread(f"lease, {many:,} slots, {finished:,} items finished", tired)
    yield at_most("lease p95, finished items / few slots", ratio(tired, lease["few"]), 1.5)
    yield at_most("lease p95 at its worst", percentile(tired + lease["many"], 0.95) * 1000, 20, "ms", digits=1)
    yield from alone(morning)
    yield from statements(long)


def alone(n: int) -> Iterator[Figure]:
    """One person answers n pages of a queue that asks three, on statistics from before the first of them."""
    project = make_project(overlap=3)
    import_urls(project, 2 * n, queue=True)
    leases, _ = work(project, make_annotator(project), n)
    tenth = max(n // 10, 1)
    yield at_most(f"lease p95, alone: last / first tenth of {n:,}", ratio(leases[-tenth:], leases[:tenth]), 1.5)


def queue_of(n: int) -> Project:
    project = make_project()
    import_urls(project, n, queue=True)
    return project


def work(project: Project, person: User, turns: int) -> tuple[list[float], list[float]]:
    """Seconds of each lease and each submit, after a few that are not counted."""
    leases, submits = [], []
    for turn in range(turns + WARM_UP):
        with Clock() as leasing:
            slot = queue.lease_next(project, annotator=person)
        if slot is None:
            raise RuntimeError("The queue ran dry; measure with fewer turns.")
        with Clock() as submitting:
            judging.submit(slot, by=person, answer=ANSWER)
        if turn >= WARM_UP:
            leases.append(leasing.seconds)
            submits.append(submitting.seconds)
    return leases, submits


def veteran_of(project: Project, n: int) -> User:
    """Somebody who has answered the first n items of the queue: the worst place for what must be passed over."""
    person = make_annotator(project)
    front = Assignment.objects.filter(project=project, state=State.OPEN).in_queue_order().select_related("item")[:n]
    bulk.insert([done_slot(slot, person) for slot in front])
    bulk.analyze(Assignment)
    return person


def done_slot(slot: Assignment, person: User) -> Assignment:
    return Assignment(
        project_id=slot.project_id, item_id=slot.item_id, round=slot.round, slot=slot.slot + 1, state=State.DONE,
        selection_id=slot.selection_id, annotator=person, available_at=None, shuffle=slot.shuffle,
    )  # fmt: skip


def statements(project: Project) -> Iterator[Figure]:
    person = make_annotator(project)
    work(project, person, 1)
    with CaptureQueriesContext(connection) as leasing:
        slot = queue.lease_next(project, annotator=person)
    with CaptureQueriesContext(connection) as submitting:
        judging.submit(slot, by=person, answer=ANSWER)
    yield Figure("statements of a lease, with BEGIN and COMMIT", len(leasing), digits=0)
    yield Figure("statements of a submit, with BEGIN and COMMIT", len(submitting), digits=0)


def spread(what: str, seconds: list[float]) -> Iterator[Figure]:
    yield Figure(f"{what}, p50", percentile(seconds, 0.5) * 1000, "ms")
    yield Figure(f"{what}, p95", percentile(seconds, 0.95) * 1000, "ms")


def ratio(one: list[float], other: list[float]) -> float:
    return percentile(one, 0.95) / percentile(other, 0.95)


def over_assigned(project: Project, overlap: int) -> int:
    """Items with more held and done slots, or more people in them, than were asked for."""
    held = Assignment.objects.filter(project=project, state__in=[State.LEASED, State.DONE]).values("item")
    counted = held.annotate(n=Count("id"), people=Count("annotator", distinct=True)).order_by()
    return counted.filter(Q(n__gt=overlap) | ~Q(n=Count("annotator", distinct=True))).count()
