"""The overview: how far the work is, what a page costs, what waits; a large project is shown as it was last counted."""

import csv
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from labeling import consensus, daily_counts, project_counts
from labeling.models import DailyCount, ProjectCount
from labeling.project_counts import Counts
from labeling.views import charts, costs, queue_health
from labeling.views.shown import Shown
from tests.factories import make_assignment, make_item, make_judgment, make_member, make_project

pytestmark = pytest.mark.django_db
MONDAY, WEEK, DAY = date(2026, 9, 7), timedelta(days=7), timedelta(days=1)


@pytest.fixture
def project():
    return make_project()


@pytest.fixture
def manager(client, project):
    client.force_login(make_member(project, "manager"))
    return client


def worked(*days, answers=0, decisions=0, stream=""):
    return [DailyCount(day=day, stream=stream, answers=answers, decisions=decisions) for day in days]


def weeks(n):
    return [MONDAY + WEEK * place for place in range(n)]


def progress(project, days, *, today=MONDAY, **counts):
    return charts.progress(project, days, Counts(**counts), today=today)


def throughput(days, *, today, **params):
    return charts.throughput(days, Shown.asked(params, today=today))


# ---- progress -------------------------------------------------------------------------------------------------------
def test_progress_counts_what_is_given_here_towards_what_is_asked_for_here(project):
    found = progress(project, worked(MONDAY, answers=3), n_open=7, n_imported=1)
    assert (found["given"], found["goal"], found["heading"]) == ("3", "10", "3 of 10 answers are in")
    assert found["caption"] == "Answers given here, by week. 1 imported one is left out."
    assert found["note"] == "Cannot tell yet when the rest is done: two whole weeks with work are needed."


def test_a_forecast_is_said_with_its_range_and_reckoned_from_today(project):
    found = progress(project, worked(*weeks(8), answers=100), n_open=200, today=MONDAY + WEEK * 8)
    assert found["heading"].startswith("All answers may be in by about 1")
    assert "November" in found["heading"]
    assert found["note"].startswith("9 in 10 forecasts end between ")
    months_later = progress(project, worked(*weeks(8), answers=100), n_open=2000, today=MONDAY + WEEK * 8)
    assert months_later["heading"].endswith("\u00a02027")


def test_an_end_years_away_is_not_blamed_on_too_little_work(project):
    found = progress(project, worked(*weeks(3), answers=1), n_open=1000, today=MONDAY + WEEK * 3)
    assert found["note"] == (
        "Cannot tell when the rest is done: at the pace of these weeks it may take more than five years."
    )


def test_when_every_answer_is_in_nothing_is_forecast(project):
    found = progress(project, worked(MONDAY, answers=3))
    assert (found["heading"], found["note"]) == ("All answers asked for are in", "")


def test_once_all_answers_are_in_progress_is_that_of_the_disputes(project):
    days = worked(MONDAY, answers=30) + worked(*weeks(8), decisions=5)
    found = progress(project, days, n_disputed=20, today=MONDAY + WEEK * 8)
    assert found["heading"].startswith("All disputes may be settled by about ")
    assert (found["given"], found["done_word"], found["goal"]) == ("40", "decided", "60")
    assert progress(project, days)["heading"] == "All disputes are settled"


def test_disputes_nobody_decided_yet_leave_a_place_and_say_so(project):
    assert progress(project, [], n_disputed=2)["why"] == "Cannot tell yet: 2 pages are disputed, and none is decided."


# ---- throughput -----------------------------------------------------------------------------------------------------
def test_throughput_shows_the_days_to_today(project):
    days = worked(MONDAY, answers=3) + worked(MONDAY + DAY, answers=2)
    found = throughput(days, today=MONDAY + DAY * 2, period="4")
    assert found["heading"] == "5 answers in four weeks, on 2 days"
    assert [row["n"] for row in found["rows"]][-4:] == ["0", "3", "2", "0"]
    assert len(found["rows"]) == 28
    assert [row["n"] for row in found["rows"] if row["is_most"]] == ["3"]


