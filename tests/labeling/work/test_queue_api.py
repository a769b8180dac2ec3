import json
from datetime import datetime, timedelta

import pytest
from django.db.models.functions import Now
from rest_framework.test import APIClient

from labeling import queue, slots
from labeling.models import Assignment, Draft, IdempotencyKey, Judgment, Selection, State
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project(slug="pages")


@pytest.fixture
def alice(project):
    return make_member(project, "annotator")


@pytest.fixture
def bob(project):
    return make_member(project, "annotator")


def client_of(person) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_login(person)
    return client


@pytest.fixture
def api(alice):
    return client_of(alice)


@pytest.fixture
def pages(project):
    items = [make_item(project, f"https://site{n}.example.org/a?pupil=7", text="words") for n in range(3)]
    slots.open_up(project, [Selection.objects.create(item=item, stream="import") for item in items], overlap=1)
    return items


def lease(api):
    return api.post("/api/v1/projects/pages/next/").json()


def test_next_leases_a_page_with_its_labels(api, pages):
    body = lease(api)
    assert body["assignment"]["asked"] == ["games", "news", "self_harm"]
    assert body["item"]["text"] == "words" and body["draft"] is None
    assert Assignment.objects.filter(state=State.LEASED).count() == 1


def test_people_who_judge_never_see_stream_state_or_the_query_of_an_address(api, pages):
    item = lease(api)["item"]
    assert not {"stream", "state"} & set(item)
    assert "pupil" not in json.dumps(item)


def test_nothing_left_is_a_sentence_not_an_error(api, project):
    response = api.post("/api/v1/projects/pages/next/")
    assert response.status_code == 200
    assert response.json()["assignment"] is None and response.json()["reason"].endswith(".")


def test_a_judgment_answers_201_with_verdicts_and_the_next_page(api, pages):
    slot = lease(api)["assignment"]["id"]
    response = api.post(f"/api/v1/assignments/{slot}/judgment/?next=true", {"yes": ["news"], "active_seconds": 3.2})
    assert response.status_code == 201
    body = response.json()
    assert body["judgment"]["verdicts"] == {"games": "no", "news": "yes", "self_harm": "no"}
    assert body["next"]["assignment"]["id"] != slot


def test_an_empty_answer_without_none_is_422_with_a_pointer(api, pages):
    slot = lease(api)["assignment"]["id"]
    response = api.post(f"/api/v1/assignments/{slot}/judgment/", {})
    assert response.status_code == 422 and response["Content-Type"] == "application/problem+json"
    assert response.json()["errors"] == [{"pointer": "/yes", "detail": "Choose at least one label, or None of these."}]


def test_the_same_key_twice_is_one_judgment_and_the_same_answer(api, pages):
    slot = lease(api)["assignment"]["id"]
    send = {"path": f"/api/v1/assignments/{slot}/judgment/", "data": {"none": True}, "HTTP_IDEMPOTENCY_KEY": "k1"}
    first, second = api.post(**send), api.post(**send)
    assert first.json() == second.json() and second["Idempotency-Replayed"] == "true"
    assert Judgment.objects.count() == 1


def test_the_same_key_with_another_body_is_422(api, pages):
    slot = lease(api)["assignment"]["id"]
    path = f"/api/v1/assignments/{slot}/judgment/"
    api.post(path, {"none": True}, HTTP_IDEMPOTENCY_KEY="k1")
    assert api.post(path, {"yes": ["news"]}, HTTP_IDEMPOTENCY_KEY="k1").status_code == 422
    assert Judgment.objects.get().verdicts["news"] == "no"


def test_keys_of_two_people_are_independent(api, bob, pages):
    first = lease(api)["assignment"]["id"]
    other = client_of(bob)
    second = lease(other)["assignment"]["id"]
    api.post(f"/api/v1/assignments/{first}/judgment/", {"none": True}, HTTP_IDEMPOTENCY_KEY="k1")
    response = other.post(f"/api/v1/assignments/{second}/judgment/", {"none": True}, HTTP_IDEMPOTENCY_KEY="k1")
    assert response.status_code == 201 and Judgment.objects.count() == 2


def test_a_call_under_way_answers_409_to_its_copy(api, alice, pages):
    slot = lease(api)["assignment"]["id"]
    path = f"/api/v1/assignments/{slot}/judgment/"
    api.post(path, {"none": True}, HTTP_IDEMPOTENCY_KEY="k1")
    IdempotencyKey.objects.update(status=None)
    assert api.post(path, {"none": True}, HTTP_IDEMPOTENCY_KEY="k1").status_code == 409


