"""Drafts: ticks that are no answer yet, kept through lost leases, and taken up again on whatever device one is at."""

import hashlib
import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from labeling import desks, lost_leases, offers, queue, slots
from labeling.answers import MAX_NOTE, Answer
from labeling.models import Assignment, Draft, ItemState, Membership, Project, Purpose, Role, State, User
from labeling.refusals import Refused, Stale, Unacceptable
from labeling.withheld import Moment

NOTHING_SEEN = ""  # the version of a draft that is not there yet
ELSEWHERE = gettext_noop("You ticked this page on another device meanwhile. Nothing was saved over what you did there.")
GONE = gettext_noop(
    "This page cannot be given to you now: other people have it, or it waits no more. Your ticks are kept."
)


# ---- one page's ticks -----------------------------------------------------------------------------------------------
def save_draft(slot: Assignment, *, by: User, answer: Answer, seen: str | None = None) -> Draft:
    """Keep ticks that are not submitted. Taken even after the lease is lost; of a page that is answered none is left.

    `seen` is the version this device last read or wrote; raises Stale with both versions when another one has saved
    other ticks since. Who does not say what they saw replaces what is there.

    Ticks and Enter are a moment apart and arrive by two ways. A draft that was there when the answer was begun is
    dropped by it; one that came later waits here for the item's lock, finds the answer, and is dropped.
    """
    if len(answer.note) > MAX_NOTE:
        raise Unacceptable(
            _("A note holds %(n)s characters.") % {"n": f"{MAX_NOTE:,}"}, [{"pointer": "/note", "detail": "Too long."}]
        )
    draft = _save(slot, by, answer) if seen is None else _save_over(slot, by, answer, seen)
    with transaction.atomic():
        slots.lock(slot.item_id)
        if Assignment.objects.filter(item=slot.item_id, round=slot.round, annotator=by, state=State.DONE).exists():
            drop_draft(slot, by)
    return draft


@transaction.atomic
def _save(slot: Assignment, by: User, answer: Answer) -> Draft:
    draft = Draft(annotator=by, item_id=slot.item_id, round=slot.round, answer=answer.as_draft(), saved_at=Now())
    Draft.objects.bulk_create(
        [draft],
        update_conflicts=True,
        unique_fields=["annotator", "item", "round"],
        update_fields=["answer", "saved_at"],
    )
    draft.refresh_from_db(fields=["saved_at"])
    return draft


@transaction.atomic
def _save_over(slot: Assignment, by: User, answer: Answer, seen: str) -> Draft:
    said = answer.as_draft()
    mine = Draft.objects.filter(annotator=by, item_id=slot.item_id, round=slot.round)
    there = mine.select_for_update().first()
    if there is None:
        there, is_new = Draft.objects.get_or_create(
            annotator=by, item_id=slot.item_id, round=slot.round, defaults={"answer": said, "saved_at": Now()}
        )
        if is_new:
            there.refresh_from_db(fields=["saved_at"])
            return there
    if there.answer == said:  # the same ticks twice are no conflict
        return there
    if version_of(there) != seen:
        theirs = {**there.answer, "saved_at": there.saved_at}
        raise Stale(_(ELSEWHERE), theirs=theirs, mine=said, version=version_of(there))
    mine.update(answer=said, saved_at=Now())
    there.refresh_from_db()
    return there


def draft_of(slot: Assignment, *, by: User) -> Draft | None:
    if getattr(slot, "has_draft", True) is False:  # known since the lease: no query for what is not there
        return None
    return Draft.objects.filter(annotator=by, item_id=slot.item_id, round=slot.round).first()


def drop_draft(slot: Assignment, by: User) -> None:
    Draft.objects.filter(annotator=by, item_id=slot.item_id, round=slot.round).delete()


