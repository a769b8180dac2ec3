"""Whom to turn to after a hard page, and what a person would rather not judge."""

import pytest

from labeling import opt_outs

pytestmark = pytest.mark.django_db
MINE, CHOOSE = "/p/pages/mine/", "/p/pages/mine/opt-outs/"


def test_my_work_says_whom_to_turn_to(browser, project):
    project.help_text, project.help_contact = "Talk to Olga, at any time.", "extension 12"
    project.save()
    page = browser.get(MINE).content.decode()
    assert "Talk to Olga, at any time." in page and "extension 12" in page


def test_topics_one_would_rather_not_judge_are_chosen_and_taken_back(browser, project, alice):
    browser.post(CHOOSE, {"opted_out": ["self_harm"]})
    assert opt_outs.of(project, alice) == ["self_harm"]
    assert 'value="self_harm" id="id_opted_out_2" checked' in browser.get(MINE).content.decode().replace("  ", " ")
    browser.post(CHOOSE, {})
    assert opt_outs.of(project, alice) == []


def test_a_topic_that_is_none_is_refused_with_a_sentence(browser, project, alice):
    said = browser.post(CHOOSE, {"opted_out": ["maps"]}, follow=True).content.decode()
    assert "Not a label of this project: maps." in said and opt_outs.of(project, alice) == []


def test_a_program_sets_them_for_its_owner(browser):
    address = "/api/v1/projects/pages/opt-outs/"
    assert browser.put(address, {"opted_out": ["news"]}, content_type="application/json").json() == {
        "opted_out": ["news"]
    }
    assert browser.get(address).json() == {"opted_out": ["news"]}
    refused = browser.put(address, {"opted_out": ["maps"]}, content_type="application/json")
    assert refused.status_code == 422 and "maps" in refused.json()["detail"]
