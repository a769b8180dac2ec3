"""Pages whose answer is known: the pool of a project, what is put into it, and when a page leaves it.

The pool and the evaluation samples have no page in common: whoever missed a known answer is told it, and gold needs
people who were told nothing. A drawn page is refused here, and a draw takes its pages out of the pool.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from labeling import consensus, schemas, slots, weburls
from labeling.models import (
    Assignment,
    Consensus,
    Event,
    Honeypot,
    Item,
    ItemState,
    OpenedCase,
    Project,
    Selection,
    State,
    Stream,
    User,
)
from labeling.models.work import KNOWN
from labeling.refusals import Refused, Unacceptable
from labeling.tallies import ADJUDICATED, AGREED

MAX_EXPLANATION = 5_000
DRAWN = "This page is part of an evaluation sample. A page with a known answer is told to people, so it can be no gold."
UNSETTLED = (
    "What is right on this page is not settled: two people must have agreed on it, or somebody decided it. "
    "Say yourself what is right instead."
)
HAS_ONE = "This page has a known answer already."
NOT_HERE = "This project has no such page. Import it first, without queueing it."


# ---- what is right on a page ----------------------------------------------------------------------------------------
def settled_answer(item: Item) -> dict[str, str]:
    """What two people or more agreed on, or somebody decided: yes or no per label. Empty where nothing is settled."""
    counted = Consensus.objects.filter(item=item).first()
    if counted is None or counted.state not in {Consensus.State.AGREED, Consensus.State.ADJUDICATED}:
        return {}
    return {key: label["verdict"] for key, label in counted.labels.items() if _is_settled(label)}


def _is_settled(label: Mapping[str, Any]) -> bool:
    people = label["yes"] + label["no"] + label["unsure"]
    sure = label["state"] == ADJUDICATED or (label["state"] == AGREED and people >= 2)
    return sure and label["verdict"] in {"yes", "no"}


def find_item(project: Project, wanted: str) -> Item:
    """The page with this id or address. Raises Unacceptable, naming the field, when there is none."""
    text = wanted.strip()
    item = project.items.filter(public_id=text).first()
    if item is None and text:
        try:
            item = project.items.filter(public_id=weburls.parse(text).public_id).first()
        except weburls.BadURL as refused:
            raise _wrong("item", str(refused)) from None
    if item is None:
        raise _wrong("item", NOT_HERE)
    return item


# ---- into the pool --------------------------------------------------------------------------------------------------
def add(
    item: Item,
    *,
    by: User | None,
    verdicts: Mapping[str, str] | None = None,
    explanation: str = "",
    is_onboarding: bool = False,
) -> Honeypot:
    """Put a page into the pool. Without `verdicts` what people have settled about it is taken.

    Nobody else is asked about it: its open slots leave the queue. Raises Refused for a page of a sample, one that is in
    the pool, one that is not active, and one that is not settled; Unacceptable for verdicts that are none.
    """
    with transaction.atomic():
        # A draw holds the same lock while it chooses: either it finds this page in the pool, or this finds it drawn.
        project = Project.objects.select_for_update(no_key=True).get(pk=item.project_id)
        item.refresh_from_db(fields=["state"])
        if item.state != ItemState.ACTIVE:
            raise Refused("This page is not active, so nobody would be given it.")
        if item.selections.filter(stream=Stream.GOLD).exists():
            raise Refused(DRAWN)
        schema = schemas.in_force(project)
        known = _checked(verdicts, schema) if verdicts is not None else settled_answer(item)
        if not known:
            raise Refused(UNSETTLED)
        made = _kept(item, schema, known, _explained(explanation), is_onboarding=is_onboarding, by=by)
        n_withdrawn = slots.withdraw_open_work([item.pk])
        if by is not None:  # whoever says what is right knows it: they are never asked
            _tell([item.pk], by)
        Event.record("honeypot.added", by=by, project=project, about=made, item=item.public_id, verdicts=known,
                     onboarding=is_onboarding)  # fmt: skip
    if n_withdrawn and Consensus.objects.filter(item=item).exists():
        consensus.refresh_many([item.pk], project=project)
    return made


def _kept(
    item: Item, schema: schemas.Schema, known: dict[str, str], explanation: str, *, is_onboarding: bool, by: User | None
) -> Honeypot:
    """A page that left the pool may come back; what was asked of people before stays with them."""
    values = {
        "project_id": item.project_id, "schema_id": schema.id, "verdicts": known, "explanation": explanation,
        "is_onboarding": is_onboarding, "added_by": by, "added_at": Now(), "retired_at": None,
    }  # fmt: skip
    earlier = Honeypot.objects.filter(item=item).first()
    if earlier is not None and earlier.retired_at is None:
        raise Refused(HAS_ONE)
    made, _ = Honeypot.objects.update_or_create(item=item, defaults=values)
    made.refresh_from_db()
    return made


@transaction.atomic
def change(
    honeypot: Honeypot, *, by: User | None, explanation: str | None = None, is_onboarding: bool | None = None
) -> Honeypot:
    """Another explanation, or another place in the pool. What is right is never changed: take it out and put it in."""
    if explanation is not None:
        honeypot.explanation = _explained(explanation)
    if is_onboarding is not None:
        honeypot.is_onboarding = is_onboarding
    honeypot.save(update_fields=["explanation", "is_onboarding"])
    Event.record("honeypot.changed", by=by, project=honeypot.project, about=honeypot, onboarding=honeypot.is_onboarding,
                 explanation=honeypot.explanation)  # fmt: skip
    return honeypot


# ---- out of the pool ------------------------------------------------------------------------------------------------
def retire(honeypot: Honeypot, *, by: User | None) -> None:
    """Nobody is given it any more. Who has it open keeps it; what was answered still counts for each person."""
    _retire(Honeypot.objects.filter(pk=honeypot.pk), honeypot.project, by=by, why="by hand")


def retire_drawn(project: Project, item_ids: Collection[int], *, by: User | None, sample: int) -> int:
    """A draw has chosen these pages: those of the pool leave it, in the caller's transaction. Returns how many."""
    drawn = Honeypot.objects.filter(project=project, item__in=item_ids)
    return _retire(drawn, project, by=by, why=f"drawn for sample {sample}")


