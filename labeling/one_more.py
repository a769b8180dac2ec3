"""One more person for a page whose answers leave it in doubt, and for some that seem settled, drawn by chance.

Once everyone asked has answered, the policy of quality/overlap.py says whether a page is settled, worth one more
answer, or a person's to decide. Slots added here have purposes of their own: the number of people that every page is
asked of does not count them, and agreement leaves them out. Nothing else tells them from other slots.
"""

import secrets
from collections.abc import Collection

import numpy as np
from django.db.models import Exists, OuterRef

from labeling import schemas, standards
from labeling.fits import Fitted
from labeling.models import Assignment, Membership, OpenedCase, Project, Purpose, Role, Selection, Skip, State
from labeling.models.work import ASKED_OF_ALL, COUNTED, HELD, ONE_MORE
from labeling.quality.overlap import Collected, Plan, Policy, Reason, Step, plan
from labeling.sampling import draws
from labeling.tallies import AGREED, DISPUTED, Tally

FIRST_ADDED_SLOT = 1_001  # in its round: no number of people a page has comes near
NEVER_CLEAR = 1e-9  # a limit that leaves every page open, so that the budget alone ends it
UNKNOWN = 0.5


# ---- whether one is wanted ------------------------------------------------------------------------------------------
def wanted(
    project: Project, schema: schemas.Schema, fit: Fitted | None, said: Tally, *, raters: Collection[int],
    public_id: str, is_drawn: bool, spends: bool = False,
) -> str:  # fmt: skip
    """What for, "" when none is: of one page that everyone asked has answered and nobody has decided.

    said: its votes as they stand; raters: who gave them. `spends`: a budget is being spent, on any page in doubt.
    """
    if said.state not in {AGREED, DISPUTED} or not said.labels or 2 * said.n_not_assessable >= said.n_judgments:
        return ""
    policy = policy_of(project, schema, list(said.labels), is_drawn=is_drawn, spends=spends)
    confirmed = standards.confirmed_in(project, schema, fit)
    is_known = fit is not None and fit.known.issuperset(raters)
    found = _planned(said, policy, confirmed, is_known=is_known, audited=is_audited(project, public_id))
    if found.step[0] != Step.ONE_MORE:
        return ""
    if found.reason[0] == Reason.AUDIT:
        return Purpose.AUDIT
    return Purpose.ADDED if spends or project.overlap_budget is None else ""


def policy_of(
    project: Project, schema: schemas.Schema, keys: list[str], *, is_drawn: bool, spends: bool = False
) -> Policy:
    """What the settings come to. Every page has its first answers already, however many those were."""
    labels = {label.key: label for label in schema.asked}
    stop = [NEVER_CLEAR if spends else standards.stop_of(project, labels[key], is_drawn=is_drawn) for key in keys]
    severity = [float(labels[key].severity or 1) for key in keys]
    return Policy(np.array(stop), np.array(severity), start=1, most=project.overlap_most)


def is_audited(project: Project, public_id: str) -> bool:
    """Whether chance drew the page to be asked of one more when it seems settled: the same answer at any time."""
    return bool(draws.permanent_number(audit_seed(project), public_id) < project.audit_share * 2**draws.U_BITS)


def audit_seed(project: Project) -> str:
    """Its line end is in no seed of a sample, so that audits are independent of what was drawn."""
    return f"audit of agreed pages\n{project.slug}"


def _planned(said: Tally, policy: Policy, confirmed: Collection[str], *, is_known: bool, audited: bool) -> Plan:
    rows = said.labels.values()
    chances = [UNKNOWN if row["probability"] is None else row["probability"] for row in rows]
    seen = Collected(
        p=np.array([chances], dtype=np.float64),
        n_judgments=np.array([said.n_judgments]),
        n_answers=np.array([[row["yes"] + row["no"] for row in rows]]),
        n_yes=np.array([[row["yes"] for row in rows]]),
        is_known=np.array([is_known]),
        is_drawn_for_audit=np.array([audited]),
    )
    return plan(seen, policy, confirm_yes=np.array([key in confirmed for key in said.labels], dtype=bool))


# ---- opening it -----------------------------------------------------------------------------------------------------
def open_slot(project: Project, item_id: int, *, purpose: str) -> Assignment | None:
    """One more slot in the last round the page was asked in; the caller holds its lock.

    None where nobody is left to be asked, where a slot still waits, where as many as the project allows have had it,
    and for a second audit of one page.
    """
    slots = list(Assignment.objects.filter(item=item_id, purpose__in=COUNTED).order_by("round", "slot"))
    turns = [slot for slot in slots if slot.purpose in ASKED_OF_ALL and not _is_gone(slot)] or slots
    if not turns or any(slot.state in {State.OPEN, State.LEASED} for slot in slots):
        return None
    like = turns[-1]
    same = [slot for slot in slots if slot.round == like.round]
    if sum(slot.state in HELD for slot in same) >= project.overlap_most:
        return None
    if purpose == Purpose.AUDIT and any(slot.purpose == Purpose.AUDIT for slot in slots):
        return None
    if not _anyone_left(project, item_id, like.round):
        return None
    added = [slot.slot for slot in same if slot.purpose in ONE_MORE]
    return Assignment.objects.create(
        project=project, item_id=item_id, purpose=purpose, round=like.round, asked=like.asked,
        slot=max(added, default=FIRST_ADDED_SLOT - 1) + 1, selection_id=like.selection_id,
        snapshot_id=like.snapshot_id, priority=like.priority, shuffle=secrets.randbits(62),
    )  # fmt: skip


def _is_gone(slot: Assignment) -> bool:
    return slot.state == State.WITHDRAWN and slot.is_surplus


def _anyone_left(project: Project, item_id: int, turn: int) -> bool:
    """Whether somebody may still answer the page in this round; else it would wait for ever."""
    people = Membership.objects.filter(
        project=project, role__in=[Role.ANNOTATOR, Role.ADJUDICATOR], user__is_active=True
    )
    had = Assignment.objects.filter(item=item_id, annotator=OuterRef("user"), state__in=HELD)
    passed = Skip.objects.filter(item=item_id, round=turn, annotator=OuterRef("user"))
    knows = OpenedCase.objects.filter(item=item_id, person=OuterRef("user"))
    return people.exclude(Exists(had)).exclude(Exists(passed)).exclude(Exists(knows)).exists()


def stream_of(slot: Assignment) -> str:
    return Selection.objects.values_list("stream", flat=True).get(pk=slot.selection_id)
