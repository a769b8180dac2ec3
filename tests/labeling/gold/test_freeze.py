"""Freezing: only what chance drew and people settled, once, and the same bytes for ever."""

import json
from datetime import UTC, datetime

import pytest
import time_machine
from rest_framework.test import APIClient

from labeling import jobs, queue, released, releases, verification
from labeling.models import GoldItem, GoldRelease, Judgment, SchemaVersion, Stream
from labeling.readiness import Request
from labeling.refusals import Refused, Unacceptable
from labeling.release_format import Head, release_files, sha256_of
from tests.factories import make_item, make_judgment, make_member, make_schema
from tests.labeling.gold.work import (
    annotators,
    answer_all,
    decide,
    disputed_project,
    draw,
    freeze,
    make_gold_project,
    ready_project,
    row_of,
)

pytestmark = pytest.mark.django_db


# ---- what goes in ---------------------------------------------------------------------------------------------------
def test_the_first_version_is_1_0_0_and_verifies(tmp_path):
    project = ready_project()
    release = freeze(project)
    assert (release.version, release.n_items) == ("1.0.0", 4)
    released.write_folder(release, tmp_path / "gold")
    assert verification.verify(tmp_path / "gold") == []


def test_a_release_holds_exactly_the_drawn_items_with_their_probability():
    project = ready_project(n_items=8, size=4)
    release = freeze(project)
    held = set(GoldItem.objects.filter(release=release).values_list("item", "probability"))
    chosen = set(project.draws.get().selections.values_list("item", "probability"))
    assert held == chosen
    assert len(held) == 4


def test_answers_from_other_streams_are_not_gold():
    project = make_gold_project()
    made = draw(project, size=2)
    item = made.selections.get(rank=1).item
    make_judgment(item, "old rater", yes=["news"])
    answer_all(project, *annotators(project))
    assert project.disputes.open().get().label == "news"  # a disagreement to look at, and no vote here
    client = APIClient()
    client.force_login(make_member(project, "manager"))
    sample = client.get(f"/api/v1/projects/{project.slug}/samples/1/").json()
    assert (sample["n_waiting"], sample["n_disputed"], sample["n_settled"]) == (0, 0, 2)
    assert "Version 1.0.0 can be frozen" in client.get(f"/p/{project.slug}/releases/").content.decode()
    row = row_of(freeze(project), item)
    assert (row["labels"]["news"], row["how"]["news"]) == ("no", "unanimous")


def test_a_page_the_learner_picked_is_not_gold_for_that():
    project = ready_project()
    picked = make_item(project)
    make_judgment(picked, "someone", yes=["games"])
    picked.selections.create(stream=Stream.UNCERTAINTY)
    assert picked.public_id not in {row["item"] for row in released.rows(freeze(project))}


def test_a_decision_settles_a_disagreement_and_says_so():
    project, odd = disputed_project()
    decide(odd, by=make_member(project, "adjudicator"), games="yes")
    row = row_of(freeze(project), odd)
    assert (row["labels"]["games"], row["how"]["games"]) == ("yes", "adjudicated")
    assert (row["labels"]["news"], row["how"]["news"]) == ("no", "unanimous")
    assert row["n_judgments"] == 2


def test_a_page_nobody_can_judge_is_recorded_with_that_outcome():
    from labeling import judging

    project = make_gold_project()
    made = draw(project, size=1)
    for person in annotators(project):
        judging.not_assessable(queue.lease_next(project, annotator=person), by=person, reason="dead")
    row = row_of(freeze(project), made.selections.get().item)
    assert (row["outcome"], row["labels"]) == ("not_assessable", {})


def test_a_withdrawn_page_keeps_its_row_without_labels():
    project = make_gold_project()
    made = draw(project, size=2)
    gone = made.selections.get(rank=1).item
    gone.state = "withdrawn"
    gone.save()
    answer_all(project, *annotators(project))
    row = row_of(freeze(project), gone)
    assert (row["outcome"], row["labels"]) == ("withdrawn", {})


def test_no_file_of_a_release_names_a_person():
    project = ready_project()
    names = set(project.memberships.values_list("user__username", flat=True))
    names |= set(project.raters.values_list("code", flat=True))
    release = freeze(project)
    everything = b"".join(released.read_file(release, file.name) for file in release.files.all())
    assert not [name for name in names if name.encode() in everything]


# ---- what stops it --------------------------------------------------------------------------------------------------
def test_without_a_sample_there_is_nothing_to_freeze():
    with pytest.raises(Refused, match="Draw a sample first"):
        freeze(make_gold_project())


