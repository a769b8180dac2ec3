"""A project whose every stored text is given words, and a walk over every address that can be read in it.

`words(n)` is the n-th text; the same house built from harmless words is what a hostile one is compared with.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from active_learning.models import Batch, BatchItem, TrainingRun
from labeling import adjudication, consensus, invites, queue, samples, schemas, slots, tokens
from labeling.adjudication import Decision
from labeling.models import Import, Item, Job, Judgment, Project, Rater, RefusedRow, SchemaVersion, Selection, User
from tests.factories import make_item, make_judgment, make_member, make_project
from tests.labeling.gold.work import answer_all, freeze

Words = Callable[[int], str]
ROLES = ("viewer", "annotator", "adjudicator", "manager")
N_TEXTS = 28
N_LABELS = 10


@dataclass
class House:
    project: Project
    people: dict[str, User]
    operator: User
    kwargs: dict[str, list[Any]] = field(default_factory=dict)
    invite_secret: str = ""


def build(words: Words, slug: str = "house") -> House:
    """Every text field of the models holds words; short ones are cut to what they hold."""
    project = make_project(
        slug,
        labels=(),
        name=words(0)[:120],
        description=words(1),
        show_queries=True,
        keywords=[words(n)[:80] for n in range(N_TEXTS)],
    )
    project.schema.delete()
    people = {
        role: make_member(project, role, name=f"{words(n)[:100]}{role}", first_name=words(n + 4)[:150])
        for n, role in enumerate(ROLES)
    }
    for n in range(8, N_TEXTS):
        make_member(project, "viewer", name=words(n)[:150], email=f"p{n}@example.org")
    house = House(project, people, make_member(project, name=f"{slug} operator", is_superuser=True, is_staff=True))
    _ask(project, words)
    items = [_page(project, words, n) for n in range(N_TEXTS)]
    _answer(project, items, words, people)
    _run_jobs(house, words)
    _learn(project, items, words)
    _release(project, words, people)
    _, house.invite_secret = invites.create(project, role="viewer", note=words(3)[:200], by=people["manager"])
    for n, role in enumerate(ROLES):
        tokens.issue(people[role], name=words(n)[:80], scopes=["read"])
    house.kwargs |= _addresses(house, items)
    return house


def _ask(project: Project, words: Words) -> None:
    schema = SchemaVersion.objects.create(project=project, number=1, guideline="\n\n".join(map(words, range(N_TEXTS))))
    schema.labels.bulk_create(
        schema.labels.model(
            schema=schema, key=f"label{n}", name=words(n)[:80], definition=words(n + 10), includes=[words(n + 20)],
            excludes=[words(n + 5)], near_misses=[words(n + 15)], examples=[words(n + 25)], position=n,
            severity=1 + n % 4, parent=f"label{n - 1}" if n % 3 else "",
        )
        for n in range(N_LABELS)
    )  # fmt: skip


def _page(project: Project, words: Words, n: int) -> Item:
    return make_item(
        project, f"https://site{n}.example.org/{words(n)}?q={words(n)}#{words(n)}", title=words(n), text=words(n + 1),
        external_id=words(n + 2)[:255], metadata={words(n + 3): words(n + 4)}, language=words(n + 5)[:35],
    )  # fmt: skip


def _answer(project: Project, items: list[Item], words: Words, people: dict[str, User]) -> None:
    """Some in dispute with hostile notes, one decided, two withdrawn, and some still to be judged."""
    for n, item in enumerate(items[:6]):
        Rater.objects.get_or_create(project=project, code=words(n)[:80])
        make_judgment(item, words(n)[:80], yes=["label0"], note=words(n))
        make_judgment(item, "second", note=words(n + 6))
        make_judgment(item, people["annotator"], note=words(n + 12))
        consensus.refresh(item, project=project)
    decision = Decision(verdicts={"label0": "yes"}, cause="overlooked", note=words(7))
    seen = adjudication.case_of(items[0]).version
    adjudication.decide(items[0], by=people["adjudicator"], decision=decision, seen_version=seen)
    Item.objects.filter(pk=items[6].pk).update(state="withdrawn", state_reason=words(8)[:500])
    waiting = [Selection.objects.create(item=item, stream="import", reason=words(9)[:200]) for item in items[8:]]
    slots.open_up(project, waiting, overlap=3)
    queue.lease_next(project, annotator=people["annotator"])


def _run_jobs(house: House, words: Words) -> None:
    for n, state in enumerate(("done", "failed", "cancelled")):
        job = Job.objects.create(
            project=house.project, kind="import", state=state, message=words(n), created_by=house.people["manager"],
            finished_at=timezone.now(),
        )  # fmt: skip
        run = Import.objects.create(
            project=house.project, job=job, stored_name=f"x{n}.csv", filename=words(n + 3)[:255], sha256="0" * 64,
            size_bytes=10, format="csv", rows_total=N_TEXTS, rows_refused=N_TEXTS,
        )  # fmt: skip
        RefusedRow.objects.bulk_create(
            RefusedRow(run=run, number=row, line=row + 2, reason=words(row)[:500], raw=words(row + 1))
            for row in range(N_TEXTS)
        )
    for n, kind in enumerate(("train", "batch", "draw", "freeze")):
        Job.objects.create(
            project=house.project, kind=kind, state="failed", message=words(n + 10), finished_at=timezone.now()
        )


def _learn(project: Project, items: list[Item], words: Words) -> None:
    labels = project.schema.asked_keys()
    unknown = {"value": None, "low": None, "high": None, "level": 0.95, "n": 0, "reason": words(2)}
    row = {"average_precision": unknown, "n_yes": 1, "n_no": 1, "notes": [words(3)]}
    run = TrainingRun.objects.create(
        project=project, number=1, seed=1, labels=labels, scored_at=timezone.now(), fitted_at=timezone.now(),
        metrics={"macro_ap": unknown, "curve": [], "labels": dict.fromkeys(labels, row)},
    )  # fmt: skip
    batch = Batch.objects.create(
        project=project, run=run, number=1, size=4, strategy="random", random_share=1.0, seed=1
    )
    for n, item in enumerate(items[20:24]):
        selection = Selection.objects.create(item=item, stream="uncertainty", reason=words(n)[:200])
        BatchItem.objects.create(
            batch=batch, selection=selection, rank=n + 1, label=labels[n], scores=dict.fromkeys(labels, 0.5)
        )


def _release(project: Project, words: Words, people: dict[str, User]) -> None:
    """A sample of three pages, answered alike by two people and frozen with hostile notes and seed."""
    wanted = samples.checked(project, size=3, seed=words(5)[:64], overlap=2)
    drawn = samples.draw(project, wanted, by=people["manager"])
    golden = set(drawn.selections.values_list("item", flat=True))
    strangers = [make_member(project, "annotator") for _ in range(2)]
    answer_all(project, *strangers)
    for item in Item.objects.filter(pk__in=golden, consensus__state="disputed"):
        case = adjudication.case_of(item)
        decision = Decision(dict.fromkeys(case.conflict, "no"), cause="careless", note=words(6))
        adjudication.decide(item, by=people["adjudicator"], decision=decision, seen_version=case.version)
    freeze(project, notes=words(11))


def _addresses(house: House, items: list[Item]) -> dict[str, list[Any]]:
    project = house.project
    return {
        "slug": [project.slug],
        "public_id": [item.public_id for item in items],
        "judgment_id": list(
            Judgment.objects.filter(rater__user=house.people["annotator"]).values_list("pk", flat=True)
        ),
        "job_id": list(Job.objects.filter(project=project).values_list("pk", flat=True)),
        "number": [1],
        "version": [release.version for release in project.releases.all()],
        "other": [release.version for release in project.releases.all()],
        "form": ["csv", "ndjson"],
        "name": list(project.releases.get().files.values_list("name", flat=True)),
        "secret": [house.invite_secret],
        "run": [1],
        "figure": ["days"],
        "key": [label.key for label in schemas.in_force(project).asked],
        "rater_id": list(Rater.objects.filter(project=project).values_list("pk", flat=True)),
    }


# ---- every address --------------------------------------------------------------------------------------------------
def readable_paths(house: House, *, most: int) -> dict[str, list[str]]:
    """{name of the address: paths} for every address that holds only what the house has; at most `most` of each."""
    found: dict[str, list[str]] = {}
    for name, pattern in named_patterns():
        converters = pattern.pattern.converters
        if set(converters) <= set(house.kwargs):
            found[name] = [reverse(name, kwargs=kwargs) for kwargs in _fillings(converters, house, most)]
    return found


def named_patterns() -> Iterator[tuple[str, URLPattern]]:
    yield from _walk(get_resolver().url_patterns, "")


def _walk(patterns: Any, namespace: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in patterns:
        if isinstance(entry, URLResolver) and entry.namespace != "admin":
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry.url_patterns, inner)
        elif isinstance(entry, URLPattern) and entry.name:
            yield f"{namespace}{entry.name}", entry


def _fillings(converters: Any, house: House, most: int) -> list[dict[str, Any]]:
    """The first with the first, the second with the second, and so on: every value of every part stands somewhere."""
    if not converters:
        return [{}]
    longest = max(len(house.kwargs[name]) for name in converters)
    return [
        {name: house.kwargs[name][n % len(house.kwargs[name])] for name in converters}
        for n in range(min(longest, most))
    ]
