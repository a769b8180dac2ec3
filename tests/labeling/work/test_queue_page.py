"""The page and the call on which a manager sees the queue: leases, pages set aside, how far people are."""

import pytest
from django.test import Client

from labeling import judging, projects, queue, slots
from labeling.models import Assignment, Desk, Draft, Membership, Selection, State
from labeling.models.work import Purpose
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db
NEWS = judging.Answer(yes=("news",))


@pytest.fixture
def project():
    project = make_project(overlap={"default": 3}, skip_policy="aside", quota_per_day=9)
    items = [make_item(project, f"https://p{n}.example.org/") for n in range(2)]
    slots.open_up(project, [Selection.objects.create(item=item, stream="import") for item in items], overlap=3)
    return project


@pytest.fixture
def anna(project):
    return make_member(project, "annotator", name="anna")


@pytest.fixture
def client(project):
    client = Client()
    client.force_login(make_member(project, "manager", name="maria"))
    return client


def shown(client, project):
    answer = client.get(f"/p/{project.slug}/queue/")
    assert answer.status_code == 200
    return answer.content.decode()


def told(client, project):
    return client.get(f"/api/v1/projects/{project.slug}/queue/").json()


def test_an_empty_queue_says_so(client, project):
    page = shown(client, project)
    assert "2 pages wait for an answer; nobody holds one now." in page
    assert "Nobody answers pages here yet." in page


def test_a_lease_is_shown_with_its_holder_and_taken_back_with_a_button(client, project, anna):
    slot = queue.lease_next(project, annotator=anna)
    judging.save_draft(slot, by=anna, answer=NEWS)
    page = shown(client, project)
    assert f'action="/p/{project.slug}/queue/{slot.pk}/clear/"' in page
    assert slot.item.url_display.removeprefix("https://") in page
    (lease,) = told(client, project)["leases"]
    assert (lease["id"], lease["username"], lease["item"]) == (slot.pk, "anna", slot.item.public_id)
    for _ in range(2):  # the second press finds nobody
        assert client.post(f"/p/{project.slug}/queue/{slot.pk}/clear/").status_code == 302
    slot.refresh_from_db()
    assert (slot.state, slot.annotator) == (State.OPEN, None)
    assert Draft.objects.filter(annotator=anna).exists()


def test_a_lease_is_taken_back_by_the_api(client, project, anna):
    slot = queue.lease_next(project, annotator=anna)
    path = f"/api/v1/projects/{project.slug}/queue/leases/{slot.pk}/clear/"
    assert client.post(path).status_code == client.post(path).status_code == 204
    assert not told(client, project)["leases"]
    assert client.post(f"/api/v1/projects/{make_project().slug}/queue/leases/{slot.pk}/clear/").status_code == 404


def test_pages_set_aside_are_listed_with_their_reason_and_put_back(client, project, anna):
    slot = queue.lease_next(project, annotator=anna)
    judging.skip(slot, by=anna, reason="technical")
    page = shown(client, project)
    assert "1 is set aside for you" in page
    assert "The page is shown wrongly" in page
    (aside,) = told(client, project)["set_aside"]
    assert (aside["item"], aside["reason"], aside["skips"]) == (slot.item.public_id, "technical", 1)
    answer = client.post(
        f"/p/{project.slug}/queue/pages/put-back/", {"item": slot.item.public_id, "from": "queue"}, follow=True
    )
    assert "1 page is in the queue again." in answer.content.decode()
    assert not told(client, project)["set_aside"]


def test_how_far_people_are_what_is_left_and_who_is_paused(client, project, anna):
    judging.submit(queue.lease_next(project, annotator=anna), by=anna, answer=NEWS)
    ben = make_member(project, "annotator", name="ben")
    Membership.objects.filter(user=ben).update(quota_total=5)
    Desk.objects.create(
        project=project, user=ben, paused_at="2030-01-01T00:00Z", pause_reason="manager", pause_detail="On leave."
    )
    Assignment.objects.filter(pk=Assignment.objects.filter(state=State.OPEN).first().pk).update(assigned_to=ben)
    first, second = told(client, project)["people"]
    assert (first["username"], first["answered_today"], first["left_today"], first["left"]) == ("anna", 1, 8, None)
    assert (second["left_today"], second["left"], second["put_by"]) == (9, 5, 1)
    assert second["paused_at"] == "2030-01-01T00:00:00Z"
    assert "paused since 1 Jan, 00:00: On leave." in shown(client, project)


def test_what_a_lower_number_left_standing_is_listed_as_such(client, project, anna):
    people = [anna, *(make_member(project, "annotator") for _ in range(2))]
    item = queue.lease_next(project, annotator=people[0]).item
    Assignment.objects.filter(item=item).update(priority=9)
    for person in people[1:]:
        judging.submit(queue.lease_next(project, annotator=person), by=person, answer=NEWS)
    assert told(client, project)["beyond_overlap"] == []
    projects.change(project, {"overlap": 1}, by=None)
    assert told(client, project)["beyond_overlap"] == [{"item": item.public_id, "overlap": 1, "leased": 1, "done": 2}]
    assert "More answers than asked now" in shown(client, project)


def test_which_pages_are_checks_is_not_told(client, project, anna):
    slot = queue.lease_next(project, annotator=anna)
    before = told(client, project)
    Assignment.objects.filter(pk=slot.pk).update(purpose=Purpose.HONEYPOT)
    assert told(client, project) == before
