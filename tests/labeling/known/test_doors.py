"""Pages and endpoints of quality: what managers manage, what a person sees of themself."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from labeling import honeypots, pauses, queue
from labeling.models import Adjudication, Assignment, Desk, Honeypot, Judgment, Membership, OpenedCase, Purpose
from tests.factories import make_item, make_judgment, make_user
from tests.labeling.gold.work import draw
from tests.labeling.known.pool import KNOWN, NONE, given, known_page, known_pages, queue_pages

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(boss) -> Client:
    client = Client()
    client.force_login(boss)
    return client


@pytest.fixture
def own(alice) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def api(boss) -> APIClient:
    client = APIClient()
    client.force_login(boss)
    return client


def text(response) -> str:
    return " ".join(response.content.decode().split())


# ---- the pool -------------------------------------------------------------------------------------------------------
def test_a_manager_adds_a_page_by_its_address_and_says_what_is_right(project, page):
    item = make_item(project, "https://games.example.org/")
    sent = {"item": "games.example.org", "verdict.games": "yes", "others_are_no": "on", "explanation": "It sells one."}
    item_by_id = {**sent, "item": item.public_id}
    assert page.post(f"/p/{project.slug}/quality/pages/add/", item_by_id).status_code == 302
    assert Honeypot.objects.get().verdicts == KNOWN


def test_a_page_that_is_not_here_is_named_at_the_field_with_what_was_typed_kept(project, page):
    sent = {"item": "https://nowhere.example.org/", "explanation": "Kept text"}
    answer = page.post(f"/p/{project.slug}/quality/pages/add/", sent)
    assert answer.status_code == 422
    assert "no such page" in text(answer)
    assert "Kept text" in text(answer)


@pytest.mark.parametrize("typed", ["", "no address", "\x00", "https://", "ftp://a.example.org/", "x" * 5_000])
def test_whatever_is_typed_as_an_address_gets_a_sentence(project, page, typed):
    assert page.post(f"/p/{project.slug}/quality/pages/add/", {"item": typed}).status_code in {400, 422}


def test_a_page_of_a_sample_is_refused_with_the_reason(project, page):
    item = make_item(project)
    draw(project, size=1)
    answer = page.post(f"/p/{project.slug}/quality/pages/add/", {"item": item.public_id, "verdict.games": "yes"})
    assert answer.status_code == 409
    assert "evaluation sample" in text(answer)


def test_a_manager_changes_and_retires_a_page(project, page):
    known = known_page(project)
    url = f"/p/{project.slug}/quality/pages/{known.pk}/"
    assert "It sells a game." in text(page.get(url))
    page.post(url, {"explanation": "Look at the shop.", "is_onboarding": "on"})
    page.post(f"{url}retire/")
    known.refresh_from_db()
    assert (known.explanation, known.is_onboarding) == ("Look at the shop.", True)
    assert known.retired_at is not None
    assert "1 that left the pool" in text(page.get(f"/p/{project.slug}/quality/pages/"))


def test_the_settings_that_the_pool_cannot_meet_are_said_and_nobody_is_held_up(project, page):
    project.onboarding_pages, project.honeypot_share = 3, 0.1
    project.save()
    known_pages(project, 2, is_onboarding=True)
    shown = text(page.get(f"/p/{project.slug}/quality/"))
    assert "start with 3 pages with known answers, and the pool holds 2" in shown
    assert "the pool holds none" in shown
    assert "the pool holds 2" in text(page.get(f"/p/{project.slug}/settings/"))


def test_who_may_be_given_pages_sees_no_pool_by_any_door_whatever_else_they_are(project, page, api, boss):
    Membership.objects.create(project=project, user=boss, role="annotator")
    known = known_page(project)
    doors = (f"/p/{project.slug}/quality/pages/", f"/p/{project.slug}/quality/pages/{known.pk}/")
    assert [page.get(url).status_code for url in doors] == [403, 403]
    assert api.get(f"/api/v1/projects/{project.slug}/honeypots/").status_code == 403
    shown = page.get(f"/p/{project.slug}/quality/")
    assert shown.status_code == 200
    assert known.item.host not in text(shown)


def test_the_api_adds_lists_changes_and_retires(project, api):
    item = make_item(project)
    url = f"/api/v1/projects/{project.slug}/honeypots/"
    made = api.post(url, {"item": item.public_id, "verdicts": {"games": "yes"}, "onboarding": True}, format="json")
    assert made.status_code == 201
    assert made.json()["verdicts"] == {"games": "yes"}
    one = f"{url}{made.json()['id']}/"
    assert api.patch(one, {"explanation": "So."}, format="json").json()["explanation"] == "So."
    assert api.delete(one).status_code == 204
    assert [row["retired_at"] is None for row in api.get(url).json()["results"]] == [False]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 422),
        ({"item": "0" * 32}, 422),
        ({"item": "HERE"}, 409),
        ({"item": "HERE", "verdicts": {}}, 422),
        ({"item": "HERE", "verdicts": {"weather": "yes"}}, 422),
        ({"item": "HERE", "verdicts": {"games": "unsure"}}, 422),
        ({"item": "HERE", "verdicts": ["games"]}, 422),
        ({"item": "HERE", "verdicts": {"games": "yes"}, "explanation": "x" * 5_001}, 422),
        ({"item": ["HERE"]}, 422),
    ],
)
def test_a_body_that_cannot_be_taken_is_a_problem_with_its_sentence(project, api, sent, status):
    item = make_item(project)
    body = {name: item.public_id if value == "HERE" else value for name, value in sent.items()}
    answer = api.post(f"/api/v1/projects/{project.slug}/honeypots/", body, format="json")
    assert answer.status_code == status
    assert answer.json()["detail"]


# ---- people ---------------------------------------------------------------------------------------------------------
def test_managers_see_each_person_with_their_interval_by_name(project, page, alice, bob):
    project.honeypot_share = 1.0
    project.save()
    known_pages(project, 6)
    queue_pages(project, 20)
    list(given(project, bob, 6))
    shown = text(page.get(f"/p/{project.slug}/quality/"))
    assert shown.index("alice") < shown.index("bob")
    assert "0.50 (0.17 to 0.83)" in shown
    assert "no page with a known answer yet" in shown


def test_a_paused_person_is_let_go_on_with_one_click(project, page, alice, boss):
    pauses.pause(project, alice, by=boss, detail="Let us talk.")
    assert "Let us talk." in text(page.get(f"/p/{project.slug}/quality/"))
    page.post(f"/p/{project.slug}/quality/reinstate/{alice.pk}/")
    assert Desk.objects.get(user=alice).paused_at is None


def test_a_manager_pauses_by_hand_and_the_person_reads_why(project, page, own, alice):
    queue_pages(project, 2)
    sent = {"person": alice.pk, "detail": "The guideline changes today."}
    assert page.post(f"/p/{project.slug}/quality/pause/", sent).status_code == 302
    assert "The guideline changes today." in text(own.get(f"/p/{project.slug}/annotate/"))


def test_nobody_outside_the_project_can_be_paused(project, page):
    stranger = make_user()
    assert page.post(f"/p/{project.slug}/quality/pause/", {"person": stranger.pk}).status_code == 422
    assert page.post(f"/p/{project.slug}/quality/reinstate/{stranger.pk}/").status_code == 404
    assert page.post(f"/p/{project.slug}/quality/pause/", {"person": "x"}).status_code == 422


def test_the_api_says_how_people_do_and_pauses_and_lets_go_on(project, api, alice):
    url = f"/api/v1/projects/{project.slug}"
    paused = api.post(f"{url}/pauses/", {"username": "alice", "detail": "Let us talk."}, format="json")
    assert (paused.status_code, paused.json()["reason"]) == (201, "manager")
    assert api.post(f"{url}/pauses/", {"username": "alice"}, format="json").status_code == 409
    rows = api.get(f"{url}/quality/").json()["results"]
    assert rows[0]["paused"]["detail"] == "Let us talk."
    assert rows[0]["known"]["value"] is None
    assert rows[0]["known"]["reason"]
    assert api.delete(f"{url}/pauses/?username=alice").status_code == 204
    assert api.delete(f"{url}/pauses/?username=alice").status_code == 409
    assert api.delete(f"{url}/pauses/").status_code == 400
    assert api.post(f"{url}/pauses/", {"username": "nobody"}, format="json").status_code == 404


# ---- one's own ------------------------------------------------------------------------------------------------------
def mine(own, project) -> str:
    return text(own.get(f"/p/{project.slug}/mine/"))


def test_my_work_says_nothing_of_a_page_that_may_still_be_changed(project, own, alice):
    project.honeypot_share = 1.0
    known_page(project)
    queue_pages(project, 2)
    before = mine(own, project)
    list(given(project, alice, 1))
    assert "Pages whose answer was known" not in before + mine(own, project)
    client = APIClient()
    client.force_login(alice)
    body = client.get(f"/api/v1/projects/{project.slug}/quality/mine/").json()
    assert (body["known"]["n"], body["examples"], body["consistency"]) == (0, [], None)


def test_my_work_tells_afterwards_what_was_missed_and_why_and_the_page_is_never_given_again(project, own, alice, boss):
    project.honeypot_share = 1.0
    known = known_page(project, explanation="It sells a game.")
    queue_pages(project, 2)
    list(given(project, alice, 1))
    honeypots.retire(known, by=boss)
    shown = mine(own, project)
    assert "Right is Games: yes. It sells a game." in shown
    assert "0.50" in shown
    assert OpenedCase.objects.filter(item=known.item, person=alice).exists()


def test_what_was_told_to_a_person_makes_them_no_judge_of_it_in_a_later_sample(project, own, alice, bob, boss):
    known = known_page(project)
    make_judgment(known.item, alice, purpose=Purpose.HONEYPOT, round=10_000)
    honeypots.retire(known, by=boss)
    mine(own, project)
    draw(project, size=1, overlap=1)
    assert queue.lease_next(project, annotator=alice) is None
    assert queue.lease_next(project, annotator=bob).item == known.item


def test_my_work_says_how_often_i_agree_with_myself_once_the_second_answer_is_closed(project, own, alice, bob):
    item = make_item(project)
    old = timezone.now() - timedelta(days=30)
    make_judgment(item, alice, yes=["games"], submitted_at=old)
    Adjudication.objects.create(item=item, adjudicator=bob, schema=project.schema, verdicts=KNOWN, cause="overlooked")
    again = make_judgment(item, alice, purpose=Purpose.REPEAT, round=10_000)
    assert "The same page a second time" not in mine(own, project)
    late = make_item(project)
    make_judgment(late, alice, yes=["games"], submitted_at=old)
    Adjudication.objects.create(item=late, adjudicator=bob, schema=project.schema, verdicts=KNOWN, cause="overlooked")
    make_judgment(late, alice, purpose=Purpose.REPEAT, round=10_000, submitted_at=old + timedelta(days=8))
    shown = mine(own, project)
    assert "The same page a second time" in shown
    assert "on 1 page" not in shown
    assert again.purpose == "repeat"


# ---- what others are told -------------------------------------------------------------------------------------------
def test_the_export_of_answers_holds_none_that_is_about_a_person(project, api, alice):
    project.honeypot_share = 1.0
    known_page(project)
    queue_pages(project, 1)
    list(given(project, alice, 2, NONE))
    rows = api.get(f"/api/v1/projects/{project.slug}/judgments/").json()["results"]
    assert [row["purpose"] for row in rows] == ["work"]
    assert Judgment.objects.count() == 2


def test_an_adjudicator_reads_nothing_of_it_on_the_page_of_the_item(project, bob):
    """Who may be given pages as well sees how a page came to be asked: of a probe there is no word."""
    Membership.objects.filter(user=bob).update(role="adjudicator")
    project.honeypot_share = 1.0
    known = known_page(project)
    queue_pages(project, 1)
    assert queue.lease_next(project, annotator=bob).item == known.item
    client = Client()
    client.force_login(bob)
    shown = text(client.get(f"/p/{project.slug}/items/{known.item.public_id}/")).lower()
    assert not any(word in shown for word in ("honeypot", "known answer", "repeat", "about a person"))
    assert Assignment.objects.filter(purpose="honeypot").count() == 1
