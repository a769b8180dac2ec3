"""The numbers behind the dashboards, and the sentences they allow."""

import csv
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling import conduct, consensus, daily_counts, project_counts, reports, standing
from labeling.models import Item, Judgment, Rater, Selection
from labeling.quality.intervals import Estimate
from labeling.views import agreement_parts, figures
from tests.factories import (
    make_assignment,
    make_item,
    make_judgment,
    make_member,
    make_project,
    make_schema,
)

pytestmark = pytest.mark.django_db
MONDAY, WEEK = date(2026, 9, 7), timedelta(days=7)


@pytest.fixture
def project():
    return make_project()


def report_of(project, **narrowed):
    """As the pages show it, after what stores an answer has counted its page."""
    consensus.refresh_many(list(Item.objects.filter(project=project).values_list("pk", flat=True)), project=project)
    return reports.of_project(project, **narrowed)


def label(project, key="games", **narrowed):
    return next(row for row in report_of(project, **narrowed).labels if row.key == key)


def two_answers(project, first, second, **fields):
    page = make_item(project)
    make_judgment(page, "w0", yes=first, **fields)
    make_judgment(page, "w1", yes=second, **fields)
    return page


def test_without_answers_every_label_says_why_nothing_can_be_told(project):
    assert label(project).alpha.reason == "no page has two answers"
    assert label(project).reading == "cannot tell yet"


def test_only_current_votes_count(project):
    page = two_answers(project, ["games"], ["games"])
    make_judgment(page, "w2", purpose="honeypot")
    make_judgment(page, "w3", outcome="not_assessable")
    Judgment.objects.filter(pk=make_judgment(page, "w4").pk).update(voided_at="2026-01-01T00:00:00Z")
    assert report_of(project).n_answers == 2


def test_the_latest_round_of_a_person_counts(project):
    page = two_answers(project, ["games"], [])
    make_judgment(page, "w1", yes=["games"], round=2)
    assert label(project).n_positive == 2


def test_unsure_is_no_answer_to_that_label(project):
    page = two_answers(project, ["games"], [])
    make_judgment(page, "w2", unsure=["games"])
    assert [row.cells.n_answers for row in report_of(project).labels] == [2, 3, 3]


def test_a_label_asked_later_is_missing_before_not_no(project):
    two_answers(project, ["games"], [], asked=["games", "news"])
    assert label(project, "self_harm").n_items == 0


def test_answers_under_another_meaning_do_not_pool(project):
    two_answers(project, ["games"], [])
    make_schema(project, number=2).labels.filter(key="games").update(revision=2)
    assert label(project, "games").n_items == 0
    assert label(project, "news").n_items == 1


def test_a_stream_is_told_apart(project):
    two_answers(project, ["games"], [])
    page = make_item(project)
    for slot, who in enumerate(("w0", "w1")):
        chosen = Selection.objects.create(item=page, stream="random")
        seat = make_assignment(project, page, slot=slot, selection=chosen)
        make_judgment(page, who, yes=["games"], assignment=seat)
    assert (label(project).n_items, label(project, stream="random").n_items) == (2, 1)
    assert label(project, stream="import").n_positive == 1


def test_a_new_answer_is_seen_at_once(project):
    page = two_answers(project, ["games"], [])
    before = label(project).n_positive
    make_judgment(page, "w2", yes=["games"])
    assert label(project).n_positive == before + 1


def test_an_answer_changed_or_voided_since_is_read_again(project):
    page = two_answers(project, ["games"], ["games"])
    assert label(project).n_positive == 2
    make_judgment(page, "w0", round=2)
    assert label(project).n_positive == 1
    Judgment.objects.filter(rater__code="w1").update(voided_at="2026-01-01T00:00:00Z")
    make_judgment(page, "w2", yes=["games"])
    assert label(project).cells.n_answers == 2


