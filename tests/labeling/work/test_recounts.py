"""What a publication or a lower overlap does to stored counts: at once on few pages, by a job on many."""

import pytest

from labeling import consensus, invariants, publishing, recounts
from labeling.models import Consensus, Dispute, Job
from labeling.publishing import LabelDraft
from labeling.tasks import run_job
from tests.factories import make_item, make_judgment, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project(labels=("games", "news"))


@pytest.fixture
def items(project):
    """Three pages on which two people disagree about News."""
    found = [make_item(project) for _ in range(3)]
    for item in found:
        make_judgment(item, "a", yes=["news"], source="import")
        make_judgment(item, "b", source="import")
    consensus.refresh_many([item.pk for item in found], project=project)
    return found


def publish(project, **changes):
    """Publish the labels again, News with these changes."""
    news = {"key": "news", "name": "News", "shortcut": "n"} | changes
    games = LabelDraft(key="games", name="Games", shortcut="g")
    return publishing.publish(project, publishing.Draft((games, LabelDraft(**news)), "Read the page first."), by=None)


def states():
    return list(Consensus.objects.order_by("item").values_list("state", flat=True))


def test_answers_to_a_question_that_changed_count_no_more_from_its_publication_on(project, items):
    assert states() == ["disputed"] * 3
    publish(project, definition="Only local papers.")
    assert states() == ["agreed"] * 3
    assert not Dispute.objects.open().exists()
    assert not [finding for finding in invariants.findings() if finding.n_breaches]


def test_a_label_that_is_asked_again_counts_its_answers_again(project, items):
    publish(project, retired=True)
    assert states() == ["agreed"] * 3
    publish(project, retired=False)
    assert states() == ["disputed"] * 3


def test_a_new_wording_of_the_same_question_counts_nothing_again(project, items):
    Consensus.objects.update(state="agreed")
    publish(project, definition="Newspapers.", meaning_unchanged=True)
    assert states() == ["agreed"] * 3


def test_many_pages_are_counted_again_by_one_job_that_can_run_twice(project, items, monkeypatch):
    monkeypatch.setattr(recounts, "AT_ONCE", 2)
    monkeypatch.setattr(recounts, "CHUNK", 2)
    publish(project, definition="Only local papers.")
    assert states() == ["disputed"] * 3
    publish(project, definition="Only papers.")
    job = Job.objects.get(kind="recount")
    assert run_job(str(job.pk)) == Job.State.DONE
    assert states() == ["agreed"] * 3
    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED)
    assert run_job(str(job.pk)) == Job.State.DONE
    assert states() == ["agreed"] * 3
