"""What was done on each day: counted from the answers, kept as rows, and the same when it is counted again."""

from datetime import UTC, datetime

import pytest

from labeling import consensus, daily_counts
from labeling.models import Adjudication, DailyCount, Judgment, Selection
from tests.factories import make_assignment, make_item, make_judgment, make_member, make_project

pytestmark = pytest.mark.django_db
MONDAY, TUESDAY, FRIDAY = (datetime(2026, 9, day, 12, tzinfo=UTC) for day in (7, 8, 11))


@pytest.fixture
def project():
    return make_project()


def answered(project, *times, stream="import", yes=((), ()), seconds=30.0, item=None, **fields):
    """A page answered at these times by different people, and counted."""
    page = item or make_item(project)
    chosen = Selection.objects.create(item=page, stream=stream)
    first = Judgment.objects.filter(item=page).count()
    for n, (at, said) in enumerate(zip(times, yes, strict=False), first):
        slot = make_assignment(
            project, page, slot=n + 1, selection=chosen, state="done", available_at=None,
            annotator=make_member(project, "annotator"),
        )  # fmt: skip
        make_judgment(page, f"w{n}", assignment=slot, submitted_at=at, active_seconds=seconds, yes=said, **fields)
    consensus.refresh(page, project=project)
    return page


def decided(page, at, *, seconds=60.0):
    made = Adjudication.objects.create(
        item=page, adjudicator=make_member(page.project, "adjudicator"), schema=page.project.schema,
        verdicts={"games": "yes"}, cause="overlooked", decided_at=at, active_seconds=seconds,
    )  # fmt: skip
    consensus.refresh(page, project=page.project)
    return made


def said(row):
    return {name: value for name in daily_counts.COUNTS if (value := getattr(row, name))}


def rows(project, stream=daily_counts.ALL):
    return {row.day.day: said(row) for row in daily_counts.counted(project) if row.stream == stream}


def test_answers_count_on_their_day_and_a_page_on_that_of_its_last_one(project):
    answered(project, MONDAY, TUESDAY)
    assert rows(project) == {
        7: {"answers": 1, "timed_answers": 1, "seconds": 30.0},
        8: {
            "answers": 1, "timed_answers": 1, "seconds": 30.0, "pages": 1, "page_answers": 2,
            "page_answers_squared": 4, "timed_pages": 1, "page_seconds": 60.0, "page_seconds_squared": 3600.0,
        },
    }  # fmt: skip


def test_a_disputed_page_is_settled_by_its_decision_and_that_takes_time_too(project):
    page = answered(project, MONDAY, MONDAY, yes=(["games"], []))
    assert "pages" not in rows(project)[7]
    decided(page, FRIDAY)
    assert "pages" not in rows(project)[7]
    friday = rows(project)[11]
    assert (friday["decisions"], friday["pages"], friday["page_answers"], friday["page_seconds"]) == (1, 1, 2, 120.0)


def test_streams_are_told_apart_and_a_page_of_two_counts_once_in_all(project):
    page = answered(project, MONDAY, stream="uncertainty")
    answered(project, MONDAY, stream="random", item=page)
    assert rows(project)[7]["pages"] == 1
    assert rows(project)[7]["page_answers"] == 2
    assert rows(project, "random")[7]["page_answers"] == rows(project, "uncertainty")[7]["page_answers"] == 1


def test_imported_answers_cost_nobodys_time(project):
    answered(project, MONDAY, source="import")
    assert rows(project) == {}


def test_a_page_with_an_answer_of_unknown_time_has_a_price_in_answers_only(project):
    answered(project, MONDAY, TUESDAY, seconds=None)
    assert rows(project)[8]["pages"] == 1
    assert "timed_pages" not in rows(project)[8]


def test_what_is_kept_is_what_is_counted(project):
    page = answered(project, MONDAY, TUESDAY, yes=(["games"], []))
    answered(project, TUESDAY, FRIDAY, stream="random")
    decided(page, FRIDAY)
    daily_counts.rebuild(project)
    assert kept(project) == fresh(project)


def test_only_days_of_items_that_changed_are_counted_again(project):
    page = answered(project, MONDAY, TUESDAY)
    answered(project, FRIDAY)
    daily_counts.rebuild(project)
    Judgment.objects.filter(item=page, rater__code="w1").update(voided_at=FRIDAY)
    consensus.refresh(page, project=project)
    daily_counts.mark(project, [page.pk])
    assert sorted(row.day.day for row in DailyCount.objects.stale()) == [7, 8]
    assert daily_counts.refresh(project) == 2
    assert kept(project) == fresh(project)
    assert 8 not in rows(project)


def test_a_decision_taken_back_leaves_its_day(project):
    page = answered(project, MONDAY, MONDAY, yes=(["games"], []))
    made = decided(page, FRIDAY)
    daily_counts.rebuild(project)
    Adjudication.objects.filter(pk=made.pk).update(superseded_at=FRIDAY)
    consensus.refresh(page, project=project)
    daily_counts.mark(project, [page.pk])
    daily_counts.refresh(project)
    assert kept(project) == fresh(project)
    assert {row.day.day for row in DailyCount.objects.filter(project=project)} == {7}


def kept(project):
    return {(row.day, row.stream): said(row) for row in DailyCount.objects.filter(project=project)}


def fresh(project):
    return {(row.day, row.stream): said(row) for row in daily_counts.counted(project)}