def test_no_answer_is_read_to_show_a_report(project):
    two_answers(project, ["games"], [])
    report_of(project)
    with CaptureQueriesContext(connection) as asked:
        report = reports.of_project(project)
        _ = report.labels, report.set_alphas, report.n_answers, report.busiest(8), report.ticks_most
    assert not [query["sql"] for query in asked if "labeling_judgment" in query["sql"]]


def test_another_projects_answers_are_not_counted(project):
    two_answers(make_project(), ["games"], [])
    assert report_of(project).n_answers == 0


# ---- the real home pages --------------------------------------------------------------------------------------------
def test_the_finding_about_people_is_what_the_paired_intervals_support(homepages):
    report = reports.of_project(homepages)
    found = report.ticks_most
    assert set(found.codes) == {"w18", "w27"}
    assert (found.n_people, found.n_answers, len(found.risen)) == (37, 380, 13)
    sentence = standing.about_people(found, report.votes.names)
    assert sentence == (
        "Two of 37 people tick more than half of the labels on an average page. "
        "Without their 380 answers agreement rises on 13 of 14 labels: Games from 0.03 to 0.35."
    )


def test_the_headings_say_no_more_than_the_numbers(homepages):
    report = reports.of_project(homepages)
    now = project_counts.counted(homepages)
    assert standing.headline(now, report) == (
        "Every page asked has three answers. No label is reliable enough to release."
    )
    assert standing.agreement_finding(report) == "Agreement is far below “tentative” on every label"
    assert standing.pairs_finding(report, report.busiest(7)) == "w18 and w27 hardly agree with anyone"


def test_the_busiest_people_stand_by_how_much_they_agree(homepages):
    report = reports.of_project(homepages)
    codes = [report.votes.codes[rater] for rater in report.busiest(7)]
    assert set(codes) == {"w24", "w25", "w40", "w17", "w06", "w18", "w27"}
    assert set(codes[-2:]) == {"w18", "w27"}


def test_a_pair_with_few_pages_in_common_has_no_kappa(homepages):
    report = reports.of_project(homepages)
    place = report.votes.codes.index
    found = report.pair(place("w17"), place("w27"))
    assert found.value is None
    assert "too few" in found.reason


def test_names_are_only_named_where_agreement_differs(project):
    for _ in range(30):
        two_answers(project, ["games"], ["games"])
    report = report_of(project)
    assert report.ticks_most is None
    assert standing.pairs_finding(report, report.busiest(7)) == "Who agrees with whom"


# ---- the biggest obstacle -------------------------------------------------------------------------------------------
def obstacle(project, *, names_people=True):
    report = report_of(project)
    return standing.obstacle(project_counts.counted(project), report, names_people=names_people)


def test_first_pages_are_missing_then_questions_then_answers(project):
    assert obstacle(project) == "import"
    page = make_item(project)
    assert obstacle(project) == "queue"
    make_assignment(project, page)
    assert obstacle(project) == "answer"


def test_people_come_before_disputes_but_only_for_those_who_may_see_them(homepages):
    assert obstacle(homepages) == "people"
    assert obstacle(homepages, names_people=False) != "people"


def test_disputes_come_before_a_sample(project):
    page = two_answers(project, ["games"], [])
    consensus.refresh(page, project=project)
    assert obstacle(project) == "decide"


# ---- the pages ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["", "agreement/", "agreement/labels.csv"])
@pytest.mark.parametrize("role", ["viewer", "adjudicator", "manager"])
def test_pages_stay_within_fifteen_queries(client, homepages, role, path, monkeypatch, django_assert_max_num_queries):
    """Of a project too large to be counted while somebody waits."""
    monkeypatch.setattr(project_counts, "SMALL", 0)
    client.force_login(make_member(homepages, role))
    project_counts.refresh(homepages)
    daily_counts.rebuild(homepages)
    reports.of_project(homepages)
    with django_assert_max_num_queries(15):
        assert client.get(f"/p/{homepages.slug}/{path}").status_code == 200


