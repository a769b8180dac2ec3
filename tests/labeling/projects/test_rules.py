"""How work is given out is set in the project's settings, by page and API alike."""

import pytest
from django.test import Client

from labeling import projects, rules
from labeling.models import Event, Project
from labeling.models.rules import WorkRules
from labeling.refusals import Unacceptable
from tests.factories import make_member, make_project
from tests.labeling.projects.test_project_pages import browser, settings_post

pytestmark = pytest.mark.django_db
INTERNAL = {"queue_epoch"}


def test_every_column_of_the_rules_is_a_setting():
    columns = {field.name for field in WorkRules._meta.get_fields()} - INTERNAL
    assert {setting.name for section in rules.SECTIONS for setting in section.settings} == columns


def test_a_new_projects_own_rules_are_all_within_their_limits():
    project = make_project()
    for section in rules.SECTIONS:
        values = section.read(project)
        assert section.checked(values) == values


def test_rules_are_changed_on_the_page_and_an_empty_field_means_not_set():
    project = make_project(quota_total=9, quota_share=0.5)
    client, url = browser(make_member(project, "manager")), f"/p/{project.slug}/settings/"
    sent = settings_post(project, quota_total="", quota_per_day=40, skip_policy="aside", keywords="casino\n\n poker \n")
    assert client.post(url, sent).status_code == 302
    project.refresh_from_db()
    assert (project.quota_total, project.quota_share, project.quota_per_day) == (None, 0.5, 40)
    assert (project.skip_policy, project.keywords) == ("aside", ["casino", "poker"])
    page = client.get(url).content.decode()
    assert "casino\npoker</textarea>" in page
    headings = [f"<h2>{section.title}</h2>" for section in rules.SECTIONS]
    assert [heading for heading in headings if heading not in page] == []


def test_an_unticked_box_takes_skipping_away():
    project = make_project()
    sent = settings_post(project)
    del sent["may_skip"]
    browser(make_member(project, "manager")).post(f"/p/{project.slug}/settings/", sent)
    project.refresh_from_db()
    assert not project.may_skip


def test_what_is_wrong_on_the_page_is_a_sentence_and_nothing_is_saved():
    project = make_project()
    sent = settings_post(project, quota_share=1.5, keywords="x" * 81, repeat_after_days=3)
    answer = browser(make_member(project, "manager")).post(f"/p/{project.slug}/settings/", sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Up to 200 lines of up to 80 characters each." in page
    assert "greater than or equal to 7" in page
    project.refresh_from_db()
    assert (project.quota_share, project.keywords, project.repeat_after_days) == (None, [], 7)


def test_rules_are_read_and_changed_by_the_api_and_null_means_not_set(api):
    project, call = api
    answer = call({"quota_per_day": 12, "fast_seconds": None, "keywords": ["Casino", "casino", " bet  now "]})
    assert answer.status_code == 200
    said = answer.json()
    assert (said["quota_per_day"], said["fast_seconds"]) == (12, None)
    assert said["keywords"] == ["Casino", "bet now"]
    words = {"help_text": "Ask Ola.\nAny hour.", "help_contact": ""}
    assert call(words).json().items() >= words.items()
    assert call({"quota_per_day": None}).json()["quota_per_day"] is None
    assert Event.objects.filter(project=project, kind="project.changed").count() == 3


@pytest.mark.parametrize(
    "body",
    [
        {"overlap_share": 1.01}, {"overlap_share": None}, {"overlap_share": "nan"}, {"skip_policy": "never"},
        {"may_skip": "perhaps"}, {"quota_per_day": 0}, {"quota_per_day": 2**40}, {"quota_per_day": 1.5},
        {"repeat_after_days": 6}, {"fast_in_a_row": True}, {"keywords": "casino"}, {"keywords": [{}]},
        {"keywords": ["x"] * 201}, {"severe_in_a_row": -1}, {"pause_below": "often"},
    ],
)  # fmt: skip
def test_a_rule_out_of_its_limits_is_refused_by_name(api, body):
    project, call = api
    answer = call(body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{next(iter(body))}")
    assert Project.objects.get().version == project.version


def test_the_domain_itself_refuses_what_no_door_has_looked_at():
    project = make_project()
    for value in (float("nan"), float("inf"), "0.5", True, None):
        with pytest.raises(Unacceptable, match="from 0 to 1"):
            projects.change(project, {"overlap_share": value}, by=None)


def test_the_queues_own_counter_is_no_setting(api):
    _, call = api
    call({"queue_epoch": 99})
    assert Project.objects.get().queue_epoch == 0


@pytest.fixture
def api():
    project = make_project()
    client = Client()
    client.force_login(make_member(project, "manager"))
    url = f"/api/v1/projects/{project.slug}/"
    return project, lambda body: client.patch(url, body, content_type="application/json")