@transaction.atomic
def _retire(found: QuerySet[Honeypot], project: Project, *, by: User | None, why: str) -> int:
    rows = list(found.in_use().select_for_update(of=("self",)).only("pk", "item_id"))  # type: ignore[attr-defined]
    if not rows:
        return 0
    Honeypot.objects.filter(pk__in=[row.pk for row in rows]).update(retired_at=Now())
    waiting = Assignment.objects.filter(item__in=[row.item_id for row in rows], purpose__in=KNOWN, state=State.OPEN)
    waiting.update(state=State.WITHDRAWN, available_at=None, is_surplus=True)
    for row in rows:
        Event.record("honeypot.retired", by=by, project=project, about=row, why=why)
    return len(rows)


# ---- who knows an answer --------------------------------------------------------------------------------------------
def _tell(item_ids: Iterable[int], person: User) -> None:
    """Who knows what is right on a page is never given it to judge, for whatever purpose."""
    OpenedCase.objects.bulk_create(
        [OpenedCase(item_id=item_id, person=person) for item_id in item_ids], ignore_conflicts=True
    )


def tell(item_ids: Collection[int], *, person: User) -> None:
    """This person is being shown what is right on these pages."""
    told = OpenedCase.objects.filter(person=person, item__in=item_ids).values_list("item_id", flat=True)
    fresh = set(item_ids).difference(told) if item_ids else set()
    if fresh:
        _tell(sorted(fresh), person)


# ---- the pool as a manager sees it ----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Counts:
    """How many pages of the pool are in use."""

    onboarding: int
    others: int


def counts(project: Project) -> Counts:
    rows = Honeypot.objects.in_use().filter(project=project, item__state=ItemState.ACTIVE)
    found = rows.aggregate(
        onboarding=Count("pk", filter=Q(is_onboarding=True)), others=Count("pk", filter=Q(is_onboarding=False))
    )
    return Counts(**found)


def pool(project: Project) -> QuerySet[Honeypot]:
    """In use first, the newest first, each with how many people have answered it."""
    answered = Count(
        "item__judgments", filter=Q(item__judgments__purpose__in=KNOWN, item__judgments__superseded_at=None)
    )
    rows = Honeypot.objects.filter(project=project).select_related("item", "added_by").annotate(n_answers=answered)
    return rows.order_by(F("retired_at").desc(nulls_first=True), "-added_at", "-pk")


def lacking(project: Project) -> list[str]:
    """What the settings ask of the pool that it cannot give, a sentence each."""
    if not (project.onboarding_pages or project.honeypot_share):
        return []
    found, said = counts(project), []
    if found.onboarding < project.onboarding_pages:
        said.append(
            f"New people are to start with {project.onboarding_pages} pages with known answers, and the pool holds "
            f"{found.onboarding} for that. Until there are enough, they start with ordinary pages."
        )
    if project.honeypot_share and not found.others:
        said.append("Pages with known answers are to be given out, and the pool holds none: nobody is given one.")
    return said


def of_no_sample() -> Q:
    """Condition on honeypots: the page is part of no evaluation sample."""
    return ~Q(Exists(Selection.objects.filter(item=OuterRef("item"), stream=Stream.GOLD)))


def _checked(verdicts: Mapping[str, str], schema: schemas.Schema) -> dict[str, str]:
    errors = []
    for key, verdict in verdicts.items():
        if key not in schema.keys:
            errors.append({"pointer": f"/verdicts/{key[:60]}", "detail": f"No label “{key[:60]}” is asked."})
        elif verdict not in {"yes", "no"}:
            errors.append({"pointer": f"/verdicts/{key}", "detail": "What is known of a label is yes or no."})
    if not verdicts:
        errors.append({"pointer": "/verdicts", "detail": "Say of one label at least what is right."})
    if errors:
        raise Unacceptable(errors[0]["detail"], errors)
    return {key: verdicts[key] for key in schema.keys if key in verdicts}


def _explained(text: str) -> str:
    if len(text) > MAX_EXPLANATION:
        raise _wrong("explanation", f"An explanation holds {MAX_EXPLANATION:,} characters.")
    return text.strip()


def _wrong(name: str, sentence: str) -> Unacceptable:
    return Unacceptable(sentence, [{"pointer": f"/{name}", "detail": sentence}])
