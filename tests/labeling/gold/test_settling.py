"""What settles a drawn page: its gold answers, and a person where they differ or contradict what was decided before.

Whatever is said here, the counts of the page, the API and the freeze say the same.
"""

import pytest
from rest_framework.test import APIClient

from labeling import adjudication, consensus, judging, queue, readiness, samples, schemas, slots, waiting_reasons
from labeling.adjudication import Decision
from labeling.models import Adjudication, Consensus, Dispute
from labeling.refusals import Refused
from tests.factories import make_item, make_judgment, make_member
from tests.labeling.gold.work import annotators, answer_all, draw, freeze, make_gold_project, row_of

pytestmark = pytest.mark.django_db

SETTLED, WAITS_FOR_DECISION = (0, 0, 1), (0, 1, 0)


@pytest.fixture
def project():
    return make_gold_project(n_items=0)


@pytest.fixture
def page(project):
    return make_item(project, "https://one.example.org/", title="One", text="Words.")


@pytest.fixture
def judge(project):
    return make_member(project, "adjudicator")


def crowd(page, *answers):
    """Answers of people no draw asked."""
    for place, yes in enumerate(answers):
        make_judgment(page, f"crowd{place}", yes=yes)
    consensus.refresh(page, project=page.project)


def gold(project, *answers):
    """One page drawn and answered blind: each answer is the labels that person ticked, or None for a dead page."""
    draw(project, size=1, overlap=len(answers))
    for person, yes in zip(annotators(project, len(answers)), answers, strict=True):
        slot = queue.lease_next(project, annotator=person)
        if yes is None:
            judging.not_assessable(slot, by=person, reason="dead")
        elif yes == "unsure":
            judging.submit(slot, by=person, answer=judging.Answer(unsure=("games",)))
        else:
            judging.submit(slot, by=person, answer=judging.Answer(yes=tuple(yes), none=not yes))


def decide(page, by, **verdicts):
    """By the domain, on exactly the labels in conflict."""
    case = adjudication.case_of(page)
    decision = Decision(verdicts, cause="overlooked")
    return adjudication.decide(page, by=by, decision=decision, seen_version=case.version)


def line(project, judge):
    return [row.item for row in adjudication.queue(project, adjudicator=judge)]


def counts(project):
    """(waiting, disputed, settled) as the API says; the page and a freeze must say the same."""
    client = APIClient()
    client.force_login(make_member(project, "manager"))
    said = client.get(f"/api/v1/projects/{project.slug}/samples/1/").json()
    found = (said["n_waiting"], said["n_disputed"], said["n_settled"])
    on_page = client.get(f"/p/{project.slug}/releases/").content.decode()
    assert ("can be frozen" in on_page) == (found[:2] == (0, 0)) == _freezes(project)
    return found


def _freezes(project):
    try:
        readiness.require(project, readiness.Request())
    except Refused:
        return False
    return True


def verdict(project, page, key="games"):
    row = row_of(freeze(project), page)
    return row["labels"][key], row["how"][key]


# ---- answers that no draw asked for ---------------------------------------------------------------------------------
def test_an_open_dispute_of_older_answers_does_not_wait_for_a_decision(project, page, judge):
    crowd(page, ["games"], [])
    gold(project, [], [])
    assert counts(project) == SETTLED
    assert line(project, judge) == [page]  # it stays open, for whoever learns from these answers
    assert verdict(project, page) == ("no", "unanimous")


def test_older_answers_that_agree_settle_nothing_where_gold_answers_differ(project, page, judge):
    crowd(page, ["games"], ["games"], ["games"])
    gold(project, ["games"], [])
    assert counts(project) == WAITS_FOR_DECISION
    with pytest.raises(Refused, match="1 of 1 page still waits for a decision"):
        freeze(project)
    decide(page, judge, games="yes")
    assert counts(project) == SETTLED
    assert verdict(project, page) == ("yes", "adjudicated")


def test_a_dispute_among_gold_answers_is_open_although_most_people_could_not_judge_the_page(project, page, judge):
    for number in range(3):
        make_judgment(page, f"crowd{number}", asked=(), outcome="not_assessable")
    gold(project, ["games"], [])
    assert (counts(project), line(project, judge)) == (WAITS_FOR_DECISION, [page])


def test_half_of_the_gold_people_could_not_judge_the_page_and_many_others_could(project, page, judge):
    crowd(page, *[["games"]] * 5)
    gold(project, ["games"], None)
    assert (counts(project), line(project, judge)) == (WAITS_FOR_DECISION, [page])
    decide(page, judge, games="yes", news="no", self_harm="no")
    assert counts(project) == SETTLED


def test_gold_people_who_could_not_judge_the_page_say_so_whatever_others_answered(project, page):
    crowd(page, ["games"], ["games"])
    gold(project, None, None)
    assert counts(project) == SETTLED
    assert row_of(freeze(project), page)["outcome"] == "not_assessable"


def test_a_later_answer_of_the_same_person_to_another_slot_is_not_gold(project, page, judge):
    gold(project, ["games"], [])
    odd = page.judgments.get(verdicts__games="yes").rater.user
    slots.open_up(project, [page.selections.create(stream="import")], overlap=1)
    judging.submit(queue.lease_next(project, annotator=odd), by=odd, answer=judging.Answer(none=True))
    assert counts(project) == WAITS_FOR_DECISION
    assert line(project, judge) == [page]


def test_a_page_that_others_are_asked_about_waits_for_their_answer_before_a_decision(project, page):
    gold(project, ["games"], [])
    slots.open_up(project, [page.selections.create(stream="import")], overlap=1)
    assert counts(project) == (1, 0, 0)
    answer_all(project, *annotators(project, 1))
    assert counts(project) == WAITS_FOR_DECISION


