"""The sums behind the dashboards: from what changed alone they come to what a count of everything comes to."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling import consensus, jobs, judging, queue, slots, summaries, sums_stored, sweeping, tasks
from labeling.models import (
    AgreementCell,
    AgreementSummary,
    ConfusionCell,
    Consensus,
    Counted,
    Job,
    Judgment,
    PairCell,
    RaterCell,
    Selection,
)
from labeling.quality.cells import cells_of
from labeling.sums import Sums
from tests.factories import make_assignment, make_item, make_judgment, make_member, make_project, make_schema

assert tasks  # registers what the jobs do
pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 9, 7, 12, tzinfo=UTC)
PEOPLE = ("w0", "w1", "w2", "w3")


@pytest.fixture
def project():
    return make_project()


def answered(project, *answers, at=MONDAY, **fields):
    """A page with one answer of w0, one of w1, ..."""
    page = make_item(project)
    for who, yes in zip(PEOPLE, answers, strict=False):
        make_judgment(page, who, yes=yes, submitted_at=at, **fields)
    consensus.refresh(page, project=project)
    return page


def rows(project):
    """(label, n, k) -> pages, over all weeks and streams."""
    found = AgreementCell.objects.filter(project=project, is_mixed=False).exclude(label="")
    return {(row.label, row.n, row.k): row.count for row in found}


def assert_whole(project):
    """What is stored equals what all that was counted comes to, put in anew."""
    again = Sums()
    for row in Counted.objects.filter(project=project):
        summaries.add_counted(again, row)
    stored = sums_stored.stored(project)
    assert stored.cells == again.cells
    assert stored.raters == again.raters
    assert stored.pairs == again.pairs
    assert stored.confusions == again.confusions


# ---- what is counted ------------------------------------------------------------------------------------------------
def test_a_page_stands_in_one_cell_a_label(project):
    answered(project, ["games"], ["games", "news"], [])
    summaries.count(project)
    assert rows(project) == {("games", 3, 2): 1, ("news", 3, 1): 1, ("self_harm", 3, 0): 1}


def test_the_week_is_that_of_the_last_answer(project):
    page = make_item(project)
    make_judgment(page, "w0", submitted_at=MONDAY)
    make_judgment(page, "w1", submitted_at=MONDAY + timedelta(days=9))
    consensus.refresh(page, project=project)
    summaries.count(project)
    assert {row.week.isoformat() for row in AgreementCell.objects.all()} == {"2026-09-14"}


def test_what_two_people_say_of_the_same_pages_stands_in_one_row(project):
    answered(project, ["games"], ["news"])
    answered(project, ["games"], ["games"])
    summaries.count(project)
    [pair] = PairCell.objects.all()
    assert (pair.n, pair.n11, pair.n10, pair.n01, pair.n00) == (2, 1, 1, 1, 3)
    assert pair.labels["games:1"] == [1, 1, 0, 0]


def test_swapped_labels_are_told_from_labels_that_are_merely_in_doubt(project):
    answered(project, ["games"], ["news"])
    answered(project, ["games"], [])
    summaries.count(project)
    found = {(row.label_a, row.label_b): (row.n, row.k, row.swaps) for row in ConfusionCell.objects.all()}
    assert found == {("games", "news"): (2, 1, 1), ("games", "self_harm"): (2, 0, 0), ("news", "self_harm"): (1, 0, 0)}


def test_an_answer_that_was_asked_for_because_others_differed_is_left_out(project):
    page = answered(project, ["games"], [])
    make_judgment(page, "w2", yes=["games"], purpose="added")
    make_judgment(page, "w3", yes=["games"], purpose="audit")
    consensus.refresh(page, project=project)
    summaries.count(project)
    assert rows(project)["games", 2, 1] == 1
    assert {row.rater.code: (row.n_answers, row.n_counted) for row in RaterCell.objects.all()} == {
        "w0": (1, 1), "w1": (1, 1), "w2": (1, 0), "w3": (1, 0)
    }  # fmt: skip


def test_answers_of_people_who_were_shown_a_suggestion_are_counted_apart(project):
    page = answered(project, ["games"], [])
    make_judgment(page, "w2", yes=["games"], saw_suggestion=True)
    consensus.refresh(page, project=project)
    summaries.count(project)
    found = {(row.is_aided, row.n, row.k): row.count for row in AgreementCell.objects.filter(label="games")}
    assert found == {(False, 2, 1): 1, (True, 1, 1): 1}


def test_a_page_of_two_streams_counts_in_each_and_once_in_all(project):
    page = make_item(project)
    for slot, (who, stream) in enumerate((("w0", "import"), ("w1", "import"), ("w0", "random"), ("w2", "random"))):
        chosen = Selection.objects.create(item=page, stream=stream)
        seat = make_assignment(project, page, slot=slot, selection=chosen, round=1 + slot // 2)
        make_judgment(page, who, yes=["games"], assignment=seat, round=1 + slot // 2)
    consensus.refresh(page, project=project)
    summaries.count(project)
    found = {(row.stream, row.is_mixed): row.n for row in AgreementCell.objects.filter(label="games")}
    assert found == {("import", True): 2, ("random", True): 2, ("", False): 3}


def test_answers_under_another_meaning_are_taken_out(project):
    page = answered(project, ["games"], [])
    summaries.count(project)
    make_schema(project, number=2).labels.filter(key="games").update(revision=2)
    consensus.refresh_many([page.pk], project=project)
    summaries.count(project)
    assert {key[0] for key in rows(project)} == {"news", "self_harm"}
    assert_whole(project)


# ---- what changed ---------------------------------------------------------------------------------------------------
def test_a_page_that_changed_leaves_nothing_behind(project):
    page = answered(project, ["games"], ["news"])
    summaries.count(project)
    Judgment.objects.filter(item=page).update(voided_at=MONDAY)
    consensus.refresh(page, project=project)
    assert summaries.count(project) == 1
    for table in (AgreementCell, RaterCell, PairCell, ConfusionCell, Counted):
        assert not table.objects.exists()


def test_changes_in_any_order_come_to_what_a_count_of_everything_comes_to(project):
    """Six rounds of answers given, changed and voided by chance; what the sums hold is compared after each."""
    rng = random.Random(4)
    pages = [make_item(project) for _ in range(12)]
    for turn in range(6):
        for page in rng.sample(pages, 6):
            who = rng.choice(PEOPLE)
            said = Judgment.objects.current().filter(item=page, rater__code=who)
            if said.exists():
                said.update(voided_at=MONDAY)
            if rng.random() < 0.8:
                yes = [key for key in ("games", "news", "self_harm") if rng.random() < 0.4]
                make_judgment(page, who, yes=yes, submitted_at=MONDAY + timedelta(weeks=turn),
                              saw_suggestion=rng.random() < 0.2)  # fmt: skip
            consensus.refresh(page, project=project)
        summaries.count(project)
        assert_whole(project)
    before = sums_stored.stored(project)
    Consensus.objects.update(dirty=True)
    summaries.count(project)
    assert sums_stored.stored(project) == before


def test_the_cells_are_those_of_the_arrays(project):
    rng = random.Random(7)
    for _ in range(30):
        answered(
            project, *([key for key in ("games", "news") if rng.random() < 0.5] for _ in range(rng.choice([1, 2, 3])))
        )
    summaries.count(project)
    votes = list(Judgment.objects.order_by("id").values_list("item", "verdicts"))
    _, items = np.unique([item for item, _ in votes], return_inverse=True)
    verdicts = np.array([[said["games"] == "yes", said["news"] == "yes"] for _, said in votes], dtype=np.int8)
    for key, cells in zip(("games", "news"), cells_of(items, verdicts), strict=True):
        expected = dict(zip(zip(cells.n.tolist(), cells.k.tolist(), strict=True), cells.count.tolist(), strict=True))
        assert {(n, k): count for (label, n, k), count in rows(project).items() if label == key} == expected


# ---- the job --------------------------------------------------------------------------------------------------------
def test_an_answer_marks_its_page_and_costs_no_statement_for_it(project):
    person = make_member(project, "annotator")
    items = [make_item(project) for _ in range(2)]
    slots.open_up(project, [Selection.objects.create(item=item, stream="import") for item in items], overlap=1)
    judging.submit(queue.lease_next(project, annotator=person), by=person, answer=judging.Answer(yes=("news",)))
    summaries.count(project)
    assert not Consensus.objects.filter(dirty=True).exists()
    with CaptureQueriesContext(connection) as asked:
        judging.submit(queue.lease_next(project, annotator=person), by=person, answer=judging.Answer(yes=("news",)))
    assert Consensus.objects.filter(dirty=True).count() == 1
    assert sum('"labeling_consensus"' in query["sql"] and "SELECT" not in query["sql"][:6] for query in asked) == 1


def test_the_sweep_writes_one_job_for_a_project_with_marked_pages(project):
    answered(project, ["games"], [])
    assert sweeping.sweep()["to_count"] == 1
    sweeping.sweep()
    [job] = Job.objects.filter(kind=summaries.KIND)
    assert jobs.run(job.pk) == "done"
    assert rows(project)["games", 2, 1] == 1
    answered(project, ["games"], [])
    assert sweeping.sweep()["to_count"] == 0  # it was counted just now


def test_a_worker_that_was_thought_dead_counts_nothing(project):
    answered(project, ["games"], [])
    job = jobs.enqueue(summaries.KIND, project=project)
    claim = jobs.claim(job.pk)
    Job.objects.filter(pk=job.pk).update(fence=99)
    with pytest.raises(jobs.FenceLost):
        summaries.run(claim)
    assert not AgreementCell.objects.exists()
    assert Consensus.objects.get().dirty


def test_who_looks_has_what_changed_since_counted_while_it_is_little(project, monkeypatch):
    answered(project, ["games"], [])
    assert summaries.freshen(project) == 0
    assert rows(project)["games", 2, 1] == 1
    monkeypatch.setattr(summaries, "AT_ONCE", 1)
    for _ in range(3):
        answered(project, ["games"], [])
    assert summaries.freshen(project) == 2  # more than one wait; the job counts them
    assert rows(project)["games", 2, 1] == 1


def test_chunks_add_up(project, monkeypatch):
    monkeypatch.setattr(summaries, "CHUNK", 2)
    monkeypatch.setattr(summaries, "CHUNK_UNASKED", 3)
    for _ in range(5):
        answered(project, ["games"], [])
    assert summaries.count(project) == 5
    assert rows(project)["games", 2, 1] == 5
    assert AgreementSummary.objects.get().counted_at is not None


def test_many_pages_are_locked_at_once_only_where_nobody_is_asked(project):
    answered(project, ["games"], [])
    locks_rows = connection.features.has_select_for_update
    assert summaries.chunk_of(project) == (summaries.CHUNK_UNASKED if locks_rows else summaries.CHUNK)
    make_assignment(project)
    assert summaries.chunk_of(project) == summaries.CHUNK
