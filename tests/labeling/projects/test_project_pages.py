"""The pages that make and change a project, as a browser without scripts sends them."""

import re

import pytest
from django.test import Client

from labeling import publishing, slots
from labeling.forms.projects import SettingsForm, initial_of
from labeling.models import Project, Selection
from tests.factories import make_assignment, make_item, make_member, make_project, make_user

pytestmark = pytest.mark.django_db


def browser(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def settings_post(project, **changes):
    values = {name: value for name, value in initial_of(project).items() if value is not None and value is not False}
    return values | changes


def test_the_list_says_what_waits_for_me_and_leads_there():
    project = make_project(name="Homepages")
    annotator = make_member(project, "annotator")
    make_assignment(project)
    make_project(name="Not mine")
    page = browser(annotator).get("/").content.decode()
    assert "In “Homepages”: 1 page to judge." in page
    assert f'href="/p/{project.slug}/annotate/"' in page
    assert "Not mine" not in page


@pytest.mark.parametrize(("pages", "told"), [(60, "60 pages to judge."), (101, "100 pages or more to judge.")])
def test_a_page_that_waits_in_two_slots_is_one_page_to_judge(pages, told):
    project = make_project()
    items = [make_item(project) for _ in range(pages)]
    selections = [Selection.objects.create(item=item, stream="import") for item in items]
    slots.open_up(project, selections, overlap=2)
    assert told in browser(make_member(project, "annotator")).get("/").content.decode()


def test_who_is_in_no_project_is_told_how_to_get_into_one():
    assert "Ask a project" in browser(make_user()).get("/").content.decode()


def test_a_new_project_leads_to_its_labels():
    client = browser(make_user(may_create_projects=True))
    answer = client.post("/new/", {"name": "Home pages, 2026"})
    assert answer["Location"] == "/p/home-pages-2026/settings/labels/"
    assert publishing.in_force(Project.objects.get()).number == 1


def test_settings_are_saved_and_streams_the_page_does_not_show_stay():
    project = make_project(overlap={"default": 2, "gold": 3, "audit": 4})
    client = browser(make_member(project, "manager"))
    url = f"/p/{project.slug}/settings/"
    answer = client.post(url, settings_post(project, overlap_default=5, overlap_gold="", batch_size=7))
    assert answer.status_code == 302
    project.refresh_from_db()
    assert project.overlap == {"default": 5, "audit": 4}
    assert initial_of(project)["batch_size"] == 7


def test_a_manager_says_whether_people_are_asked_how_sure_they_are():
    project = make_project()
    client = browser(make_member(project, "manager"))
    url = f"/p/{project.slug}/settings/"
    client.post(url, settings_post(project, ask_confidence="on"))
    project.refresh_from_db()
    assert project.ask_confidence
    assert re.search(r'name="ask_confidence"[^>]* checked', client.get(url).content.decode())


def test_the_second_of_two_managers_sees_both_versions_and_loses_nothing():
    project = make_project(name="Before")
    client = browser(make_member(project, "manager"))
    url, mine = f"/p/{project.slug}/settings/", settings_post(project, name="Mine")
    client.post(url, settings_post(project, name="Theirs"))
    late = client.post(url, mine)
    page = late.content.decode()
    assert late.status_code == 412
    assert "<td>Theirs</td><td>Mine</td>" in page
    again = settings_post(project, name="Mine", version=Project.objects.get().version)
    assert client.post(url, again).status_code == 302
    assert Project.objects.get().name == "Mine"


def test_one_part_is_saved_or_refused_on_its_own_and_the_rest_stays_as_typed():
    project = make_project(name="Before", overlap={"default": 2})
    client, url = browser(make_member(project, "manager")), f"/p/{project.slug}/settings/"
    typed = settings_post(project, name="After", overlap_default=5, random_share="0.77")
    saved = client.post(url, typed | {"part": "the-project"})
    page = saved.content.decode()
    assert saved.status_code == 200 and 'value="0.77"' in page and 'value="5"' in page
    assert "“The project” is saved. What you changed under “Who is asked”, “Learning” is not saved yet." in page
    project.refresh_from_db()
    assert (project.name, project.overlap) == ("After", {"default": 2})
    typed["version"] = project.version
    refused = client.post(url, typed | {"part": "who-is-asked", "overlap_default": 0, "lease_seconds": 1})
    page = refused.content.decode()
    assert refused.status_code == 422 and "Who is asked <b>(1 to mend)</b>" in page and page.count("to mend)") == 1
    assert client.post(url, typed | {"part": "who-is-asked"}).status_code == 200
    project.refresh_from_db()
    assert project.overlap == {"default": 5} and initial_of(project)["random_share"] != 0.77


def test_a_wrong_number_is_a_sentence_at_its_field():
    project = make_project()
    answer = browser(make_member(project, "manager")).post(
        f"/p/{project.slug}/settings/", settings_post(project, random_share=3)
    )
    assert answer.status_code == 422
    assert SettingsForm(settings_post(project, random_share=3), project=project).errors.keys() == {"random_share"}


# ---- labels ---------------------------------------------------------------------------------------------------------
def labels_post(*labels, based_on=1, **fields):
    posted = {"based_on": based_on, "guideline": "Read the page first.", "exclusive_groups": ""}
    posted |= {"label-TOTAL_FORMS": len(labels), "label-INITIAL_FORMS": 0}
    for place, label in enumerate(labels):
        posted |= {f"label-{place}-{name}": value for name, value in label.items()}
    return posted | fields


GAMES = {"key": "games", "name": "Games", "shortcut": "g"}


def test_a_draft_is_reviewed_in_words_before_it_is_published():
    project = make_project(labels=("games",))
    client = browser(make_member(project, "manager"))
    url = f"/p/{project.slug}/settings/labels/"
    draft = labels_post(GAMES, {"key": "maps", "name": "Maps"})
    review = client.post(url, draft | {"step": "review"}).content.decode()
    assert "“Maps” is added, on the letter m." in review
    assert "Publish as version 2" in review
    assert publishing.in_force(project).number == 1
    client.post(url, draft | {"step": "publish"})
    assert publishing.in_force(project).asked_keys() == ["games", "maps"]


def test_examples_and_parents_are_written_and_come_back_in_the_form():
    project = make_project(labels=("games",))
    client = browser(make_member(project, "manager"))
    url = f"/p/{project.slug}/settings/labels/"
    cards = {"key": "cards", "name": "Cards", "parent": "games", "examples": "a bridge club\r\n\r\n a page on poker "}
    client.post(url, labels_post(GAMES, cards, step="publish"))
    label = publishing.in_force(project).labels.get(key="cards")
    assert (label.parent, label.examples) == ("games", ["a bridge club", "a page on poker"])
    page = client.get(url).content.decode()
    assert "a bridge club\na page on poker</textarea>" in page and "under games" in page


def test_who_publishes_second_keeps_the_draft_and_sees_the_differences():
    project = make_project(labels=("games",))
    client = browser(make_member(project, "manager"))
    url = f"/p/{project.slug}/settings/labels/"
    client.post(url, labels_post(GAMES, {"key": "maps", "name": "Maps"}, step="publish"))
    late = client.post(url, labels_post(GAMES, {"key": "news", "name": "Daily news"}, step="publish"))
    page = late.content.decode()
    assert late.status_code == 412
    assert "“Maps” is retired" in page
    assert 'value="Daily news"' in page


def test_a_draft_of_a_version_that_is_not_there_is_answered_with_the_differences():
    project = Project.objects.create(slug="bare", name="Without a version")
    client = browser(make_member(project, "manager"))
    answer = client.post("/p/bare/settings/labels/", labels_post(GAMES, based_on=3, step="publish"))
    assert answer.status_code == 412
    assert "“Games” is added" in answer.content.decode()


def test_a_draft_that_cannot_be_published_keeps_what_was_typed():
    project = make_project(labels=("games",))
    client = browser(make_member(project, "manager"))
    answer = client.post(f"/p/{project.slug}/settings/labels/", labels_post({"key": "No Key", "name": "Kept"}))
    assert answer.status_code == 422
    assert 'value="Kept"' in answer.content.decode()


# ---- putting away ---------------------------------------------------------------------------------------------------
def test_an_archived_project_leaves_the_list_and_comes_back():
    project = make_project(name="Put away")
    client = browser(make_member(project, "manager"))
    client.post(f"/p/{project.slug}/settings/archive/")
    assert "1 archived" in client.get("/").content.decode()
    client.post(f"/p/{project.slug}/settings/restore/")
    assert "archived" not in client.get("/").content.decode()


def test_only_a_project_without_pages_can_be_deleted():
    operator = browser(make_user(is_superuser=True))
    empty, full = make_project(), make_project()
    make_assignment(full)
    assert operator.post(f"/p/{empty.slug}/settings/delete/").status_code == 302
    assert operator.post(f"/p/{full.slug}/settings/delete/").status_code == 409
    assert list(Project.objects.all()) == [full]
