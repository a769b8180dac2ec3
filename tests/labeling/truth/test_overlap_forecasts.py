"""What asking more people would come to: as typed and as in force, before anything is saved."""

import random

import pytest

from labeling import consensus, overlap_forecasts, refits
from labeling.forms.projects import initial_of
from labeling.models import Assignment, Consensus, Event, Item, Project
from labeling.overlap_forecasts import Outlook, with_rules
from tests.factories import make_item, make_judgment, make_member, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def answers():
    """Sixty pages three people answered, who miss a fifth and invent a twentieth."""
    chance = random.Random(5)
    rows = []
    for _ in range(60):
        truth = {key for key in ("games", "news") if chance.random() < 0.4}
        rows.append(
            [[key for key in ("games", "news") if chance.random() < (0.8 if key in truth else 0.05)] for _ in "123"]
        )
    return rows


@pytest.fixture
def project(answers):
    project = make_project(overlap={"default": 2}, confirms_rare=False)
    for page in answers:
        item = make_item(project)
        for number, yes in enumerate(page, 1):
            make_judgment(item, f"w{number}", yes=yes)
    consensus.refresh_many(list(Item.objects.filter(project=project).values_list("pk", flat=True)), project=project)
    refits.make(project)
    return project


def told(project, **rules) -> Outlook:
    found = overlap_forecasts.of(with_rules(project, rules))
    assert isinstance(found, Outlook), found
    return found


def test_two_answers_a_page_cost_two_answers_a_page(project):
    found = told(project, adaptive=False)
    assert found.n_pages == 60
    assert found.forecast.judgments.value == 2
    assert found.hours is None  # nothing was timed


def test_asking_more_costs_answers_and_what_people_differ_on_is_decided_all_the_same(project):
    fixed, adaptive = told(project, adaptive=False), told(project, adaptive=True, overlap_most=5, audit_share=0.0)
    assert adaptive.answers > fixed.answers
    assert adaptive.forecast.adjudicated.value >= fixed.forecast.adjudicated.value


def test_a_stricter_limit_leaves_fewer_wrong_labels(project):
    loose, strict = (told(project, adaptive=True, stop_error=stop, stop_error_grave=stop) for stop in (0.4, 0.05))
    assert strict.forecast.wrong.value < loose.forecast.wrong.value


def test_a_budget_bounds_what_is_asked(project):
    assert told(project, adaptive=True, overlap_budget=2.1, audit_share=0.0).answers <= 2.1


def test_audits_are_counted_among_the_answers(project):
    none, some = (told(project, adaptive=True, audit_share=share).answers for share in (0.0, 0.5))
    assert none < some < none + 0.5


def test_what_it_says_of_three_answers_is_what_three_answers_came_to(project):
    """Played through without asking anybody more, it has to agree with what consensus made of the same answers."""
    refits.spread(project, refits.make(project))
    disputed = Consensus.objects.filter(project=project, state="disputed").count()
    found = told(project, overlap={"default": 3}, adaptive=False)
    assert int(found.forecast.is_adjudicated.sum()) == disputed > 0


def test_the_project_itself_is_not_touched(project):
    told(project, adaptive=True, stop_error=0.05)
    assert not project.adaptive
    assert not Project.objects.get(pk=project.pk).adaptive


def test_before_anybody_is_known_it_says_what_is_missing():
    assert overlap_forecasts.of(make_project()) == overlap_forecasts.NO_FIT


# ---- the settings page ----------------------------------------------------------------------------------------------
def typed(project, **values):
    filled = {**initial_of(project), **values}
    return {name: value for name, value in filled.items() if value not in (None, False)} | {
        "keywords": "\n".join(filled["keywords"])
    }


def test_the_page_shows_what_typed_settings_come_to_and_saves_nothing(client, project, django_assert_max_num_queries):
    client.force_login(make_member(project, "manager"))
    sent = typed(project, adaptive=True, overlap_most=6, stop_error="0.05") | {"outlook": "1"}
    events = Event.objects.count()
    answer = client.post(f"/p/{project.slug}/settings/", sent)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "As typed, 1,000 pages take about" in html
    assert "How likely each label is wrong" in html
    assert answer.context["form"]["stop_error"].value() == "0.05"
    project.refresh_from_db()
    assert (project.adaptive, project.stop_error, Event.objects.count()) == (False, 0.3, events)
    assert not Assignment.objects.exists()


@pytest.mark.parametrize(("name", "value"), [("stop_error", "2"), ("overlap_most", "no"), ("overlap_default", "")])
def test_settings_that_cannot_be_are_refused_at_their_field(client, project, name, value):
    client.force_login(make_member(project, "manager"))
    answer = client.post(f"/p/{project.slug}/settings/", typed(project) | {"outlook": "1", name: value})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {name}


def test_what_is_typed_elsewhere_on_the_page_does_not_stand_in_the_way(client, project):
    client.force_login(make_member(project, "manager"))
    sent = typed(project, name="", lease_seconds="soon") | {"outlook": "1"}
    answer = client.post(f"/p/{project.slug}/settings/", sent)
    assert answer.status_code == 200
    assert answer.context["form"]["lease_seconds"].value() == "soon"


def test_a_project_without_answers_says_what_is_missing(client):
    project = make_project()
    client.force_login(make_member(project, "manager"))
    html = client.post(f"/p/{project.slug}/settings/", typed(project) | {"outlook": "1"}).content.decode()
    assert "What it comes to cannot be told yet" in html
    assert overlap_forecasts.NO_FIT in html