def test_open_slots_block_and_are_counted():
    project = make_gold_project()
    draw(project, size=4)
    answer_all(project, annotators(project)[0])
    with pytest.raises(Refused) as refused:
        freeze(project)
    assert refused.value.sentence == "4 of 4 pages still wait for an answer; annotate them, then freeze again."


def test_a_disagreement_blocks_until_it_is_decided():
    project, _ = disputed_project()
    with pytest.raises(Refused) as refused:
        freeze(project)
    assert refused.value.sentence == "1 of 4 pages still waits for a decision; adjudicate it, then freeze again."
    assert not GoldRelease.objects.exists()


def test_a_sample_that_is_none_is_named():
    with pytest.raises(Unacceptable, match="no sample 7"):
        freeze(ready_project(), samples=[1, 7])


def test_freezing_with_no_change_is_refused():
    project = ready_project()
    freeze(project)
    with pytest.raises(Refused, match=r"Nothing changed since version 1\.0\.0"):
        freeze(project, notes="Other words", bump="major")
    assert GoldRelease.objects.count() == 1


# ---- the next version -----------------------------------------------------------------------------------------------
def test_a_larger_sample_is_a_minor_version_with_the_old_rows_unchanged():
    project = ready_project(n_items=8, size=3)
    first = freeze(project)
    draw(project, size=6)
    answer_all(project, *annotators(project))
    second = freeze(project)
    assert second.version == "1.1.0"
    assert set(released.read_file(first, "data.jsonl").splitlines()) < set(
        released.read_file(second, "data.jsonl").splitlines()
    )
    weights = [json.loads(line) for line in released.read_file(second, "weights.jsonl").splitlines()]
    assert {weight["probability_fraction"] for weight in weights} == {"3/4"}
    assert json.loads(released.read_file(second, "manifest.json"))["parent"] == {
        "version": "1.0.0", "manifest_sha256": first.manifest_sha256,
    }  # fmt: skip


def test_independent_samples_give_each_item_the_probability_of_either():
    project = make_gold_project(n_items=8)
    draw(project, size=4, seed="a")
    draw(project, size=4, seed="b")
    answer_all(project, *annotators(project))
    weights = released.read_file(freeze(project), "weights.jsonl").splitlines()
    assert {json.loads(weight)["probability_fraction"] for weight in weights} == {"3/4"}


def test_an_item_imported_after_a_draw_could_only_come_by_the_later_one():
    project = make_gold_project(n_items=4)
    draw(project, size=4, seed="a")
    new = make_item(project)
    draw(project, size=5, seed="b")
    answer_all(project, *annotators(project))
    release = freeze(project, samples=[1])
    assert new.public_id not in {row["item"] for row in released.rows(release)}
    assert {row.probability for row in GoldItem.objects.filter(release=freeze(project))} == {1.0}


def test_a_corrected_label_is_a_major_version():
    project, odd = disputed_project()
    judge = make_member(project, "adjudicator")
    decision = decide(odd, by=judge, games="yes")
    freeze(project)
    type(decision).objects.filter(pk=decision.pk).update(superseded_at=decision.decided_at)
    decide(odd, by=judge, games="no")
    release = freeze(project)
    assert release.version == "2.0.0"
    assert released.changes(release.parent, release).changed == (odd.public_id,)


def test_other_words_for_the_same_question_are_a_patch_version():
    project = ready_project()
    freeze(project)
    make_schema(project, number=2)
    SchemaVersion.objects.filter(number=2).update(guideline="Read the page twice.")
    assert freeze(project).version == "1.0.1"


def test_the_bump_may_be_raised_and_never_lowered():
    project = ready_project(n_items=8, size=3)
    freeze(project)
    draw(project, size=6)
    answer_all(project, *annotators(project))
    with pytest.raises(Unacceptable, match="need a minor version; patch is too small"):
        freeze(project, bump="patch")
    assert freeze(project, bump="major").version == "2.0.0"


# ---- the same for ever ----------------------------------------------------------------------------------------------
def test_a_release_rebuilt_from_the_judgments_has_the_same_bytes(tmp_path):
    project, odd = disputed_project()
    judge = make_member(project, "adjudicator")
    first = decide(odd, by=judge, games="yes")
    release = freeze(project, notes="Spring")
    change_everything_since(project, first, odd, judge)
    stored = {file.name: released.read_file(release, file.name) for file in release.files.all()}
    assert releases.rebuild(release) == stored
    assert sha256_of(stored["manifest.json"]) == release.manifest_sha256