# ---- decisions made before the gold answers -------------------------------------------------------------------------
def test_a_decision_made_before_the_draw_gives_way_to_a_person_when_gold_answers_contradict_it(project, page, judge):
    crowd(page, ["games"], [])
    decide(page, judge, games="yes")
    gold(project, [], [])
    assert counts(project) == WAITS_FOR_DECISION
    assert line(project, judge) == [page]
    with pytest.raises(Refused, match="waits for a decision"):
        freeze(project)
    decide(page, judge, games="no")
    assert counts(project) == SETTLED
    assert verdict(project, page) == ("no", "adjudicated")


def test_the_reason_says_that_a_decision_is_contradicted(project, page, judge):
    crowd(page, ["games"], [])
    decide(page, judge, games="yes")
    gold(project, [], [])
    reason = waiting_reasons.reason(adjudication.case_of(page), schemas.in_force(page.project))
    assert reason == "People who answered since do not bear out the decision on Games."


def test_deciding_again_as_before_settles_it(project, page, judge):
    crowd(page, ["games"], [])
    decide(page, judge, games="yes")
    gold(project, [], [])
    decide(page, judge, games="yes")
    assert counts(project) == SETTLED
    assert verdict(project, page) == ("yes", "adjudicated")


def test_a_decision_that_gold_answers_bear_out_stays_and_the_answers_are_the_gold(project, page, judge):
    crowd(page, ["games"], [])
    decide(page, judge, games="yes")
    gold(project, ["games"], ["games"])
    assert (counts(project), line(project, judge)) == (SETTLED, [])
    assert verdict(project, page) == ("yes", "unanimous")


def test_the_same_people_asked_again_contradict_the_decision_on_their_first_answers(project, page, judge):
    """Only their latest answers vote, so nothing is contested any more: the decision is."""
    people = annotators(project)
    slots.open_up(project, [page.selections.create(stream="import")], overlap=2)
    answer_all(project, *people, yes=lambda person, _page: ["games"] if person == people[0] else [])
    decide(page, judge, games="yes")
    draw(project, size=1)
    answer_all(project, *people)
    assert (counts(project), line(project, judge)) == (WAITS_FOR_DECISION, [page])


@pytest.mark.parametrize("answers", [("unsure", "unsure"), (["games"], []), (["games"], None)], ids=str)
def test_gold_answers_that_settle_nothing_open_the_decision_again(project, page, judge, answers):
    crowd(page, ["games"], [])
    decide(page, judge, games="yes")
    gold(project, *answers)
    assert (counts(project), line(project, judge)) == (WAITS_FOR_DECISION, [page])


def test_a_verdict_carried_over_into_a_later_decision_has_seen_no_more_than_before(project, page, judge):
    crowd(page, ["games"], [])
    decide(page, judge, games="yes")
    gold(project, ["games", "news"], ["games"])
    decide(page, judge, news="no")  # on news alone: what it says of games was decided before the draw
    assert Adjudication.objects.in_force().get(item=page).verdicts == {"games": "yes", "news": "no"}
    row = row_of(freeze(project), page)
    assert (row["how"]["games"], row["how"]["news"]) == ("unanimous", "adjudicated")


def test_a_decision_stands_while_gold_people_are_still_to_answer(project, page, judge):
    crowd(page, ["games"], [])
    decide(page, judge, games="yes")
    draw(project, size=1)
    answer_all(project, *annotators(project, 1))
    assert counts(project) == (1, 0, 0)
    assert Consensus.objects.get(item=page).labels["games"]["state"] == "adjudicated"
    assert not Dispute.objects.open().exists()


def test_a_share_of_the_votes_does_not_outweigh_an_earlier_decision_either(project, page, judge):
    crowd(page, ["games"], [])
    decide(page, judge, games="no")
    gold(project, ["games"], ["games"], ["games"], [])
    with pytest.raises(Refused, match="waits for a decision"):
        freeze(project, accepted_by={"games": "consensus:0.75"})


# ---- pages that are gone --------------------------------------------------------------------------------------------
def test_an_archived_page_keeps_what_was_settled(project, page):
    gold(project, ["games"], ["games"])
    type(page).objects.filter(pk=page.pk).update(state="archived")
    assert counts(project) == SETTLED
    row = row_of(freeze(project), page)
    assert (row["outcome"], row["labels"]["games"]) == ("labelled", "yes")


def test_an_archived_page_that_waits_blocks_and_says_why_nobody_answers(project, page):
    draw(project, size=1)
    type(page).objects.filter(pk=page.pk).update(state="archived")
    assert counts(project) == (1, 0, 0)
    with pytest.raises(Refused) as refused:
        freeze(project)
    assert refused.value.sentence == (
        "1 of 1 page still waits for an answer; annotate it, then freeze again. "
        "It is archived: restore or withdraw it first."
    )


def test_a_withdrawn_page_waits_for_nothing(project, page):
    gold(project, ["games"], [])
    type(page).objects.filter(pk=page.pk).update(state="withdrawn")
    assert counts(project) == SETTLED


# ---- counts ---------------------------------------------------------------------------------------------------------
def test_a_page_in_two_samples_counts_once_in_all_and_once_in_each(project, page):
    first, second = draw(project, size=1, seed="a"), draw(project, size=1, seed="b")
    assert samples.progress(project, [first, second]) == samples.Progress(1, 1, 0)
    assert samples.progress_of_each([first, second]) == dict.fromkeys((first.pk, second.pk), samples.Progress(1, 1, 0))
