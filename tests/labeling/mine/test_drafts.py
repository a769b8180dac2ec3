"""Drafts: saved over nobody's other ticks, listed in My work, and gone on with where the page is free."""

import re
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from labeling import drafts, invariants, items, judging, queue, slots
from labeling.answers import Answer
from labeling.models import Assignment, Draft, Item, Project, Selection, Skip, State, User
from labeling.refusals import LeaseLost, Refused, Stale
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db
GAMES, NEWS = Answer(yes=("games",)), Answer(unsure=("news",), note="a local paper")


@pytest.fixture
def project() -> Project:
    return make_project(slug="pages")


@pytest.fixture
def alice(project) -> User:
    return make_member(project, "annotator")


@pytest.fixture
def bob(project) -> User:
    return make_member(project, "annotator")


@pytest.fixture
def pages(project) -> list[Item]:
    found = [make_item(project) for _ in range(2)]
    slots.open_up(project, [Selection.objects.create(item=item, stream="import") for item in found], overlap=1)
    return found


def api_of(person):
    client = APIClient(raise_request_exception=False)
    client.force_login(person)
    return client


def begun(project, person, answer=GAMES) -> Assignment:
    """A page this person ticked and gave back."""
    slot = queue.lease_next(project, annotator=person)
    drafts.save_draft(slot, by=person, answer=answer)
    queue.release(slot, by=person)
    return slot


def standing_of(person, project):
    return [drafts.standing(draft) for draft in drafts.kept_by(person, project)]


# ---- a version --------------------------------------------------------------------------------------------------
def test_what_another_device_saved_is_not_overwritten(project, alice, pages):
    slot = queue.lease_next(project, annotator=alice)
    first = drafts.version_of(drafts.save_draft(slot, by=alice, answer=GAMES, seen=""))
    second = drafts.version_of(drafts.save_draft(slot, by=alice, answer=NEWS, seen=first))
    with pytest.raises(Stale) as stale:
        drafts.save_draft(slot, by=alice, answer=GAMES, seen=first)
    assert stale.value.extra["theirs"]["unsure"] == ["news"] and stale.value.extra["mine"]["yes"] == ["games"]
    assert Draft.objects.get().answer["unsure"] == ["news"]
    drafts.save_draft(slot, by=alice, answer=GAMES, seen=second)
    assert Draft.objects.get().answer["yes"] == ["games"]


def test_two_devices_that_both_saw_nothing_do_not_overwrite_each_other(project, alice, pages):
    slot = queue.lease_next(project, annotator=alice)
    drafts.save_draft(slot, by=alice, answer=GAMES, seen="")
    with pytest.raises(Stale):
        drafts.save_draft(slot, by=alice, answer=NEWS, seen="")
    assert drafts.save_draft(slot, by=alice, answer=GAMES, seen="").answer["yes"] == ["games"]


def test_a_draft_that_was_thrown_away_elsewhere_is_saved_anew(project, alice, pages):
    slot = queue.lease_next(project, annotator=alice)
    seen = drafts.version_of(drafts.save_draft(slot, by=alice, answer=GAMES))
    drafts.throw_away(Draft.objects.get())
    drafts.save_draft(slot, by=alice, answer=NEWS, seen=seen)
    assert Draft.objects.get().answer["unsure"] == ["news"]


def test_an_answer_to_a_lost_page_says_so_when_another_device_has_newer_ticks(project, alice, bob, pages):
    slot = queue.lease_next(project, annotator=alice)
    seen = drafts.version_of(drafts.save_draft(slot, by=alice, answer=GAMES))
    newer = drafts.version_of(drafts.save_draft(slot, by=alice, answer=NEWS, seen=seen))
    queue.release(slot, by=alice)
    for _ in pages:
        judging.submit(queue.lease_next(project, annotator=bob), by=bob, answer=Answer(none=True))
    lost = api_of(alice).post(
        f"/api/v1/assignments/{slot.pk}/judgment/", {"yes": ["self_harm"]}, headers={"If-Match": f'"{seen}"'}
    )
    said = lost.json()
    assert lost.status_code == 409 and said["version"] == newer
    assert (said["theirs"]["unsure"], said["mine"]["yes"]) == (["news"], ["self_harm"])
    assert Draft.objects.get().answer["unsure"] == ["news"]
    with pytest.raises(LeaseLost, match="Your ticks are kept"):
        judging.submit(slot, by=alice, answer=GAMES, seen=newer)
    assert Draft.objects.get().answer["yes"] == ["games"]


