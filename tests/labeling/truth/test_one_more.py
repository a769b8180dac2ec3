"""One more person where answers leave doubt: when, how many, of whom, and that nobody can tell."""

import pytest

from labeling import budgets, consensus, fits, judging, one_more, projects, queue, refits, slots
from labeling.models import Assignment, Consensus, Dispute, Event, Label, Selection, State
from tests.factories import make_item, make_member, make_project
from tests.labeling.truth.crowd import GOOD, POOR, crowd, decide

pytestmark = pytest.mark.django_db
NEWS, NONE = judging.Answer(yes=("news",)), judging.Answer(none=True)


@pytest.fixture
def project():
    return make_project(adaptive=True, audit_share=0.0)


@pytest.fixture
def team(project):
    return [make_member(project, "annotator") for _ in range(5)]


def opened(project, n=1, *, stream="import", **fields):
    """Pages asked of two people each."""
    items = [make_item(project) for _ in range(n)]
    chosen = [Selection.objects.create(item=item, stream=stream, **fields) for item in items]
    slots.open_up(project, chosen, overlap=2)
    return items


def answers(project, people, *said):
    for person, answer in zip(people, said, strict=False):
        slot = queue.lease_next(project, annotator=person)
        assert slot is not None, "nothing to be had"
        judging.submit(slot, by=person, answer=answer)


def added(item):
    return list(Assignment.objects.filter(item=item, purpose__in=["added", "audit"]).values_list("purpose", "state"))


def state(item):
    return Consensus.objects.get(item=item).state


def test_a_page_on_which_two_differ_waits_for_a_third(project, team):
    [page] = opened(project)
    answers(project, team, NEWS, NONE)
    assert (state(page), added(page)) == ("pending", [("added", "open")])
    assert not Dispute.objects.exists()


def test_where_it_is_off_they_are_in_dispute(team, project):
    project = projects.change(project, {"adaptive": False}, by=None)
    [page] = opened(project)
    answers(project, team, NEWS, NONE)
    assert (state(page), added(page)) == ("disputed", [])


def test_a_page_on_which_two_agree_is_done(project, team):
    [page] = opened(project)
    answers(project, team, NEWS, NEWS)
    assert (state(page), added(page)) == ("agreed", [])


def test_it_goes_on_to_the_most_and_then_a_person_decides(project, team):
    project = projects.change(project, {"overlap_most": 4}, by=None)
    [page] = opened(project)
    answers(project, team, NEWS, NONE, NONE, NEWS)
    assert (state(page), added(page)) == ("disputed", [("added", "done")] * 2)
    assert Consensus.objects.get(item=page).n_judgments == 4


def test_what_is_not_unanimous_stays_a_dispute_when_it_is_clear_enough(project, team):
    [page] = opened(project)
    answers(project, team, NEWS, NONE, NONE, NONE)  # 1 of 4: an error of .25 is below .3
    assert (state(page), len(added(page))) == ("disputed", 2)


def test_nobody_is_asked_twice_and_where_nobody_is_left_it_is_in_dispute(project, team):
    for person in team[2:]:
        person.memberships.all().delete()
    [page] = opened(project)
    answers(project, team, NEWS, NONE)
    assert (state(page), added(page)) == ("disputed", [])


def test_whoever_saw_the_votes_is_not_counted_on(project, team):
    from labeling.models import OpenedCase

    for person in team[3:]:
        person.memberships.all().delete()
    [page] = opened(project)
    OpenedCase.objects.create(item=page, person=team[2])
    answers(project, team, NEWS, NONE)
    assert state(page) == "disputed"


def test_an_added_slot_is_not_among_those_that_every_page_is_asked_of(project, team):
    [page] = opened(project)
    answers(project, team, NEWS, NONE)
    work = Assignment.objects.filter(item=page, purpose="work")
    assert work.count() == project.overlap_for("import") == 2
    slot = queue.lease_next(project, annotator=team[2])
    assert (slot.purpose, slot.round) == ("added", 1)
    queue.release(slot, by=team[2])
    project = projects.change(project, {"overlap": {"default": 3}}, by=None)
    assert work.count() == 2  # the page was done with those it was asked of


def test_a_revision_that_leaves_doubt_asks_one_more(project, team):
    [page] = opened(project)
    answers(project, team, NEWS, NEWS)
    first = page.judgments.current().first()
    judging.revise(first, by=first.rater.user, answer=NONE)
    assert (state(page), len(added(page))) == ("pending", 1)


def test_a_page_that_half_could_not_judge_goes_to_a_person(project, team):
    [page] = opened(project)
    judging.not_assessable(queue.lease_next(project, annotator=team[0]), by=team[0], reason="dead")
    answers(project, team[1:], NEWS)
    assert (state(page), added(page)) == ("disputed", [])


def test_all_unsure_is_worth_one_more(project, team):
    [page] = opened(project)
    unsure = judging.Answer(unsure=("news",))
    answers(project, team, unsure, unsure)
    assert added(page) == [("added", "open")]


# ---- audits ---------------------------------------------------------------------------------------------------------
def test_a_settled_page_that_chance_drew_gets_one_more_once(project, team):
    project = projects.change(project, {"audit_share": 1.0}, by=None)
    [page] = opened(project)
    answers(project, team, NEWS, NEWS)
    assert (state(page), added(page)) == ("pending", [("audit", "open")])
    answers(project, team[2:], NEWS)
    assert (state(page), added(page)) == ("agreed", [("audit", "done")])


