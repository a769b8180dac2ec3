"""Asking before deciding, accepting together, re-opening, and what annotators see of it: by page, without scripts."""

import pytest

from labeling import adjudication, consensus, outcomes
from labeling.models import Acceptance, Adjudication, AuditPick, Draw, Purpose, Selection, SentBack, Stream
from tests.factories import make_judgment, make_member
from tests.labeling.resolution.conftest import judged
from tests.labeling.resolution.test_acceptances import accept
from tests.labeling.resolution.test_adjudication import BOTH, decide

pytestmark = pytest.mark.django_db
WORK = "/p/pages/adjudicate/"


@pytest.fixture
def browser(browser_of, adjudicator):
    return browser_of(adjudicator)


@pytest.fixture
def alice(project):
    return make_member(project, "annotator", name="alice")


@pytest.fixture
def answered(project, disputed, alice):
    """The disputed page, on which Alice answered as well."""
    make_judgment(disputed, alice, yes=["games"], note="It is about chess.", active_seconds=95, confidence="low")
    consensus.refresh(disputed, project=project)
    return disputed


def form(page, person, **more):
    given = page.judgments.get(rater__user=person)
    return {"version": adjudication.case_of(page).version, "judgment": given.pk, "message": "Read on."} | more


def text(response):
    return response.content.decode()


def test_the_page_shows_time_confidence_and_notes_and_no_name(browser, answered):
    shown = text(browser.get(WORK))
    assert "low confidence" in shown
    assert "It is about chess." in shown
    assert "2 minutes" in shown or "1 minute" in shown or "95" in shown
    assert "alice" not in shown


def test_the_page_says_why_it_waits(browser, answered):
    assert "3 of 4 say Games" in text(browser.get(WORK)) or "1 of 4 say News" in text(browser.get(WORK))


def test_accept_takes_what_most_said_on_the_labels_left(browser, disputed):
    seen = adjudication.case_of(disputed).version
    sent = {"version": seen, "label.news": "yes", "cause": "overlooked", "accept": "1"}
    assert browser.post(f"{WORK}{disputed.public_id}/decide/", sent).status_code == 302
    assert Adjudication.objects.get().verdicts == {"games": "yes", "news": "yes"}


def test_an_answer_goes_back_and_its_giver_reads_the_message(browser, browser_of, answered, alice):
    response = browser.post(f"{WORK}{answered.public_id}/send-back/", form(answered, alice), follow=True)
    assert "Sent back." in text(response)
    assert "Read on." in text(browser_of(alice).get("/p/pages/mine/"))


def test_what_was_typed_stays_when_the_page_changed_meanwhile(browser, answered, alice):
    sent = form(answered, alice, version="old", message="Kept words.")
    response = browser.post(f"{WORK}{answered.public_id}/send-back/", sent)
    assert response.status_code == 412
    assert "Kept words." in text(response)
    assert not SentBack.objects.exists()


@pytest.mark.parametrize("judgment", ["", "x", "99999999999999999999", "-1", "0"])
def test_an_answer_that_is_none_is_said(browser, answered, alice, judgment):
    response = browser.post(f"{WORK}{answered.public_id}/send-back/", form(answered, alice, judgment=judgment))
    assert response.status_code == 422
    assert "Choose one of the answers" in text(response)


def test_one_more_is_asked(browser, answered, alice):
    make_member(answered.project, "annotator")
    seen = {"version": adjudication.case_of(answered).version}
    response = browser.post(f"{WORK}{answered.public_id}/ask-one-more/", seen, follow=True)
    assert "One more person is asked." in text(response)
    assert answered.assignments.get().purpose == Purpose.ADDED


def test_pages_all_agree_on_are_accepted_together(browser, project, adjudicator):
    judged(project, ["games"], ["games"])
    assert "All agree on 1 page" in text(browser.get(f"{WORK}accept/"))
    assert browser.post(f"{WORK}accept/start/", {"percent": "7,5"}).status_code == 302
    assert Acceptance.objects.get().audit_share == pytest.approx(0.075)


@pytest.mark.parametrize("percent", ["", "many", "-1", "101", "nan", "inf"])
def test_a_percentage_that_is_none_is_said_and_kept(browser, project, percent):
    judged(project, ["games"], ["games"])
    response = browser.post(f"{WORK}accept/start/", {"percent": percent})
    assert response.status_code == 422
    assert not Acceptance.objects.exists()


def test_a_drawn_page_is_decided_unseen_and_its_report_says_where_all_were_wrong(browser, project, adjudicator):
    page = judged(project, ["games"], ["games"])
    accept(project, adjudicator, share=1.0)
    shown = text(browser.get(WORK))
    assert "Drawn by chance" in shown
    assert 'class="vote ' not in shown
    assert "All agree" not in shown
    sent = {"version": adjudication.case_of(page).version} | {
        f"label.{k}": "no" for k in ("games", "news", "self_harm")
    }
    assert browser.post(f"{WORK}{page.public_id}/decide/", sent).status_code == 302
    assert AuditPick.objects.get().adjudication.cause == ""
    assert "1 of 1 decided otherwise" in text(browser.get(f"{WORK}accept/"))


def test_the_page_of_an_item_tells_each_step_and_reopens(browser_of, manager, disputed, adjudicator):
    decide(disputed, adjudicator, BOTH, note="Chess is a game.")
    browser, where = browser_of(manager), f"/p/pages/items/{disputed.public_id}/"
    shown = text(browser.get(where))
    assert "Games: not decided → yes" in shown
    assert "Chess is a game." in shown
    assert browser.post(f"{WORK}{disputed.public_id}/reopen/", {"note": "Look again."}).status_code == 302
    shown = text(browser.get(where))
    assert "Games: yes → not decided" in shown
    assert "Look again." in shown
    assert not Adjudication.objects.in_force().exists()


def test_whoever_answered_sees_what_was_decided_and_not_by_whom(browser_of, answered, adjudicator, alice):
    decide(answered, adjudicator, {"games": "no", "news": "no"}, note="Chess is a sport here.")
    shown = text(browser_of(alice).get("/p/pages/mine/"))
    assert "Games: no, and you said yes" in shown
    assert "Chess is a sport here." in shown
    assert adjudicator.username not in shown


def test_nobody_is_told_what_is_right_on_a_page_of_a_sample(project, answered, adjudicator, alice):
    decide(answered, adjudicator, {"games": "no", "news": "no"})
    assert len(outcomes.of(project, alice, most=5)) == 1
    draw = Draw.objects.create(project=project, number=1, seed="s", size=1, frame_size=1, overlap=2)
    Selection.objects.create(item=answered, stream=Stream.GOLD, draw=draw, probability=1.0)
    assert outcomes.of(project, alice, most=5) == []