def test_over_the_api_the_tag_guards_the_draft(project, alice, pages):
    api, slot = api_of(alice), queue.lease_next(project, annotator=alice)
    path = f"/api/v1/assignments/{slot.pk}/draft/"
    first = api.put(path, {"yes": ["games"]}, headers={"If-None-Match": "*"})
    assert first.status_code == 200 and first["ETag"] == f'"{first.json()["version"]}"'
    assert api.put(path, {"yes": ["news"]}, headers={"If-None-Match": "*"}).status_code == 412
    second = api.put(path, {"unsure": ["news"]}, headers={"If-Match": first["ETag"]})
    late = api.put(path, {"yes": ["self_harm"]}, headers={"If-Match": first["ETag"]})
    assert late.status_code == 412 and late.json()["theirs"]["unsure"] == ["news"]
    assert late.json()["mine"]["yes"] == ["self_harm"] and f'"{late.json()["version"]}"' == second["ETag"]
    assert api.put(path, {"yes": ["self_harm"]}).status_code == 200  # who names no version replaces what is there
    given = api.post("/api/v1/projects/pages/next/").json()
    assert given["draft"]["yes"] == ["self_harm"] and given["draft"]["version"]


# ---- where the page is ----------------------------------------------------------------------------------------------
def test_a_draft_says_whether_its_page_is_held_free_or_away(project, alice, bob, pages):
    slot = queue.lease_next(project, annotator=alice)
    drafts.save_draft(slot, by=alice, answer=GAMES)
    assert standing_of(alice, project) == ["held"]
    queue.release(slot, by=alice)
    assert standing_of(alice, project) == ["free"]
    for _ in pages:
        judging.submit(queue.lease_next(project, annotator=bob), by=bob, answer=Answer(none=True))
    assert standing_of(alice, project) == ["away"]
    assert Draft.objects.get().answer["yes"] == ["games"]
    assert standing_of(bob, project) == []


@pytest.mark.parametrize("reason", ["taken out", "passed on", "put by for another", "kept for adjudicators"])
def test_a_page_that_may_not_be_given_to_me_is_away(project, alice, bob, pages, reason):
    slot = begun(project, alice)
    if reason == "taken out":
        items.archive(Item.objects.filter(pk=slot.item_id), project=project, by=bob)
    elif reason == "passed on":
        Skip.objects.create(item=slot.item, annotator=alice)
    elif reason == "put by for another":
        Assignment.objects.filter(pk=slot.pk).update(assigned_to=bob)
    else:
        Assignment.objects.filter(pk=slot.pk).update(purpose="reserved")
    assert standing_of(alice, project) == ["away"]
    with pytest.raises(Refused, match="Your ticks are kept"):
        drafts.go_on(Draft.objects.select_related("item__project").get(), by=alice)
    assert not Assignment.objects.filter(annotator=alice).exists()


# ---- going on -------------------------------------------------------------------------------------------------------
def test_going_on_leases_exactly_that_page_and_gives_the_open_one_back(project, alice, pages):
    slot = begun(project, alice)
    Assignment.objects.filter(pk=slot.pk).update(priority=-5)
    other = queue.lease_next(project, annotator=alice)
    assert other.item_id != slot.item_id
    drafts.save_draft(other, by=alice, answer=NEWS)
    given = drafts.go_on(Draft.objects.get(item=slot.item_id), by=alice)
    assert (given.pk, given.annotator) == (slot.pk, alice)
    other.refresh_from_db()
    assert (other.state, other.annotator) == (State.OPEN, None)
    assert Draft.objects.filter(annotator=alice).count() == 2
    assert queue.lease_next(project, annotator=alice) == slot


def test_going_on_with_the_page_one_holds_keeps_it_longer(project, alice, pages):
    now = timezone.now()
    slot = queue.lease_next(project, annotator=alice, now=now)
    drafts.save_draft(slot, by=alice, answer=GAMES)
    again = drafts.go_on(Draft.objects.get(), by=alice, now=now + timedelta(minutes=5))
    assert again == slot and again.available_at == now + timedelta(minutes=20)


def test_a_page_that_ran_out_in_anothers_hands_is_taken_over_and_that_is_remembered(project, alice, bob, pages):
    slot = begun(project, alice)
    Assignment.objects.exclude(pk=slot.pk).update(state=State.WITHDRAWN, available_at=None)
    assert queue.lease_next(project, annotator=bob) == slot
    with pytest.raises(Refused):
        drafts.go_on(Draft.objects.get(), by=alice)
    Assignment.objects.filter(pk=slot.pk).update(available_at=Now())
    assert drafts.go_on(Draft.objects.get(), by=alice) == slot
    assert slot.lost_leases.filter(annotator=bob).count() == 1
    assert [found.id for found in invariants.findings() if found.n_breaches] == []