def version_of(draft: Draft | None) -> str:
    """Changes with every other saving; nothing about anyone can be read from it."""
    if draft is None:
        return NOTHING_SEEN
    said = json.dumps([draft.saved_at.isoformat(), draft.answer], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


# ---- all of a person's ---------------------------------------------------------------------------------------------
class Standing(StrEnum):
    """Where the page of a draft is now."""

    HELD = "held"  # this person has it open
    FREE = "free"  # they can take it up again
    AWAY = "away"  # it went to others or waits no more; the ticks are only to be read


def of_person(person: User, project: Project) -> QuerySet[Draft]:
    """Everything this person has begun here."""
    return Draft.objects.filter(annotator=person, item__project=project).select_related("item__project")


def kept_by(person: User, project: Project) -> QuerySet[Draft]:
    """This person's drafts here, newest first, with what `standing` asks."""
    moment = Now()
    same = Assignment.objects.filter(item=OuterRef("item"), round=OuterRef("round"), item__state=ItemState.ACTIVE)
    free = _fit(Assignment.objects.open_to(person, now=moment), person, project).filter(
        item=OuterRef("item"), round=OuterRef("round"), item__state=ItemState.ACTIVE
    )
    found = Draft.objects.filter(annotator=person, item__project=project).select_related("item")
    return found.annotate(
        is_held=Exists(same.filter(annotator=person, state=State.LEASED, available_at__gt=moment)),
        is_free=Exists(free),
    ).order_by("-saved_at", "-pk")


def standing(draft: Draft) -> Standing:
    """Of a draft that `kept_by` found."""
    if draft.is_held:  # type: ignore[attr-defined]  # annotated by kept_by
        return Standing.HELD
    return Standing.FREE if draft.is_free else Standing.AWAY  # type: ignore[attr-defined]


def _fit(slots: Any, person: User, project: Project) -> Any:
    """Slots for everybody or for this person; those kept for adjudicators are theirs alone."""
    adjudicates = Membership.objects.filter(user=person, project=project, role=Role.ADJUDICATOR)
    for_them = slots.filter(Q(assigned_to=None) | Q(assigned_to=person))
    return for_them.filter(~Q(purpose=Purpose.RESERVED) | Q(Exists(adjudicates)))


def throw_away(draft: Draft) -> None:
    Draft.objects.filter(pk=draft.pk).delete()


# ---- going on -------------------------------------------------------------------------------------------------------
def go_on(draft: Draft, *, by: User, now: Moment | None = None) -> Assignment:
    """Lease exactly the page of this draft. What this person has open goes back to everyone, its ticks kept.

    Raises Refused when the page cannot be given to them now; they then keep what they have open.
    """
    try:
        return _go_on(draft, by, now)
    except IntegrityError:  # the same person in two tabs at once: one of them won, and has a page
        raise Refused(_("Another of your tabs took a page at this moment. Look there, then try again.")) from None


@transaction.atomic
def _go_on(draft: Draft, by: User, now: Moment | None) -> Assignment:
    project = draft.item.project
    terms = desks.terms(project, by, now=now)
    if terms.hangs_on_answers:
        desks.alone(by)
    wish = offers.Wish(project, by, now or Now(), terms)
    held = offers.held(wish)
    if held is not None and (held.item_id, held.round) == (draft.item_id, draft.round):
        return queue.renew(held, by=by, now=now)
    if wish.terms.refusal is not None:
        raise Refused(wish.terms.refusal.sentence)
    if held is not None:
        queue.release(held, by=by, now=now)
    taken = offers.take_these(wish, item=draft.item_id, round=draft.round)
    if not taken or desks.now_other(terms, project, by, now=now):
        raise Refused(_(GONE))
    slot = offers.held(wish)
    if slot is None:
        raise Refused(_(GONE))
    if slot.taken_from_id is not None:
        lost_leases.remember_take_over(slot, loser_id=slot.taken_from_id)
    return slot


# ---- in words -------------------------------------------------------------------------------------------------------
def in_words(answer: dict[str, Any], names: dict[str, str]) -> str:
    """The ticks as one line: "Games yes, News unsure". A label nobody knows any more goes by its key."""
    said = [_("%(name)s yes") % {"name": names.get(key, key)} for key in _keys(answer.get("yes"))]
    said += [_("%(name)s unsure") % {"name": names.get(key, key)} for key in _keys(answer.get("unsure"))]
    return ", ".join(said) or (_("None of these") if answer.get("none") else _("Nothing ticked yet"))


def _keys(value: Sequence[str] | None) -> Sequence[str]:
    return value or ()
