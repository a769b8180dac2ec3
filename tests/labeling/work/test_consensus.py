import pytest

from labeling import adjudication, consensus, judging, queue, schemas, slots
from labeling.consensus import Vote, tally
from labeling.models import Consensus, Dispute, Label, Selection
from tests.factories import LABELS, make_item, make_judgment, make_member, make_project, make_schema


def vote(rater, round=1, outcome="judged", **verdicts):
    return Vote(rater, round, outcome, verdicts)


def gone(rater, round=1):
    return vote(rater, round, outcome="not_assessable")


def test_a_label_all_answer_alike_is_agreed():
    found = tally([vote(1, news="yes"), vote(2, news="yes")], complete=True)
    assert found.labels["news"] == {
        "yes": 2, "no": 0, "unsure": 0, "probability": 1.0, "verdict": "yes", "state": "agreed",
    }  # fmt: skip


def test_any_label_not_unanimous_is_a_dispute():
    found = tally([vote(1, news="yes", games="no"), vote(2, news="no", games="no")], complete=True)
    assert (found.state, found.open) == ("disputed", ["news"])


def test_unsure_beside_no_is_a_dispute():
    assert tally([vote(1, news="unsure"), vote(2, news="no")], complete=True).open == ["news"]


def test_all_unsure_needs_a_decision_too():
    found = tally([vote(1, news="unsure"), vote(2, news="unsure")], complete=True)
    assert found.open == ["news"] and found.labels["news"]["probability"] is None


def test_nothing_is_disputed_while_somebody_still_has_to_answer():
    found = tally([vote(1, news="yes"), vote(2, news="no")], complete=False)
    assert (found.state, found.open) == ("pending", [])


def test_a_decision_settles_its_label_and_no_other():
    votes = [vote(1, news="yes", games="yes"), vote(2, news="no", games="no")]
    found = tally(votes, complete=True, decided={"news": "no"})
    assert found.labels["news"]["verdict"] == "no" and found.open == ["games"]


def test_a_rater_votes_once_with_the_latest_round():
    found = tally([vote(1, round=1, news="yes"), vote(1, round=2, news="no"), vote(2, news="no")], complete=True)
    assert found.labels["news"]["yes"] == 0 and found.n_judgments == 2


def test_a_later_round_that_asked_for_some_labels_leaves_what_the_rater_said_on_the_others():
    first = vote(1, round=1, news="yes", games="no")
    found = tally([first, vote(1, round=2, games="yes")], complete=True)
    assert {key: label["verdict"] for key, label in found.labels.items()} == {"news": "yes", "games": "yes"}


def test_of_each_label_the_latest_answer_that_was_asked_it_counts():
    rounds = [vote(1, round=1, news="yes", chess="yes"), vote(1, round=2, news="no"), vote(1, round=3, maps="unsure")]
    found = tally(rounds, complete=True)
    assert {key: [label[said] for said in ("yes", "no", "unsure")] for key, label in found.labels.items()} == {
        "chess": [1, 0, 0], "maps": [0, 0, 1], "news": [0, 1, 0],
    }  # fmt: skip
    assert found.n_judgments == 1


def test_who_says_later_that_nobody_can_judge_the_page_takes_their_earlier_verdicts_back():
    found = tally([vote(1, round=1, news="yes"), gone(1, round=2), vote(2, news="yes")], complete=False)
    assert (found.labels["news"]["yes"], found.n_judgments, found.n_not_assessable) == (1, 2, 1)


def test_a_label_that_needs_a_person_is_in_dispute_whatever_the_votes_and_the_decision_say():
    votes = [vote(1, news="no"), vote(2, news="no")]
    found = tally(votes, complete=True, decided={"news": "yes"}, contested=["news"])
    assert (found.state, found.open, found.labels["news"]["verdict"]) == ("disputed", ["news"], None)


def test_a_page_most_people_could_not_judge_is_not_assessable():
    found = tally([gone(1), gone(2), vote(3, news="yes")], complete=True)
    assert found.not_assessable and found.labels == {} and found.state == "agreed"


@pytest.mark.parametrize("news", ["yes", "no", "unsure"])
def test_when_half_could_not_judge_all_the_other_half_says_needs_a_decision(news):
    found = tally([gone(1), vote(2, news=news, games="no")], complete=True)
    assert (found.state, found.open) == ("disputed", ["games", "news"])


def test_when_most_could_judge_their_answers_stand():
    found = tally([gone(1), vote(2, news="no"), vote(3, news="no")], complete=True)
    assert (found.state, found.labels["news"]["verdict"]) == ("agreed", "no")


def test_a_label_nobody_was_asked_has_no_state():
    assert "games" not in tally([vote(1, news="yes")], complete=True).labels


def test_expected_error_counts_what_is_open():
    votes = [vote(1, news="yes", games="no"), vote(2, news="no", games="no"), vote(3, news="no", games="no")]
    assert tally(votes, complete=True).expected_error == pytest.approx(1 / 3)


