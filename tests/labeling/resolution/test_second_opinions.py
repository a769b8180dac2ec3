"""Before deciding, an adjudicator may ask whoever answered once more, or one more person."""

import pytest

from labeling import adjudication, consensus, judging, own_work, queue, returned, second_opinions, slots
from labeling.answers import Answer
from labeling.models import Consensus, Event, Judgment, Purpose, Selection, Stream
from labeling.refusals import Forbidden, Refused, Stale, Unacceptable
from tests.factories import make_item, make_judgment, make_member
from tests.labeling.resolution.test_adjudication import decide, line

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(project):
    return make_member(project, "annotator", name="alice")


@pytest.fixture
def bob(project):
    return make_member(project, "annotator", name="bob")


@pytest.fixture
def page(project, alice, bob):
    item = make_item(project, title="Chess for all")
    queue_slots(project, item)
    answer(project, alice, yes=["games"])
    answer(project, bob, yes=[])
    return item


def queue_slots(project, item):
    slots.open_up(project, [Selection.objects.create(item=item, stream=Stream.IMPORT)], overlap=2)


def answer(project, person, *, yes):
    slot = queue.lease_next(project, annotator=person)
    return judging.submit(slot, by=person, answer=Answer(yes=tuple(yes), none=not yes))


def send_back(page, by, person, message="Look at the second paragraph.", seen=None):
    given = Judgment.objects.votes().get(item=page, rater__user=person)
    seen = seen or adjudication.case_of(page).version
    return second_opinions.send_back(page, by=by, judgment_id=given.pk, message=message, seen_version=seen)


def ask(page, by):
    return second_opinions.ask_one_more(page, by=by, seen_version=adjudication.case_of(page).version)


# ---- sent back ------------------------------------------------------------------------------------------------------
def test_an_answer_sent_back_waits_for_whoever_gave_it_and_for_nobody_else(project, page, adjudicator, alice, bob):
    send_back(page, adjudicator, alice)
    assert [slot.item for slot in returned.pages(project, alice)] == [page]
    assert list(returned.pages(project, bob)) == []
    assert queue.lease_next(project, annotator=bob) is None
    slot = queue.lease_next(project, annotator=alice)
    assert (slot.purpose, slot.asked) == (Purpose.REJUDGE, ["games"])


def test_the_page_leaves_the_line_until_it_is_answered_again(project, page, adjudicator, alice):
    send_back(page, adjudicator, alice)
    assert line(project, adjudicator) == []
    answer(project, alice, yes=[])
    assert line(project, adjudicator) == [page]


def test_the_second_answer_is_no_vote_and_changes_the_version(project, page, adjudicator, alice):
    before = adjudication.case_of(page)
    send_back(page, adjudicator, alice)
    answer(project, alice, yes=[])
    after = adjudication.case_of(page)
    assert after.labels["games"] == before.labels["games"]
    assert after.version != before.version
    assert Judgment.objects.votes().filter(item=page).count() == 2


def test_the_first_answer_can_be_changed_no_more(project, page, adjudicator, alice):
    send_back(page, adjudicator, alice)
    first = Judgment.objects.votes().get(item=page, rater__user=alice)
    with pytest.raises(Refused, match="sent back"):
        judging.revise(first, by=alice, answer=Answer(none=True))
    assert first not in own_work.revisable(project, alice)


def test_the_trail_holds_who_was_asked_what_and_why(page, adjudicator, alice):
    sent = send_back(page, adjudicator, alice)
    event = Event.objects.get(kind="adjudication.sent_back")
    assert (event.actor, event.data["message"]) == (adjudicator, "Look at the second paragraph.")
    assert event.data["judgment"] == sent.judgment_id


def test_an_answer_is_sent_back_once_and_only_with_a_word(page, adjudicator, alice):
    with pytest.raises(Unacceptable, match="few words"):
        send_back(page, adjudicator, alice, message="  ")
    send_back(page, adjudicator, alice)
    with pytest.raises(Refused, match="once already"):
        send_back(page, adjudicator, alice)


def test_an_answer_nobody_here_gave_cannot_be_sent_back(project, page, adjudicator):
    imported = make_judgment(page, "w1", yes=["news"])
    consensus.refresh(page, project=project)
    seen = adjudication.case_of(page).version
    with pytest.raises(Refused, match="cannot be asked again"):
        second_opinions.send_back(page, by=adjudicator, judgment_id=imported.pk, message="Why?", seen_version=seen)


def test_nothing_is_asked_about_a_page_that_changed_meanwhile_or_was_answered_by_oneself(project, page, alice):
    with pytest.raises(Stale):
        send_back(page, make_member(project, "adjudicator"), alice, seen="old")
    both = make_member(project, "adjudicator", "annotator")
    make_judgment(page, both)
    consensus.refresh(page, project=project)
    with pytest.raises(Forbidden):
        send_back(page, both, alice)


def test_a_decision_ends_the_wait(project, page, adjudicator, alice):
    send_back(page, adjudicator, alice)
    decide(page, adjudicator, {"games": "yes"})
    assert list(returned.pages(project, alice)) == []


# ---- one more -------------------------------------------------------------------------------------------------------
def test_one_more_person_is_asked_and_the_page_waits_for_them(project, page, adjudicator):
    carol = make_member(project, "annotator")
    ask(page, adjudicator)
    assert line(project, adjudicator) == []
    answer(project, carol, yes=["games"])
    assert line(project, adjudicator) == [page]
    assert Consensus.objects.get(item=page).labels["games"]["yes"] == 2


def test_nobody_left_to_ask_is_said(page, adjudicator):
    with pytest.raises(Refused, match="Nobody is left"):
        ask(page, adjudicator)


def test_nobody_is_asked_about_a_decided_page(page, adjudicator):
    decide(page, adjudicator, {"games": "yes"})
    with pytest.raises(Refused, match="re-open"):
        ask(page, adjudicator)


def test_a_page_whose_answers_were_brought_along_can_be_asked_of_somebody(project, disputed, adjudicator, alice):
    ask(disputed, adjudicator)
    assert queue.lease_next(project, annotator=alice).item == disputed
