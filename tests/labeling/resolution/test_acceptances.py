"""What all agree on, accepted together; a share drawn by chance is decided one by one, unseen."""

import pytest

from labeling import acceptances, adjudication, tasks
from labeling.models import Acceptance, Adjudication, AuditPick, Consensus, Event
from labeling.refusals import Refused, Unacceptable
from tests.factories import make_judgment
from tests.labeling.resolution.conftest import judged
from tests.labeling.resolution.test_adjudication import decide, line

pytestmark = pytest.mark.django_db


@pytest.fixture
def alike(project):
    return [judged(project, ["games"], ["games"]) for _ in range(4)]


def accept(project, by, share=0.0):
    job = acceptances.queue_accepting(project, by=by, audit_share=share)
    tasks.run_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == "done", job.message
    return job.result


def test_pages_all_agree_on_are_decided_and_disputed_ones_stay(project, adjudicator, alike):
    disputed = judged(project, ["games"], [])
    assert accept(project, adjudicator) == {"n_accepted": 4, "n_drawn": 0}
    decision = Adjudication.objects.in_force().get(item=alike[0])
    assert decision.how == "accepted"
    assert decision.verdicts == {"games": "yes", "news": "no", "self_harm": "no"}
    assert Consensus.objects.get(item=alike[0]).state == "adjudicated"
    assert line(project, adjudicator) == [disputed]


def test_the_trail_of_each_page_holds_old_and_new(project, adjudicator, alike):
    accept(project, adjudicator)
    event = Event.objects.get(kind="adjudication.accepted", data__item=alike[0].public_id)
    assert event.actor == adjudicator
    assert (event.data["old"]["games"], event.data["new"]["games"]) == (None, "yes")


def test_the_share_drawn_by_chance_is_decided_by_itself_on_every_label(project, adjudicator, alike):
    assert accept(project, adjudicator, share=1.0) == {"n_accepted": 0, "n_drawn": 4}
    assert set(line(project, adjudicator)) == set(alike)
    case = adjudication.case_of(alike[0])
    assert case.is_unseen
    assert case.conflict == ["games", "news", "self_harm"]
    decide(alike[0], adjudicator, {"games": "no", "news": "no", "self_harm": "no"}, cause="")
    pick = AuditPick.objects.get(item=alike[0])
    assert pick.closed_at and pick.adjudication.how == "audited"
    assert pick.expected["games"] == "yes"
    assert alike[0] not in line(project, adjudicator)


def test_the_seed_tells_which_pages_are_drawn(project, adjudicator, alike):
    accept(project, adjudicator, share=0.5)
    made = Acceptance.objects.get()
    drawn = {pick.item for pick in AuditPick.objects.all()}
    assert drawn == {page for page in alike if acceptances.is_drawn(made, page.public_id)}
    assert made.n_accepted + made.n_drawn == 4


def test_a_second_run_finds_nothing_more_to_do(project, adjudicator, alike):
    accept(project, adjudicator)
    with pytest.raises(Refused, match="No page waits"):
        acceptances.queue_accepting(project, by=adjudicator)


def test_own_answers_and_single_answers_are_accepted_by_nobody(project, adjudicator):
    mine = judged(project, ["games"], ["games"])
    make_judgment(mine, adjudicator, yes=["games"])
    judged(project, ["games"])
    with pytest.raises(Refused):
        acceptances.queue_accepting(project, by=adjudicator)


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_that_is_none_is_said(project, adjudicator, alike, share):
    with pytest.raises(Unacceptable, match="from 0 to 1"):
        acceptances.queue_accepting(project, by=adjudicator, audit_share=share)


def test_an_accepted_page_can_be_reopened_and_is_agreed_again(project, adjudicator, alike):
    accept(project, adjudicator)
    adjudication.reopen(alike[0], by=adjudicator)
    assert Consensus.objects.get(item=alike[0]).state == "agreed"
