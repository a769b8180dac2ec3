"""New labels asked of pages that were judged before, when a manager wants it.

Publishing a label, or another question under a label, asks nobody about pages that are done, and no answer given
before says "no" to it. A round of its own asks it: of as many people as answered the page together, and nothing else.
Drawn pages are left out: their samples ask again (asking_again.py), by slots that a draw opens. So are pages that
people are still asked about: whoever answers them next is asked what is in force.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet

from labeling import jobs, schemas, slots
from labeling.models import (
    Assignment,
    Event,
    Item,
    Job,
    Judgment,
    Label,
    Project,
    Purpose,
    SchemaVersion,
    Selection,
    State,
    Stream,
    User,
)
from labeling.models.work import COUNTED
from labeling.refusals import Refused, Unacceptable

KIND = "ask_new_labels"
CHUNK = 500
NOTHING_TO_ASK = "Every page that was judged and that nobody is asked about now has answers to this already."
UNDER_WAY = "Another round for new labels is being opened at this moment; look again in a minute."
REASON = "asked about labels that are new"


@dataclass(frozen=True, slots=True)
class Lacking:
    """What one page lacks: how many people are to be asked, and which labels."""

    n_people: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a round asks for."""

    n_pages: int
    n_answers: int


# ---- what it would cost ---------------------------------------------------------------------------------------------
def younger_than_answers(project: Project) -> list[Label]:
    """The labels in use that some answer of the project was given without."""
    answered = SchemaVersion.objects.filter(Exists(Judgment.objects.votes().filter(schema=OuterRef("pk"))))
    versions = [schemas.by_id(pk) for pk in answered.filter(project=project).values_list("pk", flat=True)]
    asked_then = [{(label.key, label.revision) for label in version.asked} for version in versions]
    if not versions:
        return []
    now = schemas.in_force(project).asked
    return [label for label in now if any((label.key, label.revision) not in then for then in asked_then)]


def checked(project: Project, keys: Iterable[str]) -> tuple[str, ...]:
    """The labels to ask, in the order people see them. Raises Unacceptable."""
    wanted = set(keys)
    schema = schemas.in_force_if_any(project)
    asked = schema.keys if schema else ()
    unknown = sorted(wanted.difference(asked))
    if unknown or not wanted:
        detail = f"No label “{unknown[0][:60]}” is asked." if unknown else "Choose at least one label."
        raise Unacceptable(detail, [{"pointer": "/labels", "detail": detail}])
    return tuple(key for key in asked if key in wanted)


def cost(project: Project, keys: Sequence[str]) -> Cost:
    """How many pages would be asked about, and how many answers that takes."""
    found = _lacking(project, keys, _done(project))
    return Cost(len(found), sum(one.n_people for one in found.values()))


def _done(project: Project) -> QuerySet[Item]:
    """Pages people judged and nobody is asked about now; those that a draw chose are asked by their sample."""
    waiting = Assignment.objects.filter(item=OuterRef("pk"), purpose__in=COUNTED, state__in=[State.OPEN, State.LEASED])
    drawn = Selection.objects.filter(item=OuterRef("pk"), stream=Stream.GOLD)
    pages = Item.objects.active().filter(project=project, not_assessable="", consensus__n_judgments__gt=0)
    return pages.filter(~Exists(waiting), ~Exists(drawn))


def _lacking(project: Project, keys: Sequence[str], pages: QuerySet[Item]) -> dict[int, Lacking]:
    """What each of these pages lacks on these labels; pages that lack nothing are left out."""
    votes = Judgment.objects.votes().filter(item__in=pages.values("pk"))
    together = _most_in_a_round(votes)
    # Who was asked and said that nobody can judge the page has answered: it is not asked for ever.
    given_up = _count(votes.filter(outcome=Judgment.Outcome.NOT_ASSESSABLE, purpose=Purpose.NEW_LABEL))
    missing: dict[int, dict[str, int]] = defaultdict(dict)
    for key, versions in _versions_that_ask(project, keys).items():
        answered = _count(votes.filter(schema__in=versions, verdicts__has_key=key))
        for item_id, wanted in together.items():
            n = wanted - answered.get(item_id, 0) - given_up.get(item_id, 0)
            if n > 0:
                missing[item_id][key] = n
    return {item_id: Lacking(max(found.values()), tuple(found)) for item_id, found in missing.items()}


