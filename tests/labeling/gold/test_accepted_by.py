"""What a release accepts as settled, label by label: a decision, all alike, or a share of the votes."""

import pytest

from labeling import acceptances, jobs, released, settling
from labeling.candidates import prepare
from labeling.readiness import Request
from labeling.refusals import Refused, Unacceptable
from tests.factories import make_member
from tests.labeling.gold.work import annotators, answer_all, draw, freeze, make_gold_project, ready_project, row_of

pytestmark = pytest.mark.django_db


def test_consensus_accepts_a_share_of_the_votes_where_the_rule_says_so():
    project = make_gold_project()
    made = draw(project, size=1, overlap=4)
    people = annotators(project, 4)
    answer_all(project, *people, yes=lambda person, _item: [] if person == people[0] else ["games"])
    item = made.selections.get().item
    with pytest.raises(Refused, match="waits for a decision"):
        prepare(project, Request(accepted_by={"games": "consensus:0.8"}))
    row = row_of(freeze(project, accepted_by={"games": "consensus:0.75"}), item)
    assert (row["labels"]["games"], row["how"]["games"]) == ("yes", "consensus")


def test_adjudicated_alone_accepts_no_unanimous_answer():
    with pytest.raises(Refused, match="4 of 4 pages still wait for a decision"):
        freeze(ready_project(), accepted_by={"games": "adjudicated"})


def test_answers_accepted_together_are_decisions_of_who_accepted_them():
    project = ready_project()
    job = acceptances.queue_accepting(project, by=make_member(project, "adjudicator"), audit_share=0.0)
    assert jobs.run(job.pk) == "done"
    release = freeze(project, accepted_by={"games": "adjudicated"})
    rows = list(released.rows(release))
    assert {row["labels"]["games"] for row in rows} == {"yes", "no"}
    assert [row["how"]["games"] for row in rows] == ["adjudicated"] * 4


@pytest.mark.parametrize(
    "rule", ["majority", "consensus", "consensus:0.5", "consensus:2", "consensus:nan", "", None, 1]
)
def test_a_rule_that_is_none_is_named(rule):
    with pytest.raises(Unacceptable) as refused:
        settling.checked_rules({"games": rule}, keys={"games"})
    assert refused.value.errors[0]["pointer"] == "/accepted_by/games"


def test_a_rule_for_a_label_nobody_asks_is_named():
    with pytest.raises(Unacceptable, match="No label “chess” is asked"):
        freeze(ready_project(), accepted_by={"chess": "unanimous"})
