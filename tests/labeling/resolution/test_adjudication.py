"""Deciding: exactly the labels in conflict, by someone who did not answer, on what they saw."""

import pytest

from labeling import adjudication, consensus, judging, schemas, waiting_reasons
from labeling.adjudication import Decision
from labeling.models import Adjudication, Consensus, Dispute, Draw, Event, GoldItem, GoldRelease
from labeling.refusals import Forbidden, Refused, Stale, Unacceptable
from tests.factories import make_judgment, make_member
from tests.labeling.resolution.conftest import judged

pytestmark = pytest.mark.django_db

BOTH = {"games": "yes", "news": "no"}


def decide(item, by, verdicts=BOTH, *, cause="overlooked", note="", seen=None):
    seen = seen or adjudication.case_of(item).version
    decision = Decision(verdicts=verdicts, cause=cause, note=note)
    return adjudication.decide(item, by=by, decision=decision, seen_version=seen)


def line(project, person, **narrowed):
    return [row.item for row in adjudication.queue(project, adjudicator=person, **narrowed)]


# ---- what waits -----------------------------------------------------------------------------------------------------
def test_the_largest_expected_error_comes_first(project, adjudicator):
    mild = judged(project, ["games"], [], [])
    grave = judged(project, ["games", "news"], [], [])
    assert line(project, adjudicator) == [grave, mild]


def test_a_page_all_answered_alike_never_waits(project, adjudicator):
    judged(project, ["games"], ["games"])
    assert line(project, adjudicator) == []


def test_nobody_is_given_a_page_they_answered_themself(project):
    both = make_member(project, "adjudicator", "annotator")
    page = judged(project, ["games"], [])
    make_judgment(page, both, yes=["games"])
    assert line(project, both) == []


def test_a_team_of_two_may_let_people_decide_what_they_answered(project):
    both = make_member(project, "adjudicator", "annotator")
    page = judged(project, ["games"], [])
    make_judgment(page, both, yes=["games"])
    project.decide_own = True
    assert line(project, both) == [page]


@pytest.mark.parametrize("state", ["withdrawn", "archived"])
def test_a_page_out_of_the_project_never_waits(project, adjudicator, state):
    page = judged(project, ["games"], [])
    type(page).objects.filter(pk=page.pk).update(state=state)
    assert line(project, adjudicator) == []


def test_the_line_can_be_narrowed_to_disputes_on_one_label(project, adjudicator):
    judged(project, ["games"], [])
    news = judged(project, ["news"], [])
    assert line(project, adjudicator, label="news") == [news]


def test_the_reason_names_the_most_contested_label(disputed):
    case = adjudication.case_of(disputed)
    sentence = waiting_reasons.reason(case, schemas.in_force(disputed.project))
    assert sentence in {
        "2 of 3 say Games, and 1 more label is in conflict.",
        "1 of 3 say News, and 1 more label is in conflict.",
    }


def test_columns_are_shuffled_by_page_and_stay_while_one_looks(project):
    pages = [judged(project, ["games"], ["news"], ["self_harm"], []) for _ in range(12)]

    def raters(page):
        return tuple(vote.rater.code for vote in adjudication.votes_on(page, salt="session"))

    assert raters(pages[0]) == raters(pages[0])
    assert len({raters(page) for page in pages}) > 1


# ---- deciding -------------------------------------------------------------------------------------------------------
def test_a_decision_settles_the_page(disputed, adjudicator):
    decide(disputed, adjudicator)
    counted = Consensus.objects.get(item=disputed)
    assert counted.state == "adjudicated"
    assert {key: label["verdict"] for key, label in counted.labels.items()} == {
        "games": "yes", "news": "no", "self_harm": "no",
    }  # fmt: skip
    assert not Dispute.objects.open().filter(item=disputed).exists()


@pytest.mark.parametrize(
    ("verdicts", "sentence"),
    [
        ({"games": "yes"}, "Still to decide: News."),
        ({**BOTH, "self_harm": "no"}, "Not in conflict on this page: self_harm."),
        ({"games": "yes", "news": "perhaps"}, "A verdict on News is yes, no or unsure."),
    ],
)
def test_exactly_the_labels_in_conflict_are_decided(disputed, adjudicator, verdicts, sentence):
    with pytest.raises(Unacceptable, match=sentence):
        decide(disputed, adjudicator, verdicts)
    assert not Adjudication.objects.exists()


def test_a_cause_is_asked_for(disputed, adjudicator):
    with pytest.raises(Unacceptable, match="Say why they disagreed"):
        decide(disputed, adjudicator, cause="")