def test_who_is_refused_keeps_the_page_at_hand(project, alice, bob, pages):
    slot = begun(project, alice)
    Assignment.objects.filter(pk=slot.pk).update(assigned_to=bob)
    held = queue.lease_next(project, annotator=alice)
    with pytest.raises(Refused):
        drafts.go_on(Draft.objects.get(), by=alice)
    held.refresh_from_db()
    assert (held.state, held.annotator) == (State.LEASED, alice)


# ---- the page and the API -------------------------------------------------------------------------------------------
@pytest.fixture
def browser(alice):
    client = Client()
    client.force_login(alice)
    return client


def test_my_work_lists_drafts_with_what_can_be_done(browser, project, alice, bob, pages):
    slot = begun(project, alice, NEWS)
    html = browser.get("/p/pages/mine/").content.decode()
    assert "News unsure" in html and "a local paper" in html and "The page is free." in html
    action = re.search(r'action="([^"]+/go-on/)"', html).group(1)
    sent = browser.post(action, follow=True)
    assert sent.redirect_chain == [("/p/pages/annotate/", 302)] and sent.context["assignment"] == slot
    queue.release(slot, by=alice)
    Assignment.objects.filter(pk=slot.pk).update(assigned_to=bob)
    refused = browser.post(action, follow=True)
    html = refused.content.decode()
    assert refused.redirect_chain == [("/p/pages/mine/", 302)] and "This page cannot be given to you now" in html
    assert "/go-on/" not in html
    browser.post(re.search(r'action="([^"]+/throw-away/)"', html).group(1))
    assert not Draft.objects.exists()


def test_a_program_lists_goes_on_with_and_throws_away_its_own_drafts(project, alice, bob, pages):
    slot = begun(project, alice)
    api, path = api_of(alice), "/api/v1/projects/pages/drafts/"
    (listed,) = api.get(path).json()["results"]
    assert (listed["item"], listed["state"], listed["yes"]) == (slot.item.public_id, "free", ["games"])
    own = f"{path}{listed['id']}/"
    assert api_of(bob).get(path).json()["results"] == []
    assert {api_of(bob).delete(own).status_code, api_of(bob).post(f"{own}go-on/").status_code} == {404}
    given = api.post(f"{own}go-on/").json()
    assert (given["assignment"]["id"], given["item"]["id"]) == (slot.pk, slot.item.public_id)
    assert given["draft"]["yes"] == ["games"]
    assert api.delete(own).status_code == 204 and not Draft.objects.exists()


def test_a_program_lists_its_own_answers_newest_first(project, alice, bob, pages):
    said = [judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=GAMES) for _ in pages]
    api, path = api_of(alice), "/api/v1/projects/pages/judgments/mine/"
    found = api.get(path, {"state": "revisable"}).json()["results"]
    assert [row["id"] for row in found] == [judgment.pk for judgment in reversed(said)]
    assert not {"purpose", "stream", "round"} & set(found[0])
    revised = api.post(
        f"/api/v1/judgments/{found[0]['id']}/revise/", {"none": True}, headers={"If-Match": f'"{found[0]["version"]}"'}
    )
    assert revised.status_code == 201
    assert api.get(path, {"state": "some"}).status_code == 400
    assert api_of(bob).get(path).json()["results"] == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_who_go_on_with_one_page_at_once_one_is_given_it(project):
    """Everyone has a draft of the page, none holds it; the others are refused in words, and nobody waits for a lock."""
    slots.open_up(project, [Selection.objects.create(item=make_item(project), stream="import")], overlap=1)
    people = [make_member(project, "annotator") for _ in range(8)]
    for person in people:
        begun(project, person)
    begun_by = {person: Draft.objects.select_related("item__project").get(annotator=person) for person in people}
    start, refused, errors = threading.Barrier(len(people), timeout=30), [], []

    def go_on(person):
        try:
            start.wait()
            drafts.go_on(begun_by[person], by=person)
        except Refused:
            refused.append(person)
        except BaseException as error:  # noqa: BLE001  the main thread reports it
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=go_on, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and len(refused) == len(people) - 1
    assert Assignment.objects.filter(state=State.LEASED).count() == 1