def test_a_longer_time_is_drawn_by_week(project):
    days = worked(*weeks(20), answers=3) + worked(MONDAY + DAY, answers=2)
    found = throughput(days, today=MONDAY + WEEK * 20, period="all")
    assert [row["n"] for row in found["rows"]] == ["5", *["3"] * 19, "0"]


def test_work_that_stopped_long_ago_is_not_drawn_as_if_it_went_on():
    found = throughput(worked(MONDAY, answers=1), today=MONDAY + WEEK * 20)
    assert found["why"] == "The last answer was given on 7\u00a0September\u00a02026."


def test_a_stream_is_shown_alone():
    days = worked(MONDAY, answers=5) + worked(MONDAY, answers=2, stream="random")
    assert throughput(days, today=MONDAY, stream="random")["heading"].startswith("2 answers in ")
    assert throughput(days, today=MONDAY, stream="drift")["why"].endswith("so far in this stream.")


def test_an_address_that_says_nonsense_shows_the_usual():
    assert Shown.asked({"stream": "odd", "period": "-1"}, today=MONDAY) == Shown(today=MONDAY)


# ---- what a page costs ----------------------------------------------------------------------------------------------
def settled(n, answers, seconds, *, day=MONDAY):
    """So many pages that took so many answers, a hundred seconds more or less each."""
    return DailyCount(
        day=day, pages=n, page_answers=n * answers, page_answers_squared=n * answers * answers,
        timed_pages=n, page_seconds=n * seconds, page_seconds_squared=n * (seconds * seconds + 100 * 100),
    )  # fmt: skip


def test_the_cost_of_a_page_carries_its_interval(project):
    found = costs.cost(project, [settled(50, 2, 120.0), settled(50, 3, 180.0)], Shown(today=MONDAY))
    assert found["heading"] == "A settled page takes 2.5 answers and 2.5 minutes of people’s time"
    assert found["facts"][1] == ("Answers a page", "2.5 (2.4 to 2.6)")
    assert found["against_fixed"] == ""


def test_adaptive_overlap_stands_beside_a_fixed_one_when_it_is_on(project):
    project.adaptive, project.overlap_most = True, 5
    found = costs.cost(project, [settled(50, 2, 120.0), settled(50, 3, 180.0)], Shown(today=MONDAY))
    assert found["against_fixed"].endswith(": 48 to 52 % fewer answers than 5 to every page.")
    project.overlap_most = 2
    found = costs.cost(project, [settled(50, 2, 120.0), settled(50, 3, 180.0)], Shown(today=MONDAY))
    assert found["against_fixed"].endswith("whether that costs less than 2 answers to every page cannot be told yet.")


def test_without_a_settled_page_its_cost_cannot_be_told(project):
    why = costs.cost(project, [], Shown(today=MONDAY))["why"]
    assert why == "Cannot tell yet: no page that was answered here alone is settled in this time."


# ---- the queue ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("counts", "finding"),
    [
        (Counts(), "Nothing waits in the queue"),
        (Counts(n_open=2, n_run_out=1), "3 answers wait to be given; nothing is set aside"),
        (Counts(n_open=2, n_aside=1), "1 answer set aside waits for a manager"),
        (
            Counts(n_disputed=4, oldest_dispute=datetime(2026, 9, 1, tzinfo=UTC)),
            "4 pages wait for a decision, the oldest for 12 days",
        ),
    ],
)
def test_the_queue_says_what_waits_and_how_long(counts, finding):
    assert queue_health.queue_health(counts, now=datetime(2026, 9, 13, 1, tzinfo=UTC))["heading"] == finding


def test_the_queue_is_counted_by_what_becomes_of_its_slots(project):
    alice, bob = (make_member(project, "annotator") for _ in range(2))
    soon, before = timezone.now() + DAY, timezone.now() - DAY
    make_assignment(project)
    make_assignment(project, available_at=datetime(9999, 1, 1, tzinfo=UTC))
    make_assignment(project, leased_to=alice, expires_at=soon)
    make_assignment(project, leased_to=bob, expires_at=before)
    make_assignment(project, purpose="honeypot")
    found = project_counts.counted(project)
    assert (found.n_open, found.n_aside, found.n_leased, found.n_run_out) == (1, 1, 1, 1)
    assert found.n_waiting == 4