def test_a_lost_lease_is_409_and_the_answer_is_kept_as_the_draft(api, bob, pages, project):
    slot = lease(api)["assignment"]["id"]
    Assignment.objects.exclude(pk=slot).update(state=State.WITHDRAWN, available_at=None)
    Assignment.objects.filter(pk=slot).update(available_at="2020-01-01T00:00Z")
    assert queue.lease_next(project, annotator=bob).pk == slot
    response = api.post(f"/api/v1/assignments/{slot}/judgment/", {"yes": ["news"]})
    assert response.status_code == 409 and "went to someone else" in response.json()["detail"]
    assert Draft.objects.get().answer["yes"] == ["news"]


def test_a_draft_is_accepted_even_after_the_lease_is_lost(api, bob, pages, project):
    slot = lease(api)["assignment"]["id"]
    Assignment.objects.exclude(pk=slot).update(state=State.WITHDRAWN, available_at=None)
    Assignment.objects.filter(pk=slot).update(available_at="2020-01-01T00:00Z")
    assert queue.lease_next(project, annotator=bob).pk == slot
    response = api.put(f"/api/v1/assignments/{slot}/draft/", {"yes": ["games"]})
    assert response.status_code == 200 and response.json()["yes"] == ["games"]


def test_somebody_elses_slot_is_not_found(api, bob, pages):
    slot = lease(client_of(bob))["assignment"]["id"]
    for call, path in (
        ("post", "judgment"),
        ("put", "draft"),
        ("post", "skip"),
        ("post", "renew"),
        ("post", "release"),
    ):
        assert getattr(api, call)(f"/api/v1/assignments/{slot}/{path}/", {"none": True}).status_code == 404


def test_skipping_passes_the_page_on(api, bob, pages):
    slot = lease(api)["assignment"]["id"]
    assert api.post(f"/api/v1/assignments/{slot}/skip/", {}).status_code == 204
    assert lease(api)["assignment"]["id"] != slot


def test_not_assessable_wants_one_of_its_reasons(api, pages):
    slot = lease(api)["assignment"]["id"]
    path = f"/api/v1/assignments/{slot}/skip/"
    assert api.post(path, {"not_assessable": True, "reason": "rather_not"}).status_code == 422
    assert api.post(path, {"not_assessable": True, "reason": "dead"}).status_code == 204
    assert Judgment.objects.get().outcome == "not_assessable"


def test_renew_answers_with_a_later_end(api, pages, project):
    slot = lease(api)["assignment"]["id"]
    leased = Assignment.objects.filter(pk=slot)
    leased.update(available_at=Now() + timedelta(seconds=30))
    nearly_over = leased.get().available_at
    answer = api.post(f"/api/v1/assignments/{slot}/renew/").json()["assignment"]
    end = datetime.fromisoformat(answer["lease_expires_at"])
    assert end == leased.get().available_at
    assert end > nearly_over + timedelta(seconds=project.lease_seconds - 60)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "NaN",
        '{"yes": ["news"], "yes": []}',
        '{"yes": "news"}',
        '{"yes": [1]}',
        '{"yes": ["\\u0000"]}',
        "{" * 9999,
    ],
)
def test_bodies_that_are_not_an_answer_are_4xx(api, pages, body):
    slot = lease(api)["assignment"]["id"]
    response = api.post(f"/api/v1/assignments/{slot}/judgment/", body, content_type="application/json")
    assert 400 <= response.status_code < 500
    assert not Judgment.objects.exists()


def test_another_content_type_is_415(api, pages):
    slot = lease(api)["assignment"]["id"]
    response = api.post(f"/api/v1/assignments/{slot}/judgment/", "yes=news", content_type="text/plain")
    assert response.status_code == 415


def test_an_unknown_query_parameter_is_400(api, pages):
    assert api.post("/api/v1/projects/pages/next/?annotator=2").status_code == 400


def test_the_annotator_is_taken_from_the_session_never_from_the_body(api, alice, bob, pages):
    slot = lease(api)["assignment"]["id"]
    api.post(f"/api/v1/assignments/{slot}/judgment/", {"none": True, "annotator": bob.pk})
    assert Judgment.objects.get().rater.user == alice


def test_a_viewer_may_not_claim_and_an_outsider_finds_nothing(project, pages):
    assert client_of(make_member(project, "viewer")).post("/api/v1/projects/pages/next/").status_code == 403
    outsider = make_member(make_project(), "annotator")
    assert client_of(outsider).post("/api/v1/projects/pages/next/").status_code == 404
    assert APIClient().post("/api/v1/projects/pages/next/").status_code == 401
