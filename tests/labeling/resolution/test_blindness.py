"""Settling disagreements leaks into no one's own judging: who saw the votes is not asked, who is asked sees none."""

import pytest

from labeling import adjudication, consensus, judging, queue, schemas, slots, waiting_reasons
from labeling.adjudication import Decision
from labeling.models import Assignment, Draw, OpenedCase, Selection, State, Stream
from labeling.refusals import Forbidden, Refused, Stale
from tests.factories import make_assignment, make_item, make_judgment, make_member
from tests.labeling.resolution.conftest import judged

pytestmark = pytest.mark.django_db
BOTH = {"games": "yes", "news": "no"}
CONSENSUS = "/api/v1/projects/pages/consensus/"


def decide(item, by, *, seen=None):
    seen = seen or adjudication.case_of(item).version
    return adjudication.decide(item, by=by, decision=Decision(BOTH, "overlooked"), seen_version=seen)


def draw_for_gold(item, *, overlap=2):
    draw = Draw.objects.create(project=item.project, number=1, seed="s", frame_sha256="0" * 64, frame_size=1, size=1)
    drawn = Selection.objects.create(item=item, stream=Stream.GOLD, draw=draw, probability=1.0)
    slots.open_up(item.project, [drawn], overlap=overlap)


def api_address(item):
    return f"/api/v1/projects/pages/items/{item.public_id}/adjudication/"


def page_address(item):
    return f"/p/pages/adjudicate/{item.public_id}/"


@pytest.fixture
def drawn(project, disputed, adjudicator):
    """A page that was decided, then drawn for gold; the first of two has answered it blind, with a note."""
    decide(disputed, adjudicator)
    draw_for_gold(disputed)
    first = make_member(project, "annotator")
    slot = queue.lease_next(project, annotator=first)
    judging.submit(slot, by=first, answer=judging.Answer(yes=("games",), note="Chess is a game."))
    return disputed


# ---- while people still answer --------------------------------------------------------------------------------------
def test_a_page_people_still_answer_shows_no_vote_although_it_was_decided_before(drawn):
    with pytest.raises(Refused, match="People are still answering this page"):
        adjudication.case_of(drawn)


def test_neither_page_nor_api_shows_the_first_blind_answer(browser_of, api_of, other_adjudicator, drawn):
    page = browser_of(other_adjudicator).get(page_address(drawn))
    assert page.status_code == 409 and "Chess is a game." not in page.content.decode()
    response = api_of(other_adjudicator).get(api_address(drawn))
    assert response.status_code == 409 and "labels" not in response.json()


def test_nobody_decides_a_page_people_still_answer(drawn, other_adjudicator):
    with pytest.raises(Refused, match="still answering"):
        decide(drawn, other_adjudicator, seen="anything")


def test_once_all_have_answered_it_can_be_opened_again(project, drawn, other_adjudicator):
    last = make_member(project, "annotator")
    judging.submit(queue.lease_next(project, annotator=last), by=last, answer=judging.Answer(yes=("games",)))
    assert adjudication.open_case(drawn, by=other_adjudicator).conflict == ["games", "news"]


# ---- who answered it ------------------------------------------------------------------------------------------------
def test_who_answered_a_page_cannot_look_at_its_votes(browser_of, api_of, project, disputed):
    both = make_member(project, "annotator", "adjudicator")
    make_judgment(disputed, both, yes=["games"])
    consensus.refresh(disputed, project=project)
    assert browser_of(both).get(page_address(disputed)).status_code == 403
    assert api_of(both).get(api_address(disputed)).status_code == 403
    assert not OpenedCase.objects.exists()


def test_who_has_a_page_open_to_answer_it_cannot_look_at_its_votes(project, disputed):
    both = make_member(project, "annotator", "adjudicator")
    make_assignment(project, disputed, purpose="honeypot", leased_to=both, expires_at="2099-01-01T00:00Z")
    with pytest.raises(Forbidden, match="You have this page open"):
        adjudication.open_case(disputed, by=both)
    assert not adjudication.queue(project, adjudicator=both).exists()


# ---- who saw the votes ----------------------------------------------------------------------------------------------
def open_page(browser_of, api_of, person, item):
    assert browser_of(person).get(page_address(item)).status_code == 200


def open_line(browser_of, api_of, person, item):
    assert browser_of(person).get("/p/pages/adjudicate/").context["case"]


def open_api(browser_of, api_of, person, item):
    assert api_of(person).get(api_address(item)).status_code == 200


def open_queue(browser_of, api_of, person, item):
    assert api_of(person).get("/api/v1/projects/pages/adjudications/queue/").json()["results"]


