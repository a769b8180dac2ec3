"""The agreement page's CSV files, which people open in a spreadsheet."""

import csv

import pytest

from labeling import consensus
from tests.factories import make_item, make_judgment, make_member, make_project

pytestmark = pytest.mark.django_db
FORMULA = '=HYPERLINK("http://evil.example","click")'


@pytest.fixture
def manager_browser(client):
    """A manager of a project two raters answered apart; the code of one, from an imported file, is a formula."""
    project = make_project(slug="pages")
    for yes in (["news"], ["news"], [], []):
        item = make_item(project)
        make_judgment(item, FORMULA, yes=yes)
        make_judgment(item, "w2", yes=[] if yes else ["news"])
        consensus.refresh(item, project=project)
    client.force_login(make_member(project, "manager"))
    return client


def rows_of(browser, name):
    return list(csv.DictReader(browser.get(f"/p/pages/agreement/{name}").content.decode().splitlines()))


def test_a_rater_named_like_a_formula_cannot_run_in_a_spreadsheet(manager_browser):
    (pair,) = rows_of(manager_browser, "pairs.csv")
    assert {pair["person"], pair["other"]} == {f"'{FORMULA}", "w2"}


def test_numbers_stay_numbers_below_zero_too(manager_browser):
    news = next(row for row in rows_of(manager_browser, "labels.csv") if row["label"] == "news")
    assert float(news["alpha"]) < 0 and news["n_items"] == "4"