def test_a_page_one_answered_is_decided_by_someone_else(project, disputed):
    both = make_member(project, "adjudicator", "annotator")
    make_judgment(disputed, both, yes=["games"])
    consensus.refresh(disputed, project=project)
    with pytest.raises(Forbidden, match="You answered this page yourself"):
        decide(disputed, both)


def test_the_second_of_two_gets_both_versions_and_no_name(disputed, adjudicator, other_adjudicator):
    seen = adjudication.case_of(disputed).version
    decide(disputed, adjudicator, seen=seen)
    with pytest.raises(Stale) as stale:
        decide(disputed, other_adjudicator, {"games": "no", "news": "no"}, cause="guideline", seen=seen)
    assert stale.value.extra["theirs"]["verdicts"] == BOTH
    assert stale.value.extra["mine"]["verdicts"] == {"games": "no", "news": "no"}
    assert adjudicator.username not in str(stale.value.extra)
    assert Adjudication.objects.count() == 1


def test_a_vote_that_came_meanwhile_makes_the_decision_stale(project, disputed, adjudicator):
    seen = adjudication.case_of(disputed).version
    make_judgment(disputed, "late", yes=["self_harm"])
    consensus.refresh(disputed, project=project)
    with pytest.raises(Stale):
        decide(disputed, adjudicator, seen=seen)


def test_the_same_decision_sent_twice_is_one(disputed, adjudicator):
    seen = adjudication.case_of(disputed).version
    first = decide(disputed, adjudicator, seen=seen)
    assert decide(disputed, adjudicator, seen=seen) == first
    assert Adjudication.objects.count() == 1


def test_deciding_again_supersedes_and_keeps_the_old(disputed, adjudicator, other_adjudicator):
    first = decide(disputed, adjudicator)
    second = decide(disputed, other_adjudicator, {"games": "no", "news": "no"})
    first.refresh_from_db()
    assert first.superseded_at is not None
    assert first.verdicts == BOTH
    assert list(Adjudication.objects.in_force()) == [second]


def test_a_new_dispute_is_decided_alone_and_the_old_verdicts_stand(project, disputed, adjudicator):
    decide(disputed, adjudicator)
    make_judgment(disputed, "late", yes=["self_harm"])
    consensus.refresh(disputed, project=project)
    assert decide(disputed, adjudicator, {"self_harm": "no"}).verdicts == {**BOTH, "self_harm": "no"}


def test_the_record_holds_old_and_new(disputed, adjudicator):
    decide(disputed, adjudicator)
    decide(disputed, adjudicator, {"games": "no", "news": "no"})
    event = Event.objects.filter(kind="adjudication.decided").latest("id")
    assert (event.data["old"], event.data["new"]) == (BOTH, {"games": "no", "news": "no"})


def test_there_is_nothing_to_decide_where_people_agree(project, adjudicator):
    with pytest.raises(Refused, match="do not conflict"):
        adjudication.case_of(judged(project, ["games"], ["games"]))


def test_an_answer_cannot_be_changed_once_its_page_is_decided(disputed, adjudicator):
    decide(disputed, adjudicator)
    with pytest.raises(Refused, match="An adjudicator has decided"):
        judging.revise(disputed.judgments.first(), by=adjudicator, answer=judging.Answer(none=True))


# ---- taking back ----------------------------------------------------------------------------------------------------
def test_reopening_puts_the_page_back_in_dispute_and_keeps_the_decision(project, disputed, adjudicator):
    decide(disputed, adjudicator)
    adjudication.reopen(disputed, by=adjudicator)
    assert line(project, adjudicator) == [disputed]
    assert Adjudication.objects.filter(item=disputed).count() == 1


def test_a_released_decision_is_never_taken_back(project, disputed, adjudicator):
    decide(disputed, adjudicator)
    release(project, disputed)
    with pytest.raises(Refused, match="part of a release"):
        adjudication.reopen(disputed, by=adjudicator)
    with pytest.raises(Refused, match="part of a release"):
        decide(disputed, adjudicator, {"games": "no", "news": "no"})


def release(project, item):
    Draw.objects.create(project=project, number=1, seed="1", frame_sha256="0" * 64, frame_size=1, size=1)
    version = GoldRelease.objects.create(
        project=project, major=1, minor=0, patch=0, manifest_sha256="0" * 64, rows_sha256="0" * 64, n_items=1
    )
    GoldItem.objects.create(release=version, item=item, row_sha256="0" * 64, probability=1.0)


def test_progress_counts_decided_of_contested(project, disputed, adjudicator):
    judged(project, ["news"], [])
    decide(disputed, adjudicator)
    assert adjudication.progress(project) == {"decided": 1, "total": 2}
