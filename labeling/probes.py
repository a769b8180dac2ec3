"""Pages that are about the person and not about the page: with a known answer, or answered by them before.

Now and then the queue asks here before it gives a page out. What is due is a slot put by for that one person, in a
round of its own, and nothing about it can be told from work:

- Whether one is due hangs on a secret, the person and their last act, so that nobody can count them out, and asking
  again changes nothing.
- It comes in place of a page this person would have been given, never as one more when nothing is left; only the first
  pages of a new person need no such page.
- Its number is that of the slot in whose place it comes, and that slot gets a new one: numbers are given in order, and
  a slot made this minute would stand out by its own.
"""

import hashlib
from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.utils.crypto import salted_hmac

from labeling import honeypots, offers, places, repeats, schemas
from labeling.models import (
    Assignment,
    Desk,
    Honeypot,
    Item,
    ItemState,
    Judgment,
    LikelyLabel,
    LostLease,
    OpenedCase,
    Project,
    Purpose,
    Rater,
    Selection,
    Skip,
    State,
    Stream,
    User,
)
from labeling.models.work import COUNTED, FIRST_PROBE_ROUND, HELD, PROBES

FIRST = 32_000  # priority before everything else that is put by for a person


@dataclass(frozen=True, slots=True)
class Page:
    """What a probe shows."""

    item_id: int
    snapshot_id: int | None


def prepare(wish: offers.Wish) -> offers.Wish:
    """The wish as it is, or with a probe put by for this person. Costs nothing where the project wants none."""
    project = wish.project
    if wish.terms.refusal is not None or not (
        project.onboarding_pages or project.honeypot_share or project.repeat_share
    ):
        return wish
    purpose = _due(wish)
    if purpose is None:
        return wish
    try:
        with transaction.atomic():
            made = _put_by(wish, purpose)
    except IntegrityError:  # somebody was given the same page at this moment: this person's turn comes again
        made = False
    return replace(wish, terms=replace(wish.terms, has_put_by=True)) if made else wish


# ---- whether one is due ---------------------------------------------------------------------------------------------
def _due(wish: offers.Wish) -> str | None:
    project, person = wish.project, wish.annotator
    if project.onboarding_pages and wish.terms.desk.onboarded_at is None:
        if _is_new(project, person):
            return Purpose.ONBOARDING if _can_onboard(project, person) else None
        Desk.objects.filter(pk=wish.terms.desk.pk).update(onboarded_at=Now())  # at work before there was a first page
    chance = _chance(person, _last_act(project, person))
    if chance < project.honeypot_share:
        return Purpose.HONEYPOT
    return Purpose.REPEAT if chance < project.honeypot_share + project.repeat_share else None


def _is_new(project: Project, person: User) -> bool:
    answered = Judgment.objects.filter(rater__user=person, rater__project=project)
    return not answered.exclude(purpose=Purpose.ONBOARDING).exists()


def _can_onboard(project: Project, person: User) -> bool:
    """Nobody is held up by a pool that is too small: they start with ordinary pages."""
    return honeypots.counts(project).onboarding >= project.onboarding_pages


def _last_act(project: Project, person: User) -> tuple[int, int]:
    """The newest answer and the newest skip: what changes when this person moves on, and only then."""
    rater = Rater.objects.filter(project=project, user=person).values("pk")[:1]
    answers = Judgment.objects.filter(rater=Subquery(rater), revision=1).order_by("-submitted_at", "-pk").values("pk")
    skips = Skip.objects.filter(annotator=person).order_by("-pk").values("pk")
    found: tuple[int, int] = (
        Project.objects.filter(pk=project.pk)
        .values_list(Coalesce(Subquery(answers[:1]), 0), Coalesce(Subquery(skips[:1]), 0))
        .get()
    )
    return found


def _chance(person: User, act: tuple[int, int]) -> float:
    """A number in [0, 1) that nobody without the secret key can work out."""
    digest = salted_hmac("touchstone.probes", f"{person.pk}:{act[0]}:{act[1]}", algorithm="sha256").digest()
    return int.from_bytes(digest[:6], "big") / 2**48


# ---- putting one by -------------------------------------------------------------------------------------------------
def _put_by(wish: offers.Wish, purpose: str) -> bool:
    """Open the slot, under the lock of the person's desk: two tabs make one."""
    person = wish.annotator
    Desk.objects.select_for_update().get(pk=wish.terms.desk.pk)
    own = Assignment.objects.filter(project=wish.project)
    waits = Q(assigned_to=person, purpose__in=PROBES, state=State.OPEN, available_at__lte=wish.moment)
    if own.filter(waits | Q(annotator=person, state=State.LEASED)).exists():
        return False
    if purpose == Purpose.ONBOARDING and _has_had_all(wish.project, person):
        return False
    place = _place(wish)
    if place is None and purpose != Purpose.ONBOARDING:
        return False
    page = _page(wish, purpose)
    if page is None:
        return False
    _open(wish, purpose, page, place)
    return True


def _has_had_all(project: Project, person: User) -> bool:
    answered = Judgment.objects.current().filter(rater__user=person, rater__project=project)
    return answered.filter(purpose=Purpose.ONBOARDING).count() >= project.onboarding_pages


