"""What becomes of a page that somebody skips: others get it, it comes back an hour later, or a manager looks at it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from labeling import drafts, invariants, judging, overlaps, projects, queue, skipping, slots
from labeling.models import Assignment, Consensus, Draft, Event, Judgment, Selection, Skip, State
from labeling.models.work import Purpose
from labeling.refusals import Forbidden, LeaseLost, Refused
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db
NEWS = judging.Answer(yes=("news",))
NOON = datetime(2030, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def project_of(pages: int = 1, *, overlap: int = 1, **rules):
    project = make_project(lease_seconds=24 * 3600, overlap={"default": overlap}, **rules)
    items = [make_item(project) for _ in range(pages)]
    slots.open_up(project, [Selection.objects.create(item=item, stream="import") for item in items], overlap=overlap)
    Assignment.objects.update(available_at=NOON - HOUR)
    return project


def someone(project, name=None):
    return make_member(project, "annotator", name=name)


def next_of(project, person, *, now=NOON):
    return queue.lease_next(project, annotator=person, now=now)


def skips(project, person, *, now=NOON, **how):
    slot = next_of(project, person, now=now)
    judging.skip(slot, by=person, now=now, **how)
    return slot


# ---- others ---------------------------------------------------------------------------------------------------------
def test_where_others_get_it_who_skipped_a_page_never_meets_it_again():
    project = project_of()
    anna, ben = someone(project), someone(project)
    slot = skips(project, anna)
    assert next_of(project, anna, now=NOON + 100 * HOUR) is None
    assert next_of(project, ben) == slot


def test_a_page_given_to_one_person_is_everybodys_once_they_skip_it():
    project = project_of()
    anna, ben = someone(project), someone(project)
    Assignment.objects.update(assigned_to=anna)
    slot = skips(project, anna)
    assert next_of(project, ben) == slot


@pytest.mark.parametrize("policy", ["others", "aside"])
def test_a_check_that_is_skipped_is_over_and_stays_one_persons(policy):
    project = project_of(skip_policy=policy)
    anna, ben = someone(project), someone(project)
    Assignment.objects.update(assigned_to=anna, purpose=Purpose.HONEYPOT)
    skips(project, anna)
    slot = Assignment.objects.get()
    assert (slot.state, slot.assigned_to) == (State.WITHDRAWN, anna)
    assert next_of(project, ben) is None
    assert not skipping.set_aside(project).exists()


# ---- back -----------------------------------------------------------------------------------------------------------
def test_where_it_comes_back_it_does_so_after_an_hour_with_its_ticks():
    project = project_of(skip_policy="back")
    anna = someone(project)
    slot = next_of(project, anna)
    judging.save_draft(slot, by=anna, answer=NEWS)
    judging.skip(slot, by=anna, now=NOON)
    assert next_of(project, anna, now=NOON + HOUR - SECOND) is None
    again = next_of(project, anna, now=NOON + HOUR)
    assert again == slot
    assert drafts.draft_of(again, by=anna).answer["yes"] == ["news"]


def test_a_page_that_will_come_back_is_anybodys_meanwhile():
    project = project_of(skip_policy="back")
    anna, ben = someone(project), someone(project)
    slot = skips(project, anna)
    assert next_of(project, ben) == slot


def test_a_page_skipped_again_waits_an_hour_again():
    project = project_of(skip_policy="back")
    anna = someone(project)
    skips(project, anna)
    skips(project, anna, now=NOON + HOUR, reason="technical")
    assert next_of(project, anna, now=NOON + 2 * HOUR - SECOND) is None
    assert next_of(project, anna, now=NOON + 2 * HOUR)
    assert Skip.objects.get().reason == "technical"


# ---- aside ----------------------------------------------------------------------------------------------------------
def test_a_page_set_aside_is_nobodys_until_it_is_put_back():
    project = project_of(overlap=3, skip_policy="aside")
    anna, ben, manager = someone(project), someone(project), make_member(project, "manager")
    item = skips(project, anna, reason="cannot_tell").item
    assert next_of(project, ben) is None
    (waiting,) = skipping.set_aside(project)
    assert (waiting, waiting.why, waiting.since, waiting.n_skips) == (item, "cannot_tell", NOON, 1)
    assert skipping.put_back(skipping.set_aside(project), project=project, by=manager, now=NOON) == 1
    assert next_of(project, ben).item == item
    assert next_of(project, anna) is None
    assert not skipping.set_aside(project).exists()
    assert [event.kind for event in Event.objects.filter(kind__startswith="item.")] == [
        "item.set_aside",
        "item.put_back",
    ]


def test_what_people_said_of_a_page_set_aside_waits_for_the_rest_and_as_many_are_asked_as_before():
    project = project_of(overlap=2, skip_policy="aside")
    anna, ben = someone(project), someone(project)
    judging.submit(next_of(project, anna), by=anna, answer=NEWS, now=NOON)
    skips(project, ben)
    assert Consensus.objects.get().state == "pending"
    assert Assignment.objects.exclude(state=State.WITHDRAWN).count() == 2
    assert not [finding for finding in invariants.findings() if finding.n_breaches]


def test_who_holds_a_page_while_it_is_set_aside_may_finish_it():
    project = project_of(overlap=2, skip_policy="aside")
    anna, ben = someone(project), someone(project)
    held = next_of(project, anna)
    skips(project, ben)
    assert judging.submit(held, by=anna, answer=NEWS, now=NOON)


def test_fewer_people_a_page_take_slots_of_pages_set_aside_too():
    project = project_of(overlap=3, skip_policy="aside")
    skips(project, someone(project))
    projects.change(project, {"overlap": 1}, by=None)
    assert Assignment.objects.filter(state=State.OPEN, available_at=skipping.ASIDE).count() == 1
    assert overlaps.lower(project, before={"default": 1}, by=None) == 0


# ---- pages that may not be skipped ----------------------------------------------------------------------------------
def test_where_pages_are_not_skipped_the_domain_refuses_and_the_page_stays():
    project = project_of(may_skip=False)
    anna = someone(project)
    slot = next_of(project, anna)
    with pytest.raises(Forbidden, match="not skipped"):
        judging.skip(slot, by=anna, now=NOON)
    assert next_of(project, anna) == slot
    assert not Skip.objects.exists()


# ---- answers that come after a skip ---------------------------------------------------------------------------------
@pytest.mark.parametrize("policy", ["others", "back", "aside"])
def test_an_answer_after_ones_own_skip_is_not_counted_and_its_ticks_are_kept(policy):
    project = project_of(overlap=2, skip_policy=policy)
    anna = someone(project)
    slot = skips(project, anna)
    with pytest.raises(LeaseLost, match="You skipped this page"):
        judging.submit(slot, by=anna, answer=NEWS, now=NOON)
    assert Draft.objects.get(annotator=anna).answer["yes"] == ["news"]
    assert not Judgment.objects.exists()


def test_an_answer_counts_once_the_skipped_page_is_held_again():
    project = project_of(skip_policy="back")
    anna = someone(project)
    skips(project, anna)
    slot = next_of(project, anna, now=NOON + HOUR)
    assert judging.submit(slot, by=anna, answer=NEWS, now=NOON + HOUR)


def test_a_page_that_was_answered_is_not_skipped_any_more():
    project = project_of(skip_policy="aside")
    anna = someone(project)
    slot = next_of(project, anna)
    judging.submit(slot, by=anna, answer=NEWS, now=NOON)
    with pytest.raises(Refused, match="answered this page already"):
        judging.skip(slot, by=anna, now=NOON)
    assert not Skip.objects.exists()


def test_a_skip_of_a_page_that_went_to_someone_else_takes_nothing_from_them():
    project = project_of(skip_policy="aside")
    anna, ben = someone(project), someone(project)
    slot = next_of(project, anna)
    slots.reopen(Assignment.objects.filter(pk=slot.pk), NOON)
    assert next_of(project, ben) == slot
    judging.skip(slot, by=anna, now=NOON)
    assert judging.submit(slot, by=ben, answer=NEWS, now=NOON)
    assert not skipping.set_aside(project).exists()


# ---- the doors ------------------------------------------------------------------------------------------------------
@pytest.fixture
def desk():
    project = project_of(2)
    anna = someone(project)
    Assignment.objects.update(available_at="2020-01-01T00:00Z")
    client = Client()
    client.force_login(anna)
    return project, client, queue.lease_next(project, annotator=anna)


def forbid(project):
    project.may_skip = False
    project.save()


def test_one_button_skips_without_a_reason_and_each_reason_is_a_button(desk):
    project, client, slot = desk
    page = client.get(f"/p/{project.slug}/annotate/").content.decode()
    assert 'data-key="5" data-key-name="Skip"' in page
    assert 'form="skip" name="reason" value="cannot_tell" data-key="1"' in page
    client.post(f"/p/{project.slug}/annotate/{slot.pk}/skip/")
    assert Skip.objects.get().reason == "rather_not"


def test_a_reasons_button_is_enough_by_itself(desk):
    project, client, slot = desk
    client.post(f"/p/{project.slug}/annotate/{slot.pk}/skip/", {"reason": "technical"})
    assert Skip.objects.get().reason == "technical"


def test_where_pages_are_not_skipped_button_and_key_are_gone_and_both_doors_refuse(desk):
    project, client, slot = desk
    forbid(project)
    page = client.get(f"/p/{project.slug}/annotate/").content.decode()
    assert 'data-key="5"' not in page
    assert 'value="cannot_tell"' not in page
    assert 'value="dead"' in page
    refused = client.post(f"/p/{project.slug}/annotate/{slot.pk}/skip/")
    assert refused.status_code == 403
    assert "are not skipped" in refused.content.decode()
    answer = client.post(f"/api/v1/assignments/{slot.pk}/skip/", {}, content_type="application/json")
    assert answer.status_code == 403
    assert "are not skipped" in answer.json()["detail"]


def test_a_page_nobody_can_judge_is_said_to_be_so_even_where_pages_are_not_skipped(desk):
    project, client, slot = desk
    forbid(project)
    client.post(f"/p/{project.slug}/annotate/{slot.pk}/skip/", {"reason": "dead"})
    assert Judgment.objects.get().outcome == "not_assessable"


def test_the_api_says_409_to_an_answer_after_ones_own_skip(desk):
    _, client, slot = desk
    path = f"/api/v1/assignments/{slot.pk}"
    assert client.post(f"{path}/skip/", {}, content_type="application/json").status_code == 204
    late = client.post(f"{path}/judgment/", {"yes": ["news"]}, content_type="application/json")
    assert late.status_code == 409
    assert "You skipped this page" in late.json()["detail"]
    assert Draft.objects.exists()


# ---- set aside while another has it open ----------------------------------------------------------------------------
@pytest.fixture
def aside_in_other_hands():
    """A page anna set aside while ben has it open, and somebody who could be given it."""
    project = project_of(overlap=3, skip_policy="aside")
    anna, ben, cora = someone(project), someone(project), someone(project)
    slot = next_of(project, ben)
    skips(project, anna)
    return project, slot, ben, cora


def test_who_has_a_page_open_that_another_set_aside_may_finish_it(aside_in_other_hands):
    _, slot, ben, _ = aside_in_other_hands
    assert judging.submit(slot, by=ben, answer=NEWS, now=NOON).verdicts["news"] == "yes"


def test_a_page_set_aside_does_not_come_back_when_who_had_it_open_gives_it_up(aside_in_other_hands):
    project, slot, ben, cora = aside_in_other_hands
    queue.release(slot, by=ben, now=NOON)
    assert next_of(project, cora) is None and next_of(project, ben) is None
    assert not [finding for finding in invariants.findings() if finding.n_breaches]


def test_a_page_set_aside_does_not_come_back_when_the_time_of_who_had_it_open_is_over(aside_in_other_hands):
    project, _, _, cora = aside_in_other_hands
    assert next_of(project, cora, now=NOON + 100 * HOUR) is None


def test_a_page_set_aside_stays_so_when_more_people_are_wanted(aside_in_other_hands):
    project, slot, ben, cora = aside_in_other_hands
    projects.change(project, {"overlap": {"default": 5}}, by=None)
    queue.release(slot, by=ben, now=NOON)
    assert next_of(project, cora) is None
    assert Assignment.objects.set_aside().count() == 5


@pytest.mark.parametrize("given_up", [True, False])
def test_once_a_manager_puts_it_back_every_slot_of_it_is_to_be_had(aside_in_other_hands, given_up):
    project, slot, ben, cora = aside_in_other_hands
    if given_up:
        queue.release(slot, by=ben, now=NOON)
    later = NOON + 100 * HOUR
    skipping.put_back(skipping.set_aside(project), project=project, by=ben, now=later)
    dora, emil = someone(project), someone(project)
    assert all(next_of(project, person, now=later) for person in (cora, dora, emil))