def test_a_viewer_sees_no_person_by_code(client, homepages):
    client.force_login(make_member(homepages, "viewer"))
    for path in ("", "agreement/"):
        html = client.get(f"/p/{homepages.slug}/{path}").content.decode()
        assert "Two of 37 people" in html
        assert "w18" not in html
    assert client.get(f"/p/{homepages.slug}/agreement/pairs.csv").status_code == 403


def test_an_annotator_sees_only_their_own_figures(client, homepages):
    client.force_login(make_member(homepages, "annotator"))
    html = client.get(f"/p/{homepages.slug}/").content.decode()
    assert "Annotate" in html
    assert "Disputed" not in html
    assert client.get(f"/p/{homepages.slug}/agreement/").status_code == 403


def test_an_empty_project_says_what_will_be_here(client, project):
    client.force_login(make_member(project, "manager"))
    html = client.get(f"/p/{project.slug}/").content.decode()
    assert "No pages yet." in html
    assert "Import a list" in html
    assert client.get(f"/p/{project.slug}/agreement/").status_code == 200


def test_balance_has_no_more_bars_than_a_page_has_answers(project):
    given_on(project, MONDAY, n=2)
    alone = figures.balance(report_of(project), {})
    assert alone["caption"] == "Pages with one yes; one scale."
    assert [row["counts"] for row in alone["rows"] if row["name"] == "Games"] == [[2]]
    two_answers(project, ["games"], ["games"])
    found = figures.balance(report_of(project), {})
    assert found["caption"] == "Pages with one and two yes; one scale."
    assert [row["counts"] for row in found["rows"] if row["name"] == "Games"] == [[2, 1]]


def test_balance_says_on_how_many_of_all_pages_a_label_holds_where_chance_can_tell(project):
    two_answers(project, ["games"], ["games"])
    found = figures.balance(report_of(project), {("games", 1): Estimate(0.021, 0.012, 0.034, n=900)})
    said = {row["name"]: (row["answers"], row["pages"]) for row in found["rows"]}
    assert said["Games"][0].startswith("100 % (") and said["Games"][1] == "2.1 % (1.2 to 3.4)"
    assert said["News"][1] == "cannot tell yet"


def test_what_a_label_came_to_under_another_meaning_is_not_shown(project):
    two_answers(project, ["games"], ["games"])
    found = figures.balance(report_of(project), {("games", 2): Estimate(0.021, 0.012, 0.034, n=900)})
    assert not found["is_known"]


def given_on(project, *days, n=1):
    """So many answers given here on each of these days."""
    for day in days:
        for _ in range(n):
            make_judgment(make_item(project), "w0", yes=["games"], submitted_at=datetime.combine(day, time(12), UTC))


def test_every_row_of_the_csv_carries_its_intervals(client, homepages):
    client.force_login(make_member(homepages, "manager"))
    lines = client.get(f"/p/{homepages.slug}/agreement/labels.csv").content.decode().splitlines()
    arts = next(row for row in csv.DictReader(lines) if row["label"] == "arts")
    assert [round(float(arts[name]), 2) for name in ("alpha_low", "alpha", "alpha_high")] == [0.1, 0.15, 0.21]


# ---- the API --------------------------------------------------------------------------------------------------------
def test_agreement_is_given_as_estimates(client, homepages):
    client.force_login(make_member(homepages, "viewer"))
    body = client.get(f"/api/v1/projects/{homepages.slug}/agreement/").json()
    arts = next(row for row in body["labels"] if row["label"] == "arts")
    assert set(arts["alpha"]) == {"value", "low", "high", "level", "n", "reason"}
    assert arts["n_items"] == 562
    assert body["set_alpha_masi"]["low"] < body["set_alpha_masi"]["value"] < body["set_alpha_jaccard"]["value"]


def test_pairs_are_given_with_the_pages_in_common(client, homepages):
    client.force_login(make_member(homepages, "adjudicator"))
    body = client.get(f"/api/v1/projects/{homepages.slug}/agreement/pairs/").json()
    row, column = body["annotators"].index("w24"), body["annotators"].index("w25")
    assert body["kappa"][row][column] == pytest.approx(0.43, abs=0.005)
    assert body["n"][row][column] == 67
    assert body["kappa"][row][row] is None


