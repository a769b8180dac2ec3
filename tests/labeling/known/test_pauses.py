"""Who is stopped, when, why, and how they are let go on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling import desks, honeypots, judging, known_answers, pauses, queue, waiting
from labeling.models import Desk, Event, Judgment, PauseReason, Purpose
from labeling.refusals import Refused, Unacceptable
from tests.factories import make_item, make_judgment
from tests.labeling.gold.work import draw
from tests.labeling.known.pool import GAMES, NONE, given, known_pages, purposes, queue_pages

pytestmark = pytest.mark.django_db
QUICK = judging.Answer(none=True, active_seconds=1.0)
SLOW = judging.Answer(none=True, active_seconds=30.0)


def reason(project, person) -> str:
    return Desk.objects.get(project=project, user=person).pause_reason


@pytest.fixture
def watched(project):
    """Every page given is one with a known answer, as long as there is one, and the score is looked at."""
    project.honeypot_share, project.pause_below = 1.0, 0.8
    project.save()
    known_pages(project, 16)
    queue_pages(project, 40)
    return project


# ---- known answers --------------------------------------------------------------------------------------------------
def test_who_misses_what_is_known_is_paused_once_it_is_beyond_doubt(watched, alice):
    """A page scores half for whoever ticks nothing: fifteen of them lie below 0.8, five do not."""
    list(given(watched, alice, 5))
    assert reason(watched, alice) == ""
    list(given(watched, alice, 10))
    assert reason(watched, alice) == PauseReason.HONEYPOTS
    assert queue.lease_next(watched, annotator=alice) is None


def test_the_reason_is_told_with_its_numbers_and_the_way_on(watched, alice):
    list(given(watched, alice, 40))
    said = waiting.nothing_left(watched, annotator=alice)
    assert "known answers 50 % was right" in said
    assert "asks for 80 %" in said
    assert "Talk to a manager" in said


def test_who_answers_as_is_known_goes_on(watched, alice):
    assert len(list(given(watched, alice, 20, GAMES))) == 20
    assert reason(watched, alice) == ""


def test_nobody_is_paused_where_no_bar_is_set(watched, alice):
    watched.pause_below = None
    watched.save()
    assert len(list(given(watched, alice, 20))) == 20


def test_a_pause_is_in_the_audit_trail_with_the_answer_that_caused_it(watched, alice):
    list(given(watched, alice, 40))
    event = Event.objects.get(kind="annotator.paused")
    assert event.about == f"user:{alice.pk}"
    assert event.data["reason"] == "honeypots"


def test_who_is_paused_keeps_the_page_they_hold(project, alice, boss):
    queue_pages(project, 2)
    slot = queue.lease_next(project, annotator=alice)
    pauses.pause(project, alice, by=boss, detail="Let us talk first.")
    assert queue.lease_next(project, annotator=alice) == slot
    assert judging.submit(slot, by=alice, answer=NONE).pk
    assert queue.lease_next(project, annotator=alice) is None


# ---- speed ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def timed(project):
    project.fast_seconds, project.fast_in_a_row = 3.0, 3
    project.save()
    queue_pages(project, 12)
    return project


def test_three_fast_answers_in_a_row_pause(timed, alice):
    assert len(list(given(timed, alice, 5, QUICK))) == 3
    assert reason(timed, alice) == PauseReason.SPEED


def test_a_slow_answer_between_them_starts_the_row_again(timed, alice):
    for answer in (QUICK, QUICK, SLOW, QUICK, QUICK):
        list(given(timed, alice, 1, answer))
    assert reason(timed, alice) == ""


@pytest.mark.parametrize(("out_for", "why"), [(None, ""), (1.0, PauseReason.SPEED), (60.0, "")])
def test_where_no_one_measured_it_counts_how_long_the_page_was_out_if_that_is_known(timed, alice, out_for, why):
    desks.of(timed, alice)
    for _ in range(3):
        judgment = make_judgment(make_item(timed), alice, wall_seconds=out_for)
        pauses.after_answer(judgment, project=timed, by=alice)
    assert reason(timed, alice) == why


def test_a_page_nobody_can_judge_is_no_fast_answer(timed, alice):
    for _ in range(4):
        judging.not_assessable(queue.lease_next(timed, annotator=alice), by=alice, reason="dead")
    assert reason(timed, alice) == ""


# ---- skips ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def skipping(project):
    project.skips_in_a_row = 3
    project.save()
    queue_pages(project, 12)
    return project


def skip(project, person, n: int, why: str) -> None:
    for _ in range(n):
        judging.skip(queue.lease_next(project, annotator=person), by=person, reason=why)


def test_three_skips_in_a_row_pause(skipping, alice):
    skip(skipping, alice, 3, "cannot_tell")
    assert reason(skipping, alice) == PauseReason.SKIPS


def test_rather_not_is_never_counted(skipping, alice):
    skip(skipping, alice, 2, "cannot_tell")
    skip(skipping, alice, 6, "rather_not")
    assert not Desk.objects.exclude(paused_at=None).exists()


def test_an_answer_between_them_starts_the_skips_again(skipping, alice):
    skip(skipping, alice, 2, "cannot_tell")
    list(given(skipping, alice, 1))
    skip(skipping, alice, 2, "cannot_tell")
    assert reason(skipping, alice) == ""


# ---- let go on ------------------------------------------------------------------------------------------------------
def test_a_manager_lets_a_person_go_on_and_what_was_before_counts_no_more(watched, alice, boss):
    list(given(watched, alice, 40))
    assert reason(watched, alice) == PauseReason.HONEYPOTS
    n = len(known_answers.of_person(watched, alice))
    desk = pauses.reinstate(watched, alice, by=boss)
    assert (desk.paused_at, desk.pause_reason, desk.pause_detail) == (None, "", "")
    assert list(given(watched, alice, 2))
    assert reason(watched, alice) == ""
    since = known_answers.of_person(watched, alice, since=desk.reinstated_at)
    assert len(since) == len(known_answers.of_person(watched, alice)) - n
    assert Event.objects.get(kind="annotator.reinstated").actor == boss


def test_fast_answers_from_before_do_not_pause_again(timed, alice, boss):
    list(given(timed, alice, 3, QUICK))
    pauses.reinstate(timed, alice, by=boss)
    assert len(list(given(timed, alice, 2, QUICK))) == 2
    assert reason(timed, alice) == ""


def test_a_person_is_paused_once_and_reinstated_once(project, alice, boss):
    pauses.pause(project, alice, by=boss)
    with pytest.raises(Refused, match="paused already"):
        pauses.pause(project, alice, by=boss)
    pauses.reinstate(project, alice, by=boss)
    with pytest.raises(Refused, match="not paused"):
        pauses.reinstate(project, alice, by=boss)


def test_a_reason_has_its_length(project, alice, boss):
    with pytest.raises(Unacceptable):
        pauses.pause(project, alice, by=boss, detail="x" * 301)


# ---- the first pages ------------------------------------------------------------------------------------------------
@pytest.fixture
def welcoming(project):
    project.onboarding_pages, project.onboarding_pass = 4, 0.8
    project.save()
    known_pages(project, 5, is_onboarding=True)
    queue_pages(project, 6)
    return project


def test_a_new_person_starts_with_the_first_pages_and_goes_on_when_they_pass(welcoming, alice):
    assert purposes(welcoming, alice, 6, GAMES) == ["onboarding"] * 4 + ["work"] * 2
    assert desks.of(welcoming, alice).onboarded_at is not None
    assert Event.objects.get(kind="annotator.onboarded").data["score"]["value"] == 1


def test_who_does_not_pass_is_paused_with_the_score(welcoming, alice):
    assert purposes(welcoming, alice, 6) == ["onboarding"] * 4
    assert reason(welcoming, alice) == PauseReason.ONBOARDING
    assert "50 % of the answers were right; 80 % are needed" in waiting.nothing_left(welcoming, annotator=alice)


def test_what_was_missed_is_told_after_the_last_of_them_and_not_before(welcoming, alice):
    list(given(welcoming, alice, 3))
    assert known_answers.told(welcoming, alice) == []
    list(given(welcoming, alice, 1))
    assert [one.missed for one in known_answers.told(welcoming, alice)] == [("games",)] * 4


def test_an_answer_to_a_first_page_can_be_changed_until_the_last_is_given(welcoming, alice):
    slot = next(given(welcoming, alice, 1))
    judging.revise(slot.judgments.get(), by=alice, answer=GAMES)
    list(given(welcoming, alice, 3))
    with pytest.raises(Refused, match="changed no more"):
        judging.revise(Judgment.objects.current().latest("pk"), by=alice, answer=GAMES)


def test_who_is_let_in_after_the_first_pages_gets_work(welcoming, alice, boss):
    list(given(welcoming, alice, 4))
    pauses.reinstate(welcoming, alice, by=boss)
    assert purposes(welcoming, alice, 2) == ["work", "work"]


def test_a_pool_that_is_too_small_holds_nobody_up(welcoming, alice):
    welcoming.onboarding_pages = 9
    welcoming.save()
    assert purposes(welcoming, alice, 2) == ["work", "work"]


def test_who_was_at_work_before_there_were_first_pages_is_not_new(welcoming, alice):
    make_judgment(welcoming.items.first(), alice)
    assert purposes(welcoming, alice, 2) == ["work", "work"]
    assert desks.of(welcoming, alice).onboarded_at is not None


def test_first_pages_come_even_while_nothing_else_waits(project, alice):
    project.onboarding_pages = 2
    project.save()
    known_pages(project, 2, is_onboarding=True)
    assert purposes(project, alice, 3) == ["onboarding", "onboarding"]


# ---- what a person is told of the others ----------------------------------------------------------------------------
def test_what_was_right_is_told_when_the_page_has_left_the_pool(watched, alice, boss):
    first, second = list(given(watched, alice, 2))
    assert known_answers.told(watched, alice) == []
    honeypots.retire(first.item.honeypot, by=boss)
    assert [one.item_id for one in known_answers.told(watched, alice)] == [first.item_id]
    with pytest.raises(Refused, match="changed no more"):
        judging.revise(first.judgments.get(), by=alice, answer=GAMES)
    assert judging.revise(second.judgments.get(), by=alice, answer=GAMES).revision == 2


def test_what_was_right_is_told_a_week_later(watched, alice):
    known = known_pages(watched, 1)[0]
    answer = make_judgment(known.item, alice, purpose=Purpose.HONEYPOT, round=10_000,
                           submitted_at=timezone.now() - timedelta(days=8))  # fmt: skip
    assert [one.judgment_id for one in known_answers.told(watched, alice)] == [answer.pk]


def test_what_a_sample_asks_about_is_told_to_nobody(watched, alice):
    slots = list(given(watched, alice, 3))
    draw(watched, size=watched.items.count())
    assert known_answers.told(watched, alice) == []
    assert judging.revise(slots[0].judgments.get(), by=alice, answer=GAMES).revision == 2