def _place(wish: offers.Wish) -> Assignment | None:
    """A slot this person would be given, that nobody has seen yet: the probe comes in its place."""
    start = places.remembered(wish.terms.desk, epoch=wish.terms.epoch)
    lost = LostLease.objects.filter(slot=OuterRef("pk"))
    rows = offers.admissible(wish).filter(
        Q(assigned_to=None, position__gte=start) | Q(assigned_to=wish.annotator),
        ~Exists(lost), state=State.OPEN, leased_at=None,
    )  # fmt: skip
    return rows.in_queue_order().select_for_update(skip_locked=True, of=("self",)).first()


def _open(wish: offers.Wish, purpose: str, page: Page, place: Assignment | None) -> None:
    rounds = Assignment.objects.filter(item=page.item_id, purpose__in=PROBES).aggregate(last=Max("round"))
    probe = {
        "item_id": page.item_id,
        "snapshot_id": page.snapshot_id,
        "purpose": purpose,
        "round": (rounds["last"] or FIRST_PROBE_ROUND - 1) + 1,
        "slot": 1,
        "asked": None,
        "selection_id": _selection_of(page.item_id),
        "assigned_to_id": wish.annotator.pk,
        "priority": FIRST,
    }
    if place is None:
        Assignment.objects.create(project=wish.project, shuffle=0, available_at=wish.moment, **probe)
        return
    names = [field.attname for field in Assignment._meta.concrete_fields if not (field.primary_key or field.generated)]
    again = Assignment(**{name: getattr(place, name) for name in names})
    Assignment.objects.filter(pk=place.pk).update(**probe)
    again.save(force_insert=True)


def _selection_of(item_id: int) -> int:
    """How the item came to be here; never a draw's, whose slots are gold."""
    own = Selection.objects.filter(item=item_id).exclude(stream=Stream.GOLD).order_by("pk")
    found = own.values_list("pk", flat=True).first()
    if found is None:
        # As plain as can be: adjudicators, who are asked as well, read how a page came to be asked.
        return Selection.objects.create(item_id=item_id, stream=Stream.IMPORT).pk
    return found


# ---- which page -----------------------------------------------------------------------------------------------------
def _page(wish: offers.Wish, purpose: str) -> Page | None:
    if purpose == Purpose.REPEAT:
        earlier = repeats.to_repeat(wish.project, wish.annotator, wish.moment, fits=_fits(wish))
        return Page(earlier.item_id, earlier.snapshot_id) if earlier else None
    return _known_page(wish, is_onboarding=purpose == Purpose.ONBOARDING)


def _known_page(wish: offers.Wish, *, is_onboarding: bool) -> Page | None:
    """A page of the pool that this person has had nothing to do with, in an order of their own."""
    questions = schemas.Questions(schemas.in_force(wish.project))
    rows = _strange_to(wish.annotator).filter(Exists(_fits(wish)), project=wish.project, is_onboarding=is_onboarding)
    usable = [
        row
        for row in rows.values_list("pk", "item_id", "item__snapshot_id", "schema_id", "verdicts")
        if questions.answered_by(row[4], under=row[3])
    ]
    if not usable:
        return None
    _, item_id, snapshot_id, _, _ = min(usable, key=lambda row: _order(wish.annotator, row[0]))
    return Page(item_id, snapshot_id)


def _strange_to(person: User) -> QuerySet[Honeypot]:
    judged = Judgment.objects.filter(item=OuterRef("item"), rater__user=person)
    asked = Assignment.objects.filter(item=OuterRef("item"))
    given = asked.filter(Q(annotator=person, state__in=HELD) | Q(assigned_to=person))
    # A page people are asked about as work could come to this person a second time.
    in_the_queue = asked.filter(purpose__in=COUNTED, state__in=[State.OPEN, State.LEASED])
    rows = Honeypot.objects.in_use().filter(honeypots.of_no_sample())
    return rows.filter(~Exists(judged), ~Exists(given), ~Exists(in_the_queue))


def _fits(wish: offers.Wish) -> QuerySet[Item]:
    """Inside a query about what has an item: those this person may be given now, and knows no opinion of."""
    terms = wish.terms
    items = Item.objects.filter(pk=OuterRef("item"), state=ItemState.ACTIVE)
    items = items.filter(~Exists(OpenedCase.objects.filter(item=OuterRef("pk"), person=wish.annotator)))
    if terms.exposure_left is not None:
        items = items.filter(expected_exposure__lte=terms.exposure_left)
    if terms.opted_out:
        items = items.filter(~Exists(LikelyLabel.objects.filter(item=OuterRef("pk"), label__in=terms.opted_out)))
    return items


def _order(person: User, honeypot: int) -> bytes:
    return hashlib.sha256(f"{person.pk}:{honeypot}".encode()).digest()


# ---- passed on ------------------------------------------------------------------------------------------------------
def passed_on(slot: Assignment, *, by: User) -> None:
    """A probe that was skipped is over, unless skipped pages come back: then it does as they do.

    So is a page that was sent back: it is for this person alone, and whoever decides it waits no longer.
    """
    if slot.purpose not in (*PROBES, Purpose.REJUDGE):
        return
    comes_back = Skip.objects.filter(item=slot.item_id, round=slot.round, annotator=by, returns_at__isnull=False)
    if not comes_back.exists():
        open_one = Assignment.objects.filter(pk=slot.pk, state=State.OPEN)
        open_one.update(state=State.WITHDRAWN, available_at=None, is_surplus=True)
