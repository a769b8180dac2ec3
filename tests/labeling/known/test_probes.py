"""Pages about the person among pages of work: how often, to whom, and that nothing tells them apart."""

import itertools
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from labeling import consensus, exports, invariants, judging, queue, reports
from labeling.models import (
    Adjudication,
    ApiToken,
    Assignment,
    Consensus,
    Judgment,
    LikelyLabel,
    OpenedCase,
    Purpose,
    Skip,
    State,
)
from labeling.models.work import FIRST_PROBE_ROUND
from tests.factories import make_judgment, make_member
from tests.labeling.known.pool import GAMES, KNOWN, NONE, given, known_page, known_pages, purposes, queue_pages

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def api_of(person) -> APIClient:
    _, secret = ApiToken.issue(
        person, name="script", scopes=["read", "write"], expires_at=timezone.now() + timedelta(days=1)
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


# ---- how often, to whom ---------------------------------------------------------------------------------------------
def test_without_a_share_nobody_is_given_a_known_page(project, alice):
    known_pages(project, 5)
    queue_pages(project, 5)
    assert set(purposes(project, alice, 5)) == {"work"}


def test_a_known_page_comes_in_the_place_of_another_and_that_one_after_it(project, alice):
    project.honeypot_share = 1.0
    known = known_page(project)
    queue_pages(project, 2)
    slots = list(given(project, alice, 4))
    assert [slot.purpose for slot in slots] == ["honeypot", "work", "work"]
    assert slots[0].item == known.item
    assert slots[0].round == FIRST_PROBE_ROUND


def test_the_share_is_kept_on_the_whole_and_its_gaps_are_not_even(project, alice):
    project.honeypot_share = 0.3
    known_pages(project, 60)
    queue_pages(project, 120)
    said = purposes(project, alice, 100)
    places = [place for place, purpose in enumerate(said) if purpose == "honeypot"]
    assert 15 <= len(places) <= 45  # 30, give or take more than three standard deviations
    assert len({later - earlier for earlier, later in itertools.pairwise(places)}) > 2


def test_two_people_get_theirs_at_other_places(project, alice, bob):
    project.honeypot_share = 0.3
    known_pages(project, 30)
    queue_pages(project, 60, overlap=2)
    assert purposes(project, alice, 40) != purposes(project, bob, 40)


def test_asking_again_without_an_answer_between_changes_nothing(project, alice):
    project.honeypot_share = 0.5
    known_pages(project, 5)
    queue_pages(project, 10)
    first = queue.lease_next(project, annotator=alice)
    for _ in range(10):
        queue.release(first, by=alice)
        assert (queue.lease_next(project, annotator=alice).purpose == "honeypot") == (first.purpose == "honeypot")


def test_nobody_is_given_a_known_page_twice(project, alice):
    project.honeypot_share = 1.0
    known_pages(project, 3)
    queue_pages(project, 10)
    slots = [slot for slot in given(project, alice, 10) if slot.purpose == "honeypot"]
    assert len({slot.item_id for slot in slots}) == len(slots) == 3


def test_a_known_page_goes_to_each_person_in_a_round_of_its_own(project, alice, bob):
    project.honeypot_share = 1.0
    known_page(project)
    queue_pages(project, 5)
    mine, theirs = (queue.lease_next(project, annotator=person) for person in (alice, bob))
    assert mine.item == theirs.item
    assert mine.round != theirs.round


def test_nobody_is_given_a_known_page_they_judged_or_know_about(project, alice, bob):
    project.honeypot_share = 1.0
    judged, told = known_pages(project, 2)
    make_judgment(judged.item, alice)
    OpenedCase.objects.create(item=told.item, person=alice)
    queue_pages(project, 4)
    assert set(purposes(project, alice, 2)) == {"work"}
    assert purposes(project, bob, 2) == ["honeypot", "honeypot"]


def test_nobody_is_given_a_known_page_with_a_label_they_opted_out_of(project, alice):
    project.honeypot_share = 1.0
    spared = known_page(project)
    LikelyLabel.objects.create(item=spared.item, label="self_harm")
    queue_pages(project, 2)
    desk = queue.desks.of(project, alice)
    desk.opted_out = ["self_harm"]
    desk.save(update_fields=["opted_out"])
    assert purposes(project, alice, 2) == ["work", "work"]


def test_when_nothing_is_left_no_known_page_comes_in_its_place(project, alice):
    project.honeypot_share = 1.0
    known_pages(project, 3)
    assert queue.lease_next(project, annotator=alice) is None


def test_who_is_paused_is_given_no_known_page(project, alice):
    project.honeypot_share = 1.0
    known_page(project)
    queue_pages(project, 2)
    desk = queue.desks.of(project, alice)
    desk.paused_at, desk.pause_reason = timezone.now(), "manager"
    desk.save()
    assert queue.lease_next(project, annotator=alice) is None
    assert not Assignment.objects.filter(purpose="honeypot").exists()


# ---- nothing tells them apart ---------------------------------------------------------------------------------------
def test_its_number_lies_among_those_of_the_others(project, alice):
    project.honeypot_share = 1.0
    queue_pages(project, 3)
    known_page(project)
    numbers = set(Assignment.objects.values_list("pk", flat=True))
    assert queue.lease_next(project, annotator=alice).pk in numbers
    assert Assignment.objects.filter(purpose="work", state=State.OPEN).count() == 3


def test_the_slot_it_took_the_number_of_stands_where_it_stood(project, alice):
    project.honeypot_share = 1.0
    queue_pages(project, 3)
    known_page(project)
    before = sorted(Assignment.objects.values_list("item", "round", "slot", "position", "selection", "snapshot"))
    queue.lease_next(project, annotator=alice)
    work = Assignment.objects.filter(purpose="work")
    assert sorted(work.values_list("item", "round", "slot", "position", "selection", "snapshot")) == before


def test_api_and_page_say_the_same_of_both(project, alice):
    """Names, not values: what a known page answers with holds exactly what a page of work does."""
    project.honeypot_share = 1.0
    project.save()
    known_page(project)
    queue_pages(project, 3)
    client = api_of(alice)
    shapes = []
    for purpose in ("honeypot", "work"):
        lease = client.post(f"/api/v1/projects/{project.slug}/next/").json()
        url = f"/api/v1/assignments/{lease['assignment']['id']}"
        assert Assignment.objects.get(pk=lease["assignment"]["id"]).purpose == purpose
        draft = client.put(f"{url}/draft/", {"yes": ["games"]}, format="json")
        renewed = client.post(f"{url}/renew/")
        page = Client()
        page.force_login(alice)
        shown = page.get(f"/p/{project.slug}/annotate/").content.decode()
        assert "honeypot" not in shown.lower()
        item = client.get(f"/api/v1/projects/{project.slug}/items/{lease['item']['id']}/")
        judged = client.post(f"{url}/judgment/", {"none": True}, format="json")
        revised = client.post(f"/api/v1/judgments/{judged.json()['judgment']['id']}/revise/", {"yes": ["games"]},
                              format="json")  # fmt: skip
        answers = (draft, renewed, item, judged, revised)
        assert "honeypot" not in repr([answer.json() for answer in answers])
        shapes.append([(answer.status_code, names(answer.json())) for answer in answers])
    assert shapes[0] == shapes[1]


def names(body):
    if isinstance(body, dict):
        return {name: names(value) for name, value in body.items() if name != "verdicts"}
    return type(body).__name__


def test_a_decided_known_page_can_be_changed_like_any_other_for_a_week(project, alice, bob):
    project.honeypot_share = 1.0
    known = known_page(project)
    Adjudication.objects.create(item=known.item, adjudicator=bob, schema=project.schema, verdicts=KNOWN,
                                cause="overlooked")  # fmt: skip
    queue_pages(project, 1)
    slot = queue.lease_next(project, annotator=alice)
    answer = judging.submit(slot, by=alice, answer=NONE)
    assert judging.revise(answer, by=alice, answer=GAMES).yes == ["games"]


def test_a_skipped_known_page_is_gone_and_nothing_is_kept_of_it(project, alice):
    project.honeypot_share = 1.0
    known_page(project)
    queue_pages(project, 1)
    slot = queue.lease_next(project, annotator=alice)
    judging.skip(slot, by=alice)
    slot.refresh_from_db()
    assert slot.state == State.WITHDRAWN
    assert queue.lease_next(project, annotator=alice).purpose == "work"
    assert Skip.objects.count() == 1


def test_a_released_known_page_comes_back_to_the_same_person(project, alice, bob):
    project.honeypot_share = 1.0
    known_page(project)
    queue_pages(project, 3)
    slot = queue.lease_next(project, annotator=alice)
    queue.release(slot, by=alice)
    assert queue.lease_next(project, annotator=bob) != slot
    assert queue.lease_next(project, annotator=alice) == slot


def test_a_lost_lease_of_a_known_page_still_takes_the_answer(project, alice):
    project.honeypot_share = 1.0
    known_page(project)
    queue_pages(project, 2)
    slot = queue.lease_next(project, annotator=alice)
    queue.release(slot, by=alice)
    assert judging.submit(slot, by=alice, answer=GAMES).purpose == "honeypot"


# ---- they count for nothing else ------------------------------------------------------------------------------------
def test_an_answer_to_a_known_page_moves_no_number_of_the_project(project, alice, boss):
    project.honeypot_share = 1.0
    known = known_page(project)
    make_judgment(known.item, "first", yes=["games"])
    make_judgment(known.item, "second", yes=["games"])
    consensus.refresh(known.item, project=project)
    before = Consensus.objects.values().get(item=known.item)
    queue_pages(project, 1)
    slot = queue.lease_next(project, annotator=alice)
    assert slot.item == known.item
    judging.submit(slot, by=alice, answer=NONE)
    assert Consensus.objects.values().get(item=known.item) == before
    assert reports.of_project(project).n_answers == 2
    assert {row.rater.code for row in exports.judgments(project, complete_only=False)} == {"first", "second"}
    assert Judgment.objects.votes().count() == 2
    assert [one.id for one in invariants.findings() if not one.is_kept and one.id != "I1"] == []


def test_a_page_with_a_known_answer_can_still_be_queued(project, alice):
    """A probe that somebody holds keeps no page out of the queue, and the rounds of work are numbered without it."""
    project.honeypot_share = 1.0
    known = known_page(project)
    queue_pages(project, 1)
    assert queue.lease_next(project, annotator=alice).item == known.item
    opened = queue.slots.open_up(project, [known.item.selections.first()], overlap=2)
    assert opened == 2
    assert set(known.item.assignments.filter(purpose="work").values_list("round", flat=True)) == {1}


# ---- repeats --------------------------------------------------------------------------------------------------------
def answered_before(project, person, *, days: float, decided: bool = True, **answer) -> Judgment:
    """A page this person answered so long ago, and that an adjudicator has decided since."""
    queue_pages(project, 1)
    item = project.items.order_by("-pk").first()
    item.assignments.update(state="withdrawn", available_at=None)
    made = make_judgment(item, person, submitted_at=timezone.now() - timedelta(days=days), **answer)
    if decided:
        other = make_member(project, "adjudicator")
        Adjudication.objects.create(item=item, adjudicator=other, schema=project.schema, verdicts={"games": "no"},
                                    cause="overlooked")  # fmt: skip
    return made


def test_a_persons_own_page_comes_again_after_a_week_and_once(project, alice):
    project.repeat_share = 1.0
    earlier = answered_before(project, alice, days=8)
    queue_pages(project, 3)
    slots = list(given(project, alice, 4))
    assert [slot.purpose for slot in slots] == ["repeat", "work", "work", "work"]
    assert slots[0].item == earlier.item


@pytest.mark.parametrize("case", ["too early", "still open to change", "of somebody else", "asked other labels"])
def test_what_is_not_asked_again(project, alice, bob, case):
    project.repeat_share = 1.0
    answered_before(
        project, bob if case == "of somebody else" else alice, days=6 if case == "too early" else 30,
        decided=case != "still open to change",
        **({"asked": ["games"]} if case == "asked other labels" else {}),
    )  # fmt: skip
    queue_pages(project, 1)
    assert queue.lease_next(project, annotator=alice).purpose == "work"


def test_who_has_seen_the_votes_on_a_page_is_not_asked_it_again(project, alice):
    project.repeat_share = 1.0
    earlier = answered_before(project, alice, days=30)
    OpenedCase.objects.create(item=earlier.item, person=alice)
    queue_pages(project, 1)
    assert queue.lease_next(project, annotator=alice).purpose == "work"


def test_a_repeat_adds_no_vote(project, alice):
    project.repeat_share = 1.0
    earlier = answered_before(project, alice, days=8, yes=["games"])
    queue_pages(project, 1)
    slot = queue.lease_next(project, annotator=alice)
    again = judging.submit(slot, by=alice, answer=NONE)
    assert again.purpose == Purpose.REPEAT
    assert list(Judgment.objects.votes().filter(item=earlier.item)) == [earlier]
