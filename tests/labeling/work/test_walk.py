"""Any walk through a working day keeps every promise of the database: property test over interleaved steps."""

import random
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import islice

import pytest
from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from labeling import (
    budgets,
    fits,
    invariants,
    judging,
    places,
    projects,
    publishing,
    queue,
    refits,
    schemas,
    slots,
)
from labeling.models import Assignment, Judgment, Selection, State, User
from labeling.models.projects import SchemaVersion
from labeling.refusals import LeaseLost, Refused
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db
LABELS = ("games", "news", "self_harm")
answers = st.builds(
    judging.Answer,
    yes=st.sampled_from([(), ("games",), ("news",), ("games", "news")]),
    unsure=st.sampled_from([(), ("self_harm",)]),
    note=st.sampled_from(["", "a note"]),
).map(lambda answer: answer if answer.yes or answer.unsure else replace(answer, none=True))
people = st.integers(0, 2)
CHANCE = random.Random(1)


class WorkingDay(RuleBasedStateMachine):
    """Three annotators and a manager in one project. What each slot was asked for is looked up, never remembered."""

    slots_seen = Bundle("slots_seen")

    def __init__(self) -> None:
        super().__init__()
        fits.by_id.cache_clear()
        schemas.by_id.cache_clear()  # the walk before was undone, and its ids come again
        CHANCE.seed(1)
        self.undo = transaction.atomic()
        self.undo.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @initialize(n_items=st.integers(1, 3), overlap=st.integers(1, 3))
    def a_project(self, n_items: int, overlap: int) -> None:
        self.project = make_project(overlap={"default": overlap})
        self.manager = make_member(self.project, "manager")
        self.people = [make_member(self.project, "annotator") for _ in range(3)]
        self.ran_out: dict[int, set[int]] = defaultdict(set)
        projects.change(self.project, {"audit_share": 0.3, "overlap_most": 4}, by=None)
        self.project.refresh_from_db()
        chosen = [Selection.objects.create(item=make_item(self.project), stream="import") for _ in range(n_items)]
        slots.open_up(self.project, chosen, overlap=overlap)

    # ---- what annotators do
    @rule(target=slots_seen, person=people)
    def lease(self, person: int) -> tuple[int, int]:
        who = self.people[person]
        held = Assignment.objects.live_lease_of(who, now=Now()).first()
        slot = queue.lease_next(self.project, annotator=who)
        if slot is not None and held is None and not self.came_back(slot, who):
            taken = Assignment.objects.filter(
                item=slot.item, round=slot.round, purpose="work", state__in=[State.LEASED, State.DONE]
            )
            assert taken.count() <= self.project.overlap_for("import"), "granted beyond the number in force"
        return (person, slot.pk if slot else 0)

    def came_back(self, slot: Assignment, who: User) -> bool:
        """They held it until it ran out and nobody else wanted it: no new grant."""
        return slot.pk in self.ran_out.get(who.pk, set())

    @rule(seen=slots_seen, act=st.sampled_from([queue.renew, queue.release, judging.skip]))
    def keep_or_pass_on(self, seen: tuple[int, int], act: Callable[..., object]) -> None:
        who, slot = self.own(seen)
        if slot is not None:
            with suppress(Refused):
                act(slot, by=who)

    @rule(seen=slots_seen, answer=answers)
    def save_draft(self, seen: tuple[int, int], answer: judging.Answer) -> None:
        who, slot = self.own(seen)
        if slot is not None:
            judging.save_draft(slot, by=who, answer=answer)

    @rule(seen=slots_seen, answer=answers)
    def submit(self, seen: tuple[int, int], answer: judging.Answer) -> None:
        """Taken, or refused with what was ticked kept."""
        who, slot = self.own(seen)
        if slot is None:
            return
        try:
            with transaction.atomic():
                judging.submit(slot, by=who, answer=answer)
        except LeaseLost:
            judging.save_draft(slot, by=who, answer=answer)  # as the page does when its own was rolled back
        except Refused:
            pass

    def own(self, seen: tuple[int, int]) -> tuple[User, Assignment | None]:
        who = self.people[seen[0]]
        return who, queue.slot_of(who, seen[1])

    @rule(pick=st.integers(0, 10), answer=answers)
    def revise(self, pick: int, answer: judging.Answer) -> None:
        current = list(Judgment.objects.current().order_by("pk"))
        if current:
            judgment = current[pick % len(current)]
            with suppress(Refused):
                judging.revise(judgment, by=judgment.rater.user, answer=answer)

    # ---- what time and managers do
    @rule(pick=st.integers(0, 10))
    def a_lease_runs_out(self, pick: int) -> None:
        leased = list(Assignment.objects.filter(state=State.LEASED).order_by("pk"))
        if leased:
            slot = leased[pick % len(leased)]
            self.ran_out[slot.annotator_id].add(slot.pk)
            Assignment.objects.filter(pk=slot.pk).update(available_at=timezone.now() - timedelta(hours=1))

    @rule(overlap=st.integers(1, 3))
    def another_overlap(self, overlap: int) -> None:
        self.project = projects.change(self.project, {"overlap": {"default": overlap}}, by=self.manager)
        self.project.refresh_from_db()

    @rule(adaptive=st.booleans(), most=st.integers(1, 4))
    def more_people_in_doubt(self, adaptive: bool, most: int) -> None:
        self.project = projects.change(self.project, {"adaptive": adaptive, "overlap_most": most}, by=self.manager)
        self.project.refresh_from_db()

    @rule()
    def a_refit(self) -> None:
        with suppress(Refused):  # nobody has answered yet
            made = refits.make(self.project)
            refits.spread(self.project, made)
            budgets.spend(self.project)

    @rule(change=st.sampled_from(["new label", "retire", "new meaning", "same meaning"]))
    def another_schema(self, change: str) -> None:
        draft = publishing.draft_of(SchemaVersion.objects.filter(project=self.project).latest("number"))
        first, *others = draft.labels
        if change == "new label" and len(draft.labels) < 6:
            fresh = publishing.LabelDraft(f"extra_{len(draft.labels)}", "Extra")
            draft = replace(draft, labels=(*draft.labels, fresh))
        elif change == "retire" and others[0].retired is False:
            draft = replace(draft, labels=(first, replace(others[0], retired=True), *others[1:]))
        else:
            words = replace(first, definition=first.definition + "x", meaning_unchanged=change == "same meaning")
            draft = replace(draft, labels=(words, *others))
        publishing.publish(self.project, draft, by=self.manager)

    # ---- what must hold
    @invariant()
    def every_promise_is_kept(self) -> None:
        """All that `check_invariants` looks at, but for the tables themselves, which no step changes."""
        rows = [promise for promise in invariants.promises if promise.id != "catalogue"]
        assert [
            (promise.id, *islice(promise.check(), 2)) for promise in rows if any(True for _ in promise.check())
        ] == []

    @invariant()
    def nothing_is_to_be_had_beyond_the_number_in_force(self) -> None:
        work = Assignment.objects.filter(purpose="work")
        rounds = work.values("item", "round").order_by()
        for one in rounds.annotate(
            to_be_had=Count("pk", filter=Q(state=State.OPEN) | Q(state=State.LEASED, lapses=False))
        ):
            if one["to_be_had"]:
                same = work.filter(item=one["item"], round=one["round"])
                wanted = same.filter(state__in=[State.OPEN, State.LEASED, State.DONE]).exclude(lapses=True)
                assert wanted.count() <= self.project.overlap_for("import")

    @invariant()
    def one_more_is_one(self) -> None:
        """Of a page at most one slot that was added waits, and none goes beyond the most that ever was in force."""
        added = Assignment.objects.filter(purpose__in=["added", "audit"])
        for one in added.filter(state__in=[State.OPEN, State.LEASED]).values("item").annotate(n=Count("pk")).order_by():
            assert one["n"] == 1
        for one in added.exclude(state=State.WITHDRAWN).values("item", "round").annotate(n=Count("pk")).order_by():
            assert one["n"] <= 4

    @invariant()
    def nobody_answers_a_page_twice(self) -> None:
        current = list(Judgment.objects.current().values_list("item", "rater", "round"))
        assert len(current) == len(set(current))


QUICK, LONG = {"max_examples": 12, "stateful_step_count": 20}, {"max_examples": 150, "stateful_step_count": 40}


@pytest.mark.parametrize("extent", [QUICK, pytest.param(LONG, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_any_walk_through_a_working_day_keeps_every_promise(extent, monkeypatch):
    # A walk that fails must fail again when it is tried again: no chance of its own, no numbers of rows.
    monkeypatch.setattr(slots.secrets, "randbits", CHANCE.getrandbits)
    monkeypatch.setattr(places.secrets, "randbelow", CHANCE.randrange)
    monkeypatch.setattr(places, "factor_of", lambda desk, turn: 7)
    checks = settings(deadline=None, suppress_health_check=list(HealthCheck), **extent)
    run_state_machine_as_test(WorkingDay, settings=checks)