@pytest.mark.parametrize("look", [open_page, open_line, open_api, open_queue])
def test_who_opened_a_dispute_is_never_given_that_page(
    browser_of, api_of, project, disputed, adjudicator, other_adjudicator, look
):
    look(browser_of, api_of, adjudicator, disputed)
    draw_for_gold(disputed)
    assert queue.lease_next(project, annotator=adjudicator) is None
    assert queue.lease_next(project, annotator=other_adjudicator).item == disputed


def test_who_decided_a_page_is_never_given_it(project, drawn, adjudicator, other_adjudicator):
    assert queue.lease_next(project, annotator=adjudicator) is None
    assert queue.lease_next(project, annotator=other_adjudicator).item == drawn


def test_a_refusal_that_shows_what_others_decided_counts_as_having_opened_the_page(
    project, disputed, adjudicator, other_adjudicator
):
    decide(disputed, adjudicator)
    with pytest.raises(Stale):
        decide(disputed, other_adjudicator, seen="guessed")
    draw_for_gold(disputed)
    assert queue.lease_next(project, annotator=other_adjudicator) is None


def test_a_late_answer_of_someone_who_saw_the_votes_meanwhile_takes_no_slot(project, disputed, other_adjudicator):
    draw_for_gold(disputed)
    slot = queue.lease_next(project, annotator=other_adjudicator)
    queue.release(slot, by=other_adjudicator)
    OpenedCase.objects.create(item=disputed, person=other_adjudicator)
    with pytest.raises(Refused, match="went to someone else"):
        judging.submit(Assignment.objects.get(pk=slot.pk), by=other_adjudicator, answer=judging.Answer(none=True))


def test_opening_a_page_twice_is_remembered_once(disputed, adjudicator):
    for _ in range(2):
        adjudication.open_case(disputed, by=adjudicator)
    assert OpenedCase.objects.count() == 1


# ---- consensus over the API -----------------------------------------------------------------------------------------
def test_who_may_be_given_pages_sees_no_counts_of_a_page_that_waits(api_of, project, adjudicator):
    item = make_item(project)
    slots.open_up(project, [Selection.objects.create(item=item, stream=Stream.IMPORT)], overlap=2)
    first = make_member(project, "annotator")
    judging.submit(queue.lease_next(project, annotator=first), by=first, answer=judging.Answer(yes=("news",)))
    assert api_of(adjudicator).get(CONSENSUS).json()["results"] == []
    assert api_of(make_member(project, "adjudicator", "manager")).get(CONSENSUS).json()["results"] == []
    assert api_of(make_member(project, "manager")).get(CONSENSUS).json()["results"]


@pytest.mark.parametrize("state", [State.OPEN, State.LEASED])
def test_nor_of_a_finished_page_that_can_still_be_given_out_for_another_purpose(
    api_of, project, disputed, adjudicator, state
):
    someone = make_member(project, "annotator") if state == State.LEASED else None
    make_assignment(project, disputed, purpose="honeypot", state=state, annotator=someone, round=2)
    assert api_of(adjudicator).get(CONSENSUS).json()["results"] == []
    assert api_of(adjudicator).get(f"{CONSENSUS}?state=adjudicated").json()["results"] == []


# ---- half could not judge -------------------------------------------------------------------------------------------
@pytest.fixture
def tied(project):
    page = judged(project, [])
    make_judgment(page, "w9", outcome="not_assessable", asked=[])
    consensus.refresh(page, project=project)
    return page


def test_a_page_half_could_not_judge_waits_for_a_decision_on_every_label(project, adjudicator, tied):
    (row,) = adjudication.queue(project, adjudicator=adjudicator)
    (case,) = adjudication.open_cases([row], by=adjudicator)
    assert case.conflict == ["games", "news", "self_harm"]
    assert waiting_reasons.reason(case, schemas.in_force(project)) == "1 of 2 could not judge this page."


def test_and_can_be_decided(project, adjudicator, tied):
    seen = adjudication.open_case(tied, by=adjudicator).version
    verdicts = dict.fromkeys(("games", "news", "self_harm"), "no")
    adjudication.decide(tied, by=adjudicator, decision=Decision(verdicts, "two_readings"), seen_version=seen)
    tied.consensus.refresh_from_db()
    assert tied.consensus.state == "adjudicated"


def test_one_more_person_who_could_not_judge_it_makes_it_another_version(project, adjudicator):
    page = judged(project, ["news"], [], [])
    seen = adjudication.open_case(page, by=adjudicator).version
    make_judgment(page, "w9", outcome="not_assessable", asked=[])
    consensus.refresh(page, project=project)
    assert adjudication.case_of(page).version != seen
