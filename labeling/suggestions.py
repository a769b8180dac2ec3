"""What the model says of a page, beside its labels: for a random half of the answers, where a project wants it.

It is settled when the page is first given to a person, written down for the shown and the hidden half alike, and stays
so: what they see on another device, after a lease that ran out, or when they step back is what they saw then.

- **Who is shown it** hangs on a secret, the page and the person: asking again changes nothing, and nobody can count it
  out from what they know.
- **Never on a page that estimates rest on**: drawn for a sample, for the random arm or for an audit, and the part of
  the pages that the random arm takes first. Nor where the page is asked again, for whatever reason.
- **Never from a model that learnt from answers to this very page**: what it says would be the neighbour's answer. Pages
  with known answers are spoken of even so, or silence would give them away; nobody's vote is at stake there.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.utils.crypto import salted_hmac

from labeling import lost_leases, schemas
from labeling.models import (
    Adjudication,
    Assignment,
    Draw,
    Item,
    Judgment,
    OpenedCase,
    Project,
    Purpose,
    SchemaVersion,
    Selection,
    Stream,
    Suggestion,
    User,
)
from labeling.models.work import KNOWN
from labeling.refusals import Refused
from labeling.sampling import draws

SPOKEN_OF = (Purpose.WORK, Purpose.RESERVED, *KNOWN)
BLIND_STREAMS = (Stream.GOLD, Stream.RANDOM, Stream.AUDIT, Stream.DRIFT)
BLIND_SHARE = 0.2  # of the pages, by the numbers of the random arm: those it takes first
BLIND_BELOW = int(BLIND_SHARE * 2**draws.U_BITS)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a model says of one page: yes where the probability reaches the label's own threshold."""

    run: int  # its number in the project
    learnt_at: datetime  # everything answered up to then may have taught it
    says: Mapping[str, bool]  # by label key; a label it has no model of is not named


Source = Callable[[Project, int], Opinion | None]
_sources: list[Source] = []


def said_by(source: Source) -> Source:
    """Register what another app knows of a page; None without a model or a score. Raises Refused when unreadable."""
    if source not in _sources:
        _sources.append(source)
    return source


# ---- to whom --------------------------------------------------------------------------------------------------------
def is_blind(project: Project, public_id: str) -> bool:
    """Whether a page is of the part that is kept blind for the random arm, drawn or not."""
    return draws.permanent_number(draws.arm_seed(project.slug), public_id) < BLIND_BELOW


def is_in_shown_half(item: Item, person: User) -> bool:
    """A coin that nobody without the secret key can foresee, and that never falls otherwise."""
    digest = salted_hmac(
        "touchstone.suggestions", f"{item.project_id}:{item.public_id}:{person.pk}", algorithm="sha256"
    )
    return digest.digest()[0] < 128


# ---- on a page that is given out ------------------------------------------------------------------------------------
def give(slot: Assignment, *, to: User) -> Sequence[str] | None:
    """The labels the model says hold on a page that is given to a person now; None where they are shown nothing.

    The caller holds the slot. Costs nothing where the project does not suggest.
    """
    return _give(slot, to, make=True)


def given(slot: Assignment, *, to: User) -> Sequence[str] | None:
    """As `give`, of a page that is on their screen already: what is not there is not made."""
    return _give(slot, to, make=False)


def _give(slot: Assignment, person: User, *, make: bool) -> Sequence[str] | None:
    if not slot.project.suggests or slot.purpose not in SPOKEN_OF or is_blind(slot.project, slot.item.public_id):
        return None
    known = Suggestion.objects.filter(item=slot.item_id, annotator=person, round=slot.round).first()
    if known is None and make and not _feeds_estimates(slot):
        known = _make(slot, person)
    return _shown(known, slot.asked or lost_leases.shown_to(person, slot).keys)


def seen_with(judgment: Judgment) -> Sequence[str] | None:
    """The labels the model said hold, as they stood beside those of this answer; None where nothing did."""
    if not judgment.saw_suggestion:
        return None
    person = judgment.rater.user_id
    known = Suggestion.objects.filter(item=judgment.item_id, annotator=person, round=judgment.round).first()
    return _shown(known, tuple(judgment.verdicts) or schemas.by_id(judgment.schema_id).keys)


def _shown(known: Suggestion | None, asked: Sequence[str]) -> Sequence[str] | None:
    if known is None or not known.is_shown:
        return None
    return [key for key in asked if known.says.get(key) == "yes"]


# ---- making it ------------------------------------------------------------------------------------------------------
def _make(slot: Assignment, person: User) -> Suggestion:
    """A page they had begun without one stays without; so does one nothing can be said of. Both are written down."""
    begun = getattr(slot, "has_draft", False)
    opinion = None if begun else _opinion(slot)
    says = _about(opinion, slot, person) if opinion else {}
    values = {
        "says": says,
        "run": opinion.run if opinion and says else None,
        "is_shown": bool(says) and is_in_shown_half(slot.item, person),
    }
    mine = {"item_id": slot.item_id, "annotator": person, "round": slot.round}
    try:
        with transaction.atomic():
            return Suggestion.objects.create(**mine, **values)
    except IntegrityError:  # the same page in another tab at this moment: both show what was written there
        return Suggestion.objects.get(**mine)


def _feeds_estimates(slot: Assignment) -> bool:
    """Whether the page was drawn by chance, in whatever round: what is said of it there is measured with."""
    return Selection.objects.filter(item=slot.item_id, stream__in=BLIND_STREAMS).exists()


def _opinion(slot: Assignment) -> Opinion | None:
    for source in _sources:
        with suppress(Refused):  # a model's file that is gone keeps nobody from answering
            opinion = source(slot.project, slot.item_id)
            if opinion is not None and (slot.purpose in KNOWN or not _was_learnt(slot, opinion)):
                return opinion
    return None


def _was_learnt(slot: Assignment, opinion: Opinion) -> bool:
    answers = Judgment.objects.filter(item=slot.item_id, submitted_at__lte=opinion.learnt_at)
    decisions = Adjudication.objects.filter(item=slot.item_id, decided_at__lte=opinion.learnt_at)
    return Item.objects.filter(Exists(answers) | Exists(decisions), pk=slot.item_id).exists()


def _about(opinion: Opinion, slot: Assignment, person: User) -> dict[str, str]:
    """What it says of the labels asked here that meant the same when it learnt."""
    shown = lost_leases.shown_to(person, slot)
    then = SchemaVersion.objects.filter(project=slot.project, published_at__lte=opinion.learnt_at).order_by("-number")
    version = then.values_list("pk", flat=True).first()
    if version is None:
        return {}
    same = schemas.Questions(shown).same_under(version)
    asked = slot.asked or shown.keys
    return {key: "yes" if opinion.says[key] else "no" for key in asked if key in same and key in opinion.says}


# ---- what is measured with ------------------------------------------------------------------------------------------
def were_shown(project: Project) -> bool:
    """Whether anybody was ever shown one here."""
    return Suggestion.objects.filter(item__project=project, is_shown=True).exists()


# ---- a page that is drawn afterwards --------------------------------------------------------------------------------
def keep_from_gold(draw: Draw) -> None:
    """Whoever was shown what the model says of a page is never asked about it for the sample it is in now."""
    drawn = Selection.objects.filter(item=OuterRef("item"), draw=draw)
    shown = Suggestion.objects.filter(Exists(drawn), is_shown=True).values("item_id", person_id=F("annotator_id"))
    OpenedCase.objects.bulk_create((OpenedCase(**row) for row in shown.distinct()), ignore_conflicts=True)