def change_everything_since(project, decision, odd, judge):
    from django.utils import timezone

    type(decision).objects.filter(pk=decision.pk).update(superseded_at=timezone.now())
    decide(odd, by=judge, games="no")
    Judgment.objects.filter(item__project=project).update(voided_at=timezone.now())
    make_schema(project, number=2, labels=("games", "sports"))
    project.name = "Renamed"
    project.save()
    draw(project, size=6)
    odd.state = "withdrawn"
    odd.save()


def test_rebuilding_asks_no_clock():
    """Clocks differ between machines: what came later may bear an earlier time, and answers a later one."""
    project, odd = disputed_project()
    decision = decide(odd, by=make_member(project, "adjudicator"), games="yes")
    release = freeze(project)
    long_ago, far_ahead = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    type(decision).objects.filter(pk=decision.pk).update(superseded_at=long_ago)
    Judgment.objects.filter(item__project=project).update(voided_at=long_ago)
    make_schema(project, number=2, labels=("games", "sports"), published_at=long_ago)
    SchemaVersion.objects.filter(project=project, number=1).update(published_at=far_ahead)
    stored = {file.name: released.read_file(release, file.name) for file in release.files.all()}
    assert releases.rebuild(release) == stored


def test_the_time_of_a_release_is_the_databases():
    project = ready_project()
    with time_machine.travel(datetime(2001, 1, 1, tzinfo=UTC)):
        release = freeze(project)
    assert release.created_at.year > 2001


def test_each_row_names_what_it_rests_on():
    project, odd = disputed_project()
    decision = decide(odd, by=make_member(project, "adjudicator"), games="yes")
    row = GoldItem.objects.get(release=freeze(project), item=odd)
    assert set(row.judgments) == set(odd.judgments.values_list("pk", flat=True))
    assert (row.decision, row.outcome) == (decision, "labelled")


def test_a_release_has_the_same_bytes_on_either_database():
    """The digest was computed once and stands here; the suite runs on both databases, and both must give it."""
    content = released.content(freeze(ready_project("same-bytes")))
    head = Head("same-bytes", "Same bytes", "1.0.0", datetime(2026, 3, 1, 12, tzinfo=UTC), notes="Frühling")
    manifest = release_files(content, head, change=None)["manifest.json"]
    assert sha256_of(manifest) == "43aadfc8db230be39f6b712dee7106d984ab098fedbc425a3e2673c3025e9a05"


def test_a_second_version_is_rebuilt_with_its_history():
    project = ready_project(n_items=8, size=3)
    freeze(project, notes="First.")
    draw(project, size=6)
    answer_all(project, *annotators(project))
    second = freeze(project, notes="More.")
    assert releases.rebuild(second) == {file.name: released.read_file(second, file.name) for file in second.files.all()}
    assert released.read_file(second, "CHANGES.md").decode().count("\n## ") == 2


def test_the_folder_is_written_whole_and_never_over_another(tmp_path):
    release = freeze(ready_project())
    released.write_folder(release, tmp_path / "gold")
    with pytest.raises(Refused, match="not empty"):
        released.write_folder(release, tmp_path / "gold")
    assert [path.name for path in tmp_path.iterdir()] == ["gold"]


# ---- as a job -------------------------------------------------------------------------------------------------------
def test_a_freeze_delivered_twice_is_one_release():
    project = ready_project()
    job = releases.queue_freeze(project, Request(), by=None)
    assert [jobs.run(job.pk), jobs.run(job.pk)] == ["done", "not ours"]
    job.refresh_from_db()
    assert job.result["version"] == "1.0.0"


def test_a_freeze_killed_after_its_commit_finds_the_release_it_made():
    project = ready_project()
    job = releases.queue_freeze(project, Request(), by=None)
    jobs.run(job.pk)
    type(job).objects.filter(pk=job.pk).update(state="queued")
    assert jobs.run(job.pk) == "done"
    job.refresh_from_db()
    assert job.result["version"] == "1.0.0"
    assert GoldRelease.objects.count() == 1


def test_a_freeze_that_lost_its_fence_leaves_nothing_and_the_version_free():
    project = ready_project()
    with pytest.raises(jobs.FenceLost):
        releases.freeze(project, Request(), by=None, guard=lost)
    assert freeze(project).version == "1.0.0"


def lost():
    raise jobs.FenceLost


def test_one_freeze_at_a_time_is_queued():
    project = ready_project()
    releases.queue_freeze(project, Request(), by=None)
    with pytest.raises(Refused, match="being frozen at this moment"):
        releases.queue_freeze(project, Request(), by=None)


def test_what_is_open_is_refused_before_a_job_is_queued():
    project, _ = disputed_project()
    with pytest.raises(Refused, match="waits for a decision"):
        releases.queue_freeze(project, Request(), by=None)
    assert not project.jobs.filter(kind="freeze").exists()