def test_annotators_see_their_own_row_alone(client, homepages):
    person = make_member(homepages, "annotator")
    Rater.objects.filter(project=homepages, code="w06").update(user=person)
    make_judgment(make_item(homepages), person, submitted_at=timezone.now() - timedelta(weeks=1))
    client.force_login(person)
    conduct.count(homepages)
    body = client.get(f"/api/v1/projects/{homepages.slug}/annotators/").json()
    assert [row["annotator"] for row in body["results"]] == ["w06"]
    pairs = client.get(f"/api/v1/projects/{homepages.slug}/agreement/pairs/").json()
    assert (pairs["annotators"], pairs["pairs"]) == (["w06"], [])


@pytest.mark.parametrize("path", ["agreement/?stream=odd", "agreement/pairs/?label=odd", "annotators/?color=red"])
def test_an_unknown_filter_is_refused(client, project, path):
    client.force_login(make_member(project, "manager"))
    assert client.get(f"/api/v1/projects/{project.slug}/{path}").status_code == 400


# ---- taken apart ----------------------------------------------------------------------------------------------------
def weekly(project, week, *, alike, apart):
    at = datetime.combine(MONDAY + WEEK * week, time(12), UTC)
    for n in range(alike + apart):
        page = make_item(project)
        make_judgment(page, "w1", yes=["games"] if n % 2 else [], submitted_at=at)
        make_judgment(page, "w2", yes=["games"] if (n % 2) != (n >= alike) else [], submitted_at=at)


def test_agreement_that_rose_for_certain_is_said_and_drawn_by_week(client, project):
    weekly(project, 0, alike=20, apart=20)
    weekly(project, 1, alike=60, apart=2)
    report = report_of(project)
    found = agreement_parts.by_week(report, report.labels[0])
    assert found["heading"].startswith("Agreement on Games rose since the week of 14")
    assert [row["n"] for row in found["rows"]] == [40, 62]
    client.force_login(make_member(project, "manager"))
    html = client.get(f"/p/{project.slug}/agreement/?label=games").content.decode()
    assert "Agreement on Games rose" in html


def test_weeks_that_cannot_be_told_apart_are_not_called_a_change(project):
    weekly(project, 0, alike=30, apart=4)
    weekly(project, 1, alike=30, apart=5)
    report = report_of(project)
    heading = agreement_parts.by_week(report, report.labels[0])["heading"]
    assert heading == "Agreement on Games, week by week: no change can be told"


def test_a_period_leaves_out_what_came_before(client, project):
    weekly(project, 0, alike=30, apart=4)
    consensus.refresh_many(list(Item.objects.values_list("pk", flat=True)), project=project)
    client.force_login(make_member(project, "manager"))
    rows = client.get(f"/p/{project.slug}/agreement/weeks.csv?period=all").content.decode().splitlines()
    assert len([row for row in rows if row.startswith("games,")]) == 1
    html = client.get(f"/p/{project.slug}/agreement/?period=4").content.decode()
    assert "Agreement needs two answers to the same page" in html


def test_who_lowers_agreement_for_certain_is_named_and_the_csv_has_everybody(client, homepages):
    report = report_of(homepages)
    [arts] = [one for one in report.labels if one.key == "arts"]
    found = agreement_parts.without_each(report, arts)
    assert found["heading"].startswith("Agreement on Arts is higher without ")
    client.force_login(make_member(homepages, "manager"))
    lines = client.get(f"/p/{homepages.slug}/agreement/without.csv").content.decode().splitlines()
    assert len(lines) == 1 + report.n_people * len(report.labels)


def test_an_annotator_gets_nobody_elses_share_in_agreement(client, homepages):
    client.force_login(make_member(homepages, "annotator"))
    assert len(client.get(f"/p/{homepages.slug}/agreement/without.csv").content.decode().splitlines()) == 1