@pytest.mark.django_db
class TestStored:
    def answer_both(self, project, *answers):
        item = make_item(project)
        slots.open_up(project, [Selection.objects.create(item=item, stream="import")], overlap=len(answers))
        for answer in answers:
            person = make_member(project, "annotator")
            judging.submit(queue.lease_next(project, annotator=person), by=person, answer=answer)
        return item

    def test_the_answer_that_completes_an_item_opens_its_disputes(self):
        project = make_project()
        item = self.answer_both(project, judging.Answer(yes=("news",)), judging.Answer(none=True))
        assert item.consensus.state == "disputed"
        assert list(Dispute.objects.open().values_list("label", flat=True)) == ["news"]

    def test_a_revision_that_agrees_closes_the_dispute(self):
        project = make_project()
        item = self.answer_both(project, judging.Answer(yes=("news",)), judging.Answer(none=True))
        first = item.judgments.current().first()
        judging.revise(first, by=first.rater.user, answer=judging.Answer(none=True))
        item.consensus.refresh_from_db()
        assert item.consensus.state == "agreed" and not Dispute.objects.open().exists()

    def test_honeypots_and_repeats_never_vote(self):
        project = make_project()
        item = make_item(project)
        make_judgment(item, "a", yes=["news"])
        make_judgment(item, "b", yes=["news"])
        make_judgment(item, "c", purpose="honeypot")
        consensus.refresh_many([item.pk], project=project)
        assert item.consensus.labels["news"]["verdict"] == "yes" and item.consensus.n_judgments == 2

    def test_many_at_once_equals_one_by_one(self):
        project = make_project()
        items = [make_item(project) for _ in range(5)]
        for place, item in enumerate(items):
            make_judgment(item, "a", yes=["news"] if place % 2 else [])
            make_judgment(item, "b", yes=["news", "games"] if place % 3 else [])
        consensus.refresh_many([item.pk for item in items], project=project)
        together = list(Consensus.objects.order_by("item").values("state", "labels", "expected_error"))
        for item in items:
            consensus.refresh(item, project=project)
        assert list(Consensus.objects.order_by("item").values("state", "labels", "expected_error")) == together


def publish(project, *, changed="", retired=""):
    """A second version, in which one label means something else and another is asked no more."""
    schema = make_schema(project, labels=LABELS, number=2)
    Label.objects.filter(schema=schema, key=changed).update(revision=2)
    Label.objects.filter(schema=schema, key=retired).update(retired=True)
    schemas.by_id.cache_clear()
    return schema


@pytest.mark.django_db
class TestQuestions:
    """Answers to different questions are never pooled, and answers to questions nobody asks any more count no more."""

    @pytest.fixture
    def project(self):
        return make_project()

    @pytest.fixture
    def item(self, project):
        item = make_item(project)
        make_judgment(item, "a", yes=["news"])
        return item

    @pytest.fixture(params=["one", "many"])
    def refresh(self, request, project):
        def count_again(item):
            if request.param == "one":
                consensus.refresh(item, project=project)
            else:
                consensus.refresh_many([item.pk], project=project)
            return Consensus.objects.get(item=item)

        return count_again

    def test_an_answer_to_what_a_label_meant_before_is_no_vote_on_what_it_means_now(self, project, item, refresh):
        make_judgment(item, "b", schema=publish(project, changed="news"))
        found = refresh(item)
        assert (found.labels["news"]["yes"], found.labels["news"]["no"]) == (0, 1)
        assert (found.labels["games"]["yes"], found.labels["games"]["no"]) == (0, 2)
        assert found.state == "agreed"

    def test_a_retired_label_is_counted_no_more_and_its_dispute_is_closed(self, project, item, refresh):
        make_judgment(item, "b")
        assert refresh(item).state == "disputed"
        publish(project, retired="news")
        found = refresh(item)
        assert "news" not in found.labels and found.state == "agreed"
        assert not Dispute.objects.open().exists()

    def test_a_page_all_of_whose_answers_are_outdated_waits(self, project, refresh):
        item = make_item(project)
        make_judgment(item, "a", asked=["news"], yes=["news"])
        publish(project, changed="news")
        found = refresh(item)
        assert (found.state, found.labels, found.n_judgments) == ("pending", {}, 1)

    def test_who_judged_the_page_under_another_question_still_shows_that_it_can_be_judged(self, project, refresh):
        item = make_item(project)
        make_judgment(item, "a", asked=["news"], yes=["news"])
        make_judgment(item, "b", outcome="not_assessable", asked=[])
        publish(project, changed="news")
        refresh(item)
        item.refresh_from_db()
        assert not item.not_assessable

    def test_a_decision_on_what_a_label_meant_before_decides_nothing_now(self, project, item, refresh):
        make_judgment(item, "b")
        refresh(item)
        judge = make_member(project, "adjudicator")
        case = adjudication.open_case(item, by=judge)
        decision = adjudication.Decision({"news": "yes"}, "overlooked")
        adjudication.decide(item, by=judge, decision=decision, seen_version=case.version)
        schema = publish(project, changed="news")
        make_judgment(item, "c", schema=schema, yes=["news"])
        make_judgment(item, "d", schema=schema)
        found = refresh(item)
        assert (found.labels["news"]["state"], found.labels["news"]["verdict"]) == ("disputed", None)

    def test_the_check_counts_as_the_store_does(self, project, item, refresh):
        make_judgment(item, "b", schema=publish(project, changed="news", retired="games"))
        stored = refresh(item)
        found = consensus.count_many([item.pk], ground=consensus.Ground.of(project))
        assert found[item.pk].pooled.labels == stored.labels
