"""What is counted about the next version is what a freeze then makes."""

import pytest

from labeling import jobs, readiness, released, releases, samples
from labeling.models import SchemaVersion
from labeling.readiness import Request
from labeling.refusals import Refused, Unacceptable
from tests.factories import make_member, make_schema
from tests.labeling.gold.test_asking_again import publish
from tests.labeling.gold.work import (
    annotators,
    answer_all,
    decide,
    disputed_project,
    draw,
    freeze,
    make_gold_project,
    ready_project,
)

pytestmark = pytest.mark.django_db


def with_more_pages(project):
    draw(project, size=6)
    answer_all(project, *annotators(project))


def with_the_same_pages_once_more(project):
    draw(project, size=4)


def with_a_withdrawn_page(project):
    item = project.draws.earliest("number").selections.first().item
    type(item).objects.filter(pk=item.pk).update(state="withdrawn")


def with_another_guideline(project):
    make_schema(project, number=2)
    SchemaVersion.objects.filter(number=2).update(guideline="Read the page twice.")


def with_a_label_less(project):
    publish(project, drop=["self_harm"])


CHANGES = [
    (with_more_pages, "1.1.0", (2, 0, 0)),
    (with_the_same_pages_once_more, "1.1.0", (0, 0, 0)),
    (with_a_withdrawn_page, "2.0.0", (0, 1, 0)),
    (with_another_guideline, "1.0.1", (0, 0, 0)),
    (with_a_label_less, "2.0.0", (0, 4, 0)),
]


@pytest.mark.parametrize(("change", "version", "counts"), CHANGES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_version_a_page_names_is_the_one_that_is_frozen(change, version, counts):
    project = ready_project()
    first = freeze(project)
    change(project)
    standing = readiness.standing(project)
    assert standing.version == version
    assert (standing.change.n_added, standing.change.n_changed, standing.change.n_removed) == counts
    second = freeze(project)
    assert second.version == version
    change = released.changes(first, second)
    assert (len(change.added), len(change.changed), len(change.removed)) == counts
    assert released.n_changes(second) == dict(zip(("added", "changed", "removed"), counts, strict=True))
    assert standing.sentence == "Every page drawn is settled."
    assert readiness.standing(project).sentence.startswith(f"Nothing changed since version {version}")


def test_a_decision_taken_back_and_made_anew_is_counted_as_a_change():
    project, odd = disputed_project()
    judge = make_member(project, "adjudicator")
    decision = decide(odd, by=judge, games="yes")
    freeze(project)
    type(decision).objects.filter(pk=decision.pk).update(superseded_at=decision.decided_at)
    decide(odd, by=judge, games="no")
    standing = readiness.standing(project)
    assert (standing.version, standing.change.n_changed) == ("2.0.0", 1)


def test_a_restored_page_is_counted_as_a_change():
    project = ready_project()
    with_a_withdrawn_page(project)
    freeze(project)
    project.items.update(state="active")
    assert readiness.standing(project).change.n_changed == 1


def test_a_smaller_choice_of_samples_removes_pages():
    project = ready_project()
    draw(project, size=6, seed="b")
    answer_all(project, *annotators(project))
    freeze(project)
    with pytest.raises(Unacceptable, match="need a major version; minor is too small"):
        readiness.require(project, Request(samples=[1], bump="minor"))
    assert freeze(project, samples=[1]).version == "2.0.0"


def test_a_rule_that_accepts_less_leaves_disagreements_to_the_freeze():
    project, _ = disputed_project()
    with pytest.raises(Refused, match="waits for a decision"):
        readiness.require(project, Request())
    readiness.require(project, Request(accepted_by={"games": "consensus:0.95"}))
    job = releases.queue_freeze(project, Request(accepted_by={"games": "consensus:0.95"}), by=None)
    assert jobs.run(job.pk) == "failed"
    job.refresh_from_db()
    assert "1 of 4 pages still waits for a decision" in job.message


def test_a_project_without_labels_is_told_to_publish_some():
    project = make_gold_project()
    draw(project, size=1)
    project.schema.delete()
    assert readiness.standing(project).sentence == readiness.NO_LABELS


@pytest.mark.parametrize(
    ("so_far", "sentence"),
    [
        (samples.Progress(9, 3, 0), "3 of 9 pages still wait for an answer; annotate them, then freeze again."),
        (samples.Progress(9, 0, 1), "1 of 9 pages still waits for a decision; adjudicate it, then freeze again."),
        (
            samples.Progress(9, 3, 2),
            "5 of 9 pages still wait for an answer or a decision; annotate 3 and adjudicate 2, then freeze again.",
        ),
        (
            samples.Progress(2_000, 5, 1, n_outdated=3, n_archived=2),
            "6 of 2,000 pages still wait for an answer or a decision; annotate 2, ask again under Samples about the "
            "labels that have changed on 3 and adjudicate 1, then freeze again. "
            "2 of them are archived: restore or withdraw those first.",
        ),
        (
            samples.Progress(9, 2, 0, n_archived=1),
            "2 of 9 pages still wait for an answer; annotate them, then freeze again. "
            "1 of them is archived: restore or withdraw it first.",
        ),
    ],
)
def test_what_waits_is_said_with_what_to_do_about_it(so_far, sentence):
    assert readiness.waiting_sentence(so_far) == sentence