# ---- the page -------------------------------------------------------------------------------------------------------
def given(project, *, n=2):
    page = make_item(project)
    for who in range(n):
        make_judgment(page, f"w{who}", yes=["games"])
    return page


def test_imported_answers_leave_a_place_for_progress_and_throughput_and_say_why(manager, project):
    make_judgment(make_item(project), "w0", source="import")
    make_assignment(project)
    html = " ".join(manager.get(f"/p/{project.slug}/").content.decode().split())
    why = "the one answer asked for here is still to come, and the 1 answer known so far was imported."
    assert f'When all answers will be in</h2> <p class="not-yet">Cannot tell yet: {why}</p>' in html
    why = "no answer has been given here so far."
    assert f'Answers a day</h2> <p class="not-yet">Cannot tell yet: {why}</p>' in html


def test_answers_given_here_are_drawn_at_once(manager, project):
    given(project)
    make_assignment(project)
    html = manager.get(f"/p/{project.slug}/").content.decode()
    assert 'aria-label="2 of 3 answers given after 1 week.' in html
    assert "2 answers in twelve weeks, on 1 day; at most 2 in one day" in html
    assert "Counted" not in html


def test_a_large_project_is_shown_as_it_was_last_counted(manager, project, monkeypatch):
    given(project)
    project_counts.refresh(project)
    daily_counts.rebuild(project)
    given(project)
    monkeypatch.setattr(project_counts, "SMALL", 0)
    ProjectCount.objects.update(counted_at=timezone.now() - timedelta(minutes=3))
    html = manager.get(f"/p/{project.slug}/").content.decode()
    assert "2 answers in twelve weeks" in html
    assert "3\u00a0minutes ago</time>; what came since is counted within minutes." in html


def test_what_is_kept_of_a_project_is_what_is_counted(project):
    given(project)
    make_assignment(project)
    assert project_counts.refresh(project) == project_counts.read(ProjectCount.objects.get())


def test_counts_of_another_version_of_the_program_are_not_believed(project):
    project_counts.refresh(project)
    ProjectCount.objects.update(counts={"n_moons": 1})
    assert project_counts.of_project(project) == (project_counts.counted(project), None)


def test_agreement_is_followed_by_week_once_there_are_two(manager, project):
    for week in range(2):
        for _ in range(3):
            page = make_item(project)
            for who in ("w0", "w1"):
                make_judgment(page, who, yes=["games"], submitted_at=datetime(2026, 9, 7 + 7 * week, 12, tzinfo=UTC))
            consensus.refresh(page, project=project)
        assert ("week by week" in manager.get(f"/p/{project.slug}/").content.decode()) is (week == 1)


def test_every_figure_has_its_numbers_as_a_file(manager, project):
    given(project)
    make_assignment(project)
    html = manager.get(f"/p/{project.slug}/?period=4&stream=import").content.decode()
    for name in ("progress", "days", "queue", "balance"):
        assert f"/p/{project.slug}/figures/{name}.csv?stream=import&amp;period=4" in html
    for name in ("progress", "days", "cost", "queue", "balance"):
        answer = manager.get(f"/p/{project.slug}/figures/{name}.csv")
        rows = list(csv.reader(answer.content.decode().splitlines()))
        assert {len(row) for row in rows} == {len(rows[0])}, name
    [day] = list(csv.DictReader(manager.get(f"/p/{project.slug}/figures/days.csv").content.decode().splitlines()))
    assert day["answers"] == "2"
    assert manager.get(f"/p/{project.slug}/figures/moons.csv").status_code == 404


def test_an_annotator_gets_no_figure_of_the_project(client, project):
    client.force_login(make_member(project, "annotator"))
    assert client.get(f"/p/{project.slug}/figures/days.csv").status_code == 403
