"""The pool of pages whose answer is known, and that it shares no page with evaluation samples."""

import pytest

from labeling import consensus, honeypots, invariants, queue, samples
from labeling.models import Assignment, Event, Honeypot, Judgment, OpenedCase, State, Stream
from labeling.refusals import Refused, Unacceptable
from tests.factories import make_item, make_judgment
from tests.labeling.gold.work import decide, draw
from tests.labeling.known.pool import KNOWN, known_page, queue_pages

pytestmark = pytest.mark.django_db


def settled_item(project, **answer):
    item = make_item(project)
    make_judgment(item, "first", **answer)
    make_judgment(item, "second", **answer)
    consensus.refresh(item, project=project)
    return item


def test_what_two_people_agreed_on_becomes_the_known_answer(project, boss):
    made = honeypots.add(settled_item(project, yes=["games"]), by=boss, explanation=" It sells a game. ")
    assert made.verdicts == KNOWN
    assert made.explanation == "It sells a game."
    assert Event.objects.get(kind="honeypot.added").data["verdicts"] == KNOWN


def test_what_an_adjudicator_decided_becomes_the_known_answer(project, boss, alice):
    item = make_item(project)
    make_judgment(item, "first", yes=["games"])
    make_judgment(item, "second")
    consensus.refresh(item, project=project)
    decide(item, by=alice, games="yes")
    assert honeypots.add(item, by=boss).verdicts == KNOWN


def test_one_persons_answer_is_not_known(project, boss):
    item = make_item(project)
    make_judgment(item, "only", yes=["games"])
    consensus.refresh(item, project=project)
    with pytest.raises(Refused, match="not settled"):
        honeypots.add(item, by=boss)


def test_a_label_decided_as_unsure_is_not_scored(project, boss, alice):
    item = make_item(project)
    make_judgment(item, "first", yes=["games"])
    make_judgment(item, "second")
    consensus.refresh(item, project=project)
    decide(item, by=alice, games="unsure")
    assert honeypots.add(item, by=boss).verdicts == {"news": "no", "self_harm": "no"}


def test_a_manager_may_say_what_is_right_on_some_labels_alone(project, boss):
    made = honeypots.add(make_item(project), by=boss, verdicts={"news": "yes"})
    assert made.verdicts == {"news": "yes"}


@pytest.mark.parametrize(
    ("verdicts", "where"),
    [({"weather": "yes"}, "/verdicts/weather"), ({"news": "unsure"}, "/verdicts/news"), ({}, "/verdicts")],
)
def test_what_cannot_be_known_is_refused_at_its_place(project, boss, verdicts, where):
    with pytest.raises(Unacceptable) as refused:
        honeypots.add(make_item(project), by=boss, verdicts=verdicts)
    assert refused.value.errors[0]["pointer"] == where


def test_a_page_is_in_the_pool_once(project, boss):
    made = known_page(project)
    with pytest.raises(Refused, match="already"):
        honeypots.add(made.item, by=boss, verdicts=KNOWN)


def test_a_page_that_left_the_pool_may_come_back(project, boss):
    made = known_page(project)
    honeypots.retire(made, by=boss)
    again = honeypots.add(made.item, by=boss, verdicts={"news": "yes"})
    assert (again.pk, again.retired_at, again.verdicts) == (made.pk, None, {"news": "yes"})


def test_nobody_is_asked_about_a_page_of_the_pool_as_work(project, alice, boss):
    queue_pages(project, 1)
    item = project.items.get()
    honeypots.add(item, by=boss, verdicts=KNOWN)
    assert queue.lease_next(project, annotator=alice) is None


def test_whoever_says_what_is_right_is_never_given_the_page(project, boss):
    made = honeypots.add(make_item(project), by=boss, verdicts=KNOWN)
    assert OpenedCase.objects.filter(item=made.item, person=boss).exists()


# ---- apart from gold ------------------------------------------------------------------------------------------------
def test_a_page_of_a_sample_is_refused(project, boss):
    item = make_item(project)
    draw(project, size=1)
    with pytest.raises(Refused, match="evaluation sample"):
        honeypots.add(item, by=boss, verdicts=KNOWN)


def test_a_draw_takes_its_pages_out_of_the_pool(project, boss):
    pool = [known_page(project) for _ in range(6)]
    made = samples.draw(project, samples.checked(project, size=3), by=boss)
    drawn = set(made.selections.values_list("item", flat=True))
    left = set(Honeypot.objects.in_use().values_list("item", flat=True))
    assert left == {one.item_id for one in pool} - drawn
    told = Event.objects.filter(kind="honeypot.retired")
    assert {event.data["why"] for event in told} == {"drawn for sample 1"}


def test_a_draw_withdraws_the_probe_that_waited(project, alice, boss):
    known = known_page(project)
    waiting = Assignment.objects.create(
        project=project, item=known.item, purpose="honeypot", round=10_000, slot=1, assigned_to=alice, shuffle=1,
        selection=known.item.selections.create(stream=Stream.IMPORT),
    )  # fmt: skip
    draw(project, size=1)
    waiting.refresh_from_db()
    assert waiting.state == State.WITHDRAWN
    assert queue.lease_next(project, annotator=alice).selection.stream == Stream.GOLD


def test_the_check_finds_a_page_that_is_both(project):
    made = known_page(project)
    draw(project, size=1)
    assert [one.id for one in invariants.findings() if not one.is_kept] == []
    Honeypot.objects.filter(pk=made.pk).update(retired_at=None)
    broken = [one for one in invariants.findings() if not one.is_kept]
    assert [(one.id, one.n_breaches) for one in broken] == [("known", 1)]


def test_the_check_finds_an_answer_about_a_person_among_the_votes(project, alice):
    project.honeypot_share = 1.0
    known_page(project)
    queue_pages(project, 2)
    slot = queue.lease_next(project, annotator=alice)
    make_judgment(slot.item, alice, assignment=slot, round=slot.round)
    Assignment.objects.filter(pk=slot.pk).update(state=State.DONE, available_at=None)
    broken = {one.id for one in invariants.findings() if not one.is_kept}
    assert "known" in broken
    assert Judgment.objects.votes().count() == 1
