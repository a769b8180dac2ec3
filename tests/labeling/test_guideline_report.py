"""Where the guideline fails, from kept counts down to the pages that show it."""

import csv

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling import consensus, flags, guideline_report, summaries
from tests.factories import make_assignment, make_item, make_judgment, make_member, make_project

pytestmark = pytest.mark.django_db
LABELS = "/p/pages/agreement/labels/"


@pytest.fixture
def project():
    return make_project(slug="pages", labels=("games", "news", "maps"))


@pytest.fixture
def manager(client, project):
    client.force_login(make_member(project, "manager"))
    return client


def answered(project, *answers):
    page = make_item(project)
    for number, yes in enumerate(answers):
        make_judgment(page, f"w{number}", yes=yes)
    consensus.refresh(page, project=project)
    return page


def mixed_up(project, *, swapped=6, apart=24):
    """Pages on which one says games and the other news, and pages on which they differ about games alone."""
    pages = [answered(project, ["games"], ["news"]) for _ in range(swapped)]
    for _ in range(apart):
        answered(project, ["games"], [])
    summaries.count(project)
    return pages


def test_labels_taken_for_each_other_are_counted_by_page_with_an_interval(project):
    mixed_up(project)
    found = guideline_report.of_project(project)
    worst = found.confusions[0]
    assert (worst.left.key, worst.right.key, worst.pages) == ("games", "news", 6)
    assert (worst.share.value, worst.share.n) == (0.2, 30) and worst.share.low == pytest.approx(0.09, abs=0.01)
    assert [one.label.key for one in found.labels] == ["games", "news", "maps"]
    assert found.label("maps").differs.value == 0.0 and found.label("maps").confusions == ()


def test_a_pair_on_few_pages_is_said_to_be_too_few_and_comes_last(project, manager):
    mixed_up(project, swapped=3, apart=0)
    assert not guideline_report.of_project(project).confusions[0].is_known
    html = manager.get(LABELS).content.decode()
    assert "No two labels are surely swapped" in html and 'class="hx"' in html


def test_the_page_says_which_labels_are_mixed_up_and_leads_to_their_pages(project, manager):
    swapped = mixed_up(project)
    html = manager.get(LABELS).content.decode()
    assert "People take Games and News for each other" in html and "20 % (9 to 37)" in html
    html = manager.get(f"{LABELS}games/?with=news").content.decode()
    assert all(page.host in html for page in swapped) and html.count("1 yes, 1 no") == 12


def test_the_pages_of_a_label_leave_out_those_somebody_may_still_be_given(project, manager):
    page = answered(project, ["games"], [])
    waits = answered(project, ["games"], [])
    make_assignment(project, waits)
    html = manager.get(f"{LABELS}games/").content.decode()
    assert page.host in html and waits.host not in html


def test_what_the_guideline_does_not_say_stands_beside_the_definition(project, manager):
    alice = make_member(project, "annotator")
    page = make_item(project)
    flags.raise_flag(page, by=alice, kind="guideline", label="games", text="Is chess a game?")
    answered(project, ["games"], [])
    html = manager.get(f"{LABELS}games/").content.decode()
    assert "Is chess a game?" in html and "1 time somebody said that the guideline does not say" in html
    assert "Is chess a game?" not in manager.get(f"{LABELS}news/").content.decode()


def test_who_may_be_given_pages_reads_of_no_flag_that_they_have_not_opened(project, client):
    flags.raise_flag(make_item(project), by=make_member(project, "annotator"), kind="guideline", label="games",
                     text="Is chess a game?")  # fmt: skip
    client.force_login(make_member(project, "adjudicator"))
    html = client.get(f"{LABELS}games/").content.decode()
    assert "Is chess a game?" not in html and "pages you may still be given" in html


def test_a_viewer_sees_the_matrix_and_neither_pages_nor_flags(project, client):
    page = mixed_up(project)[0]
    client.force_login(make_member(project, "viewer"))
    assert client.get(LABELS).status_code == 200
    html = client.get(f"{LABELS}games/?with=news").content.decode()
    assert page.host not in html and 'id="gaps"' not in html


def test_the_file_and_the_api_hold_the_same_pairs(project, manager):
    mixed_up(project)
    rows = list(csv.DictReader(manager.get(f"{LABELS}confusions.csv").content.decode().splitlines()))
    body = manager.get("/api/v1/projects/pages/agreement/labels/").json()
    assert [[row["label"], row["other"]] for row in rows] == [pair["labels"] for pair in body["confusions"]]
    assert float(rows[0]["share"]) == body["confusions"][0]["share"]["value"] == 0.2


def test_a_label_that_is_none_is_not_found_and_an_empty_project_says_what_is_needed(project, manager):
    assert manager.get(f"{LABELS}chess/").status_code == 404
    assert "Two answers to the same page are needed" in manager.get(LABELS).content.decode()
    assert manager.get("/api/v1/projects/pages/agreement/labels/?stream=odd").status_code == 400


@pytest.mark.parametrize("path", [LABELS, f"{LABELS}games/", f"{LABELS}games/?with=news"])
def test_the_pages_are_read_from_counts_in_few_statements(project, manager, path):
    mixed_up(project)
    with CaptureQueriesContext(connection) as captured:
        assert manager.get(path).status_code == 200
    asked = [query["sql"] for query in captured.captured_queries]
    assert len(asked) <= 15, "\n".join(line[:160] for line in asked)