def _most_in_a_round(votes: QuerySet[Judgment]) -> dict[int, int]:
    """Page -> how many people answered it together."""
    judged = votes.filter(outcome=Judgment.Outcome.JUDGED).order_by()
    most: dict[int, int] = {}
    for item_id, _, n in judged.values_list("item", "round").annotate(n=Count("pk")).iterator():
        most[item_id] = max(n, most.get(item_id, 0))
    return most


def _count(votes: QuerySet[Judgment]) -> dict[int, int]:
    """Page -> how many people are behind these answers."""
    return dict(votes.order_by().values_list("item").annotate(n=Count("rater", distinct=True)))


def _versions_that_ask(project: Project, keys: Sequence[str]) -> dict[str, list[int]]:
    """Label -> the versions that ask the same question under it as the one in force."""
    now = schemas.in_force(project)
    pks = project.schema_versions.values_list("pk", flat=True)
    return {
        key: [pk for pk in pks if any((label.key, label.revision) == (key, now.label(key).revision)
                                      for label in schemas.by_id(pk).labels)]
        for key in keys
    }  # fmt: skip


# ---- asking ---------------------------------------------------------------------------------------------------------
def queue_asking(project: Project, keys: Iterable[str], *, by: User | None) -> Job:
    """Ask these labels of the pages that lack answers to them, in a worker. Raises Unacceptable, or Refused."""
    wanted = checked(project, keys)
    if not _lacking(project, wanted, _done(project)):
        raise Refused(NOTHING_TO_ASK)
    params = {"labels": list(wanted)}
    job = jobs.enqueue(KIND, project=project, params=params, by=by, exclusive=f"{KIND}:{project.pk}")
    if job.params != params:  # somebody else's waits, about other labels
        raise Refused(UNDER_WAY)
    return job


def run(claim: jobs.Claim) -> dict[str, Any]:
    """The job. Run again after it was killed, it goes on: pages whose slots it opened wait for an answer by then."""
    project = claim.project
    keys = [key for key in claim.params["labels"] if key in schemas.in_force(project).keys]
    item_ids = sorted(_lacking(project, keys, _done(project)))
    n_items = n_answers = 0
    for start in range(0, len(item_ids), CHUNK):
        claim.progress(start / len(item_ids), "Opening slots")
        with transaction.atomic():
            found = _ask_chunk(project, keys, item_ids[start : start + CHUNK], by=claim.job.created_by)
            claim.guard()
        n_items, n_answers = n_items + found.n_pages, n_answers + found.n_answers
    return {"n_items": n_items, "n_answers": n_answers}


def _ask_chunk(project: Project, keys: Sequence[str], item_ids: Collection[int], *, by: User | None) -> Cost:
    """Open the slots, under the pages' locks."""
    list(Item.objects.filter(pk__in=item_ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    lacking = _lacking(project, keys, _done(project).filter(pk__in=item_ids))
    alike: dict[Lacking, list[Selection]] = defaultdict(list)
    for item_id, selection in _selections(lacking).items():
        alike[lacking[item_id]].append(selection)
    n_answers = sum(
        slots.open_up(project, selections, overlap=what.n_people, purpose=Purpose.NEW_LABEL, asked=list(what.keys))
        for what, selections in alike.items()
    )
    if lacking:
        Event.record("labels.asked_again", by=by, project=project, about=project, n_items=len(lacking),
                     n_answers=n_answers, labels=list(keys))  # fmt: skip
    return Cost(len(lacking), n_answers)


def _selections(lacking: Mapping[int, Lacking]) -> dict[int, Selection]:
    """How each page came to be asked: as for its last answer, so that both belong to one stream."""
    done = Assignment.objects.filter(item__in=list(lacking), state=State.DONE).select_related("selection__item")
    found = {slot.item_id: slot.selection for slot in done.order_by("round", "slot")}
    missing = Item.objects.filter(pk__in=lacking.keys() - found.keys())
    fresh = [Selection(item=item, stream=Stream.IMPORT, reason=REASON) for item in missing]
    return found | {selection.item_id: selection for selection in Selection.objects.bulk_create(fresh)}