def test_an_audit_that_contradicts_leaves_doubt_like_any_answer(project, team):
    project = projects.change(project, {"audit_share": 1.0}, by=None)
    [page] = opened(project)
    answers(project, team, NEWS, NEWS, NONE)
    assert added(page) == [("audit", "done"), ("added", "open")]


def test_chance_draws_the_share_and_draws_the_same_again(project):
    project.audit_share = 0.05
    drawn = [number for number in range(4_000) if one_more.is_audited(project, f"{number:032x}")]
    assert 150 <= len(drawn) <= 250
    assert drawn == [number for number in range(4_000) if one_more.is_audited(project, f"{number:032x}")]


# ---- with a fit -----------------------------------------------------------------------------------------------------
TRIO = {"ann": GOOD, "ben": GOOD, "cat": POOR}


def known(project, people, skills):
    """Pages that taught who these people are."""
    from labeling.models import Rater

    for person, code in zip(people, skills, strict=False):
        Rater.objects.create(project=project, user=person, code=code)
    crowd(project, 60, skills)
    refits.spread(project, refits.make(project))


def test_two_known_for_errors_are_doubted_although_they_agree(project, team):
    known(project, team, {"ann": POOR, "ben": POOR, "cat": GOOD, "dan": GOOD})
    project = projects.change(project, {"stop_error": 0.1}, by=None)
    [page] = opened(project)
    answers(project, team, NEWS, NEWS)
    assert (state(page), added(page)) == ("pending", [("added", "open")])


def test_without_more_people_such_an_agreement_goes_to_a_person(project, team):
    known(project, team, {"ann": POOR, "ben": POOR, "cat": GOOD})
    project = projects.change(project, {"stop_error": 0.1, "adaptive": False}, by=None)
    [page] = opened(project)
    answers(project, team, NEWS, NEWS)
    row = Consensus.objects.get(item=page)
    assert row.is_calibrated and row.labels["news"]["state"] == "disputed" and row.labels["news"]["verdict"] is None
    assert 0.5 < row.labels["news"]["probability"] < 0.9


def test_grave_labels_and_samples_have_limits_of_their_own(project):
    label = Label(key="self_harm", severity=4)
    of = lambda label, drawn: one_more.standards.stop_of(project, label, is_drawn=drawn)  # noqa: E731
    assert [of(Label(key="news"), False), of(Label(key="news"), True), of(label, False)] == [0.3, 0.2, 0.1]


# ---- a budget -------------------------------------------------------------------------------------------------------
def test_with_a_budget_answers_add_nothing_and_the_job_spends_it_on_the_worst(project, team):
    project = projects.change(project, {"overlap_budget": 2.5}, by=None)
    pages = opened(project, 4)
    for person in team[:2]:
        while (slot := queue.lease_next(project, annotator=person)) is not None:
            differs = person == team[1] and slot.item in pages[:2]
            judging.submit(slot, by=person, answer=NONE if differs else NEWS)
    assert [state(page) for page in pages] == ["disputed", "disputed", "agreed", "agreed"]
    assert budgets.unspent(project) == 2
    assert budgets.spend(project) == 2
    assert [state(page) for page in pages] == ["pending", "pending", "agreed", "agreed"]
    assert budgets.unspent(project) == 0 and budgets.spend(project) == 0


def test_pages_a_refit_throws_into_doubt_are_asked_again_but_not_those_decided(project, team):
    project = projects.change(project, {"adaptive": False}, by=None)
    pages = opened(project, 2)
    for person, answer in zip(team, (NEWS, NONE), strict=False):
        for _ in pages:
            answers(project, [person], answer)
    decide(project, pages[:1], [[False, True, False]])
    project = projects.change(project, {"adaptive": True}, by=None)
    assert budgets.spend(project) == 1
    assert [state(page) for page in pages] == ["adjudicated", "pending"]


def test_switched_off_what_nobody_took_leaves_the_queue(project, team):
    pages = opened(project, 2)
    for person, answer in zip(team, (NEWS, NONE), strict=False):
        for _ in pages:
            answers(project, [person], answer)
    held = queue.lease_next(project, annotator=team[2])
    projects.change(project, {"adaptive": False}, by=make_member(project, "manager"))
    kept, gone = (held.item, next(page for page in pages if page != held.item))
    assert (state(kept), state(gone)) == ("pending", "disputed")
    assert Assignment.objects.get(item=gone, purpose="added").state == State.WITHDRAWN
    judging.submit(queue.slot_of(team[2], held.pk), by=team[2], answer=NEWS)
    assert state(kept) == "disputed"
    assert Event.objects.filter(kind="project.changed").exists()


def test_a_draw_takes_the_place_of_a_slot_that_was_added(project, team):
    [page] = opened(project)
    answers(project, team, NEWS, NONE)
    slots.withdraw_open_work([page.pk])
    assert added(page) == [("added", "withdrawn")]


def test_a_fit_changes_nothing_that_is_counted_by_votes_alone(project):
    crowd(project, 5, TRIO)
    assert fits.in_force(project) is None
    assert not Consensus.objects.filter(is_calibrated=True).exists()
    consensus.refresh_many([], project=project)
