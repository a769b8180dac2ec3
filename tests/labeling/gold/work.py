"""The day of a gold sample in few words: draw it, answer it, decide it, freeze it."""

from labeling import (
    consensus,
    judging,
    queue,
    released,
    releases,
    samples,
    tasks,  # noqa: F401  (registers what the jobs do)
)
from labeling.models import Adjudication, Draw, GoldRelease, Item, Judgment, Project, User
from labeling.readiness import Request
from tests.factories import make_item, make_member, make_project


def make_gold_project(slug: str | None = None, *, n_items: int = 6) -> Project:
    project = make_project(slug)
    for number in range(n_items):
        make_item(project, f"https://site{number}.example.org/", title=f"Site {number}", text="Words.")
    return project


def draw(project: Project, *, size: int, seed: str | None = "a", overlap: int = 2) -> Draw:
    return samples.draw(project, samples.checked(project, size=size, seed=seed, overlap=overlap), by=None)


def annotators(project: Project, n: int = 2) -> list[User]:
    return [make_member(project, "annotator") for _ in range(n)]


def answer_all(project: Project, *people: User, yes=lambda person, item: ()) -> int:
    """Each person answers every page they are given. `yes(person, item)` says which labels are ticked."""
    n_answers = 0
    for person in people:
        while slot := queue.lease_next(project, annotator=person):
            ticked = tuple(yes(person, slot.item))
            judging.submit(slot, by=person, answer=judging.Answer(yes=ticked, none=not ticked))
            n_answers += 1
    return n_answers


def decide(item: Item, *, by: User, **verdicts: str) -> Adjudication:
    newest = Judgment.objects.filter(item=item).latest("pk").pk
    decision = Adjudication.objects.create(
        item=item, adjudicator=by, schema=item.project.schema, verdicts=verdicts, cause="overlooked",
        seen=dict.fromkeys(verdicts, newest),
    )  # fmt: skip
    consensus.refresh(item, project=item.project)
    return decision


def freeze(project: Project, **wanted) -> GoldRelease:
    return releases.freeze(project, Request(**wanted), by=None)


def ready_project(slug: str | None = None, *, n_items: int = 6, size: int = 4) -> Project:
    """A project whose one sample is answered by two people who agree."""
    project = make_gold_project(slug, n_items=n_items)
    draw(project, size=size)
    answer_all(project, *annotators(project), yes=lambda _person, item: ["games"] if "site1" in item.host else [])
    return project


def disputed_project():
    """Two people, four pages; they differ on `games` for one of them."""
    project = make_gold_project()
    made = draw(project, size=4)
    odd = made.selections.get(rank=1).item
    alice, bob = annotators(project)
    answer_all(project, alice)
    answer_all(project, bob, yes=lambda _person, item: ["games"] if item == odd else [])
    return project, odd


def row_of(release, item):
    return next(row for row in released.rows(release) if row["item"] == item.public_id)
