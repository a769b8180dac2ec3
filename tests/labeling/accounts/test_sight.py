"""What people see of pages: no opinion of one they may be given, and no more of an address than their role needs."""

import pytest
from django.test import Client

from labeling import consensus, queue
from labeling.models import Membership, State
from tests.factories import make_assignment, make_item, make_judgment, make_member, make_project

pytestmark = pytest.mark.django_db

MAY_BE_GIVEN_PAGES = [
    ("annotator", "manager"), ("annotator", "adjudicator"), ("annotator", "viewer"), ("adjudicator", "manager"),
    ("adjudicator",), ("annotator",),
]  # fmt: skip
ANNOTATES = [roles for roles in MAY_BE_GIVEN_PAGES if "annotator" in roles]


@pytest.fixture
def project():
    return make_project("pages")


@pytest.fixture
def half_done(project):
    """A page one of two people has answered: anybody may still be given it."""
    item = make_item(project, "https://half.example/", title="Half")
    make_judgment(item, "first", yes=["news"], assignment=make_assignment(project, item, state="withdrawn", **CLOSED))
    make_assignment(project, item, slot=2)
    consensus.refresh(item, project=project)
    return item


@pytest.fixture
def done(project):
    item = make_item(project, "https://done.example/", title="Done")
    for rater in ("first", "second"):
        make_judgment(item, rater, yes=["news"])
    consensus.refresh(item, project=project)
    return item


CLOSED = {"available_at": None}


def person_of(project, *roles, **fields) -> Client:
    client = Client()
    client.force_login(make_member(project, *roles, **fields))
    return client


def items_of(client: Client, path: str) -> set[str] | int:
    """The items that an answer of the API names, or the status that refuses it."""
    answer = client.get(f"/api/v1/projects/pages/{path}")
    if answer.status_code != 200:
        return answer.status_code
    return {row.get("item") or row["id"] for row in answer.json()["results"]}


# ---- opinions -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("roles", MAY_BE_GIVEN_PAGES, ids="+".join)
@pytest.mark.parametrize("superuser", [False, True])
def test_who_may_be_given_a_page_reads_no_answer_to_it_by_any_door(project, half_done, done, roles, superuser):
    person = make_member(project, *roles, is_superuser=superuser)
    client = Client()
    client.force_login(person)
    secret = half_done.public_id
    for path in ("judgments/", "consensus/", "consensus/?state=pending", "items/?label=news&min_probability=0.9"):
        found = items_of(client, path)
        assert found in (403, 404) or secret not in found, path
    assert "What people said" not in client.get(f"/p/pages/items/{secret}/").content.decode()
    assert "Half" not in client.get("/p/pages/items/?label=news&min_probability=0.9").content.decode()
    assert queue.lease_next(project, annotator=person).item == half_done


@pytest.mark.parametrize("roles", ANNOTATES, ids="+".join)
@pytest.mark.parametrize("superuser", [False, True])
def test_who_annotates_sees_no_consensus_at_all_whatever_else_they_are(project, done, roles, superuser):
    client = person_of(project, *roles, is_superuser=superuser)
    assert items_of(client, "consensus/") == 403
    assert items_of(client, "items/?label=news&min_probability=0.9") == 403
    assert items_of(client, "items/?state=agreed") == 403
    assert client.get("/p/pages/items/?label=news").status_code == 403
    assert client.get("/p/pages/items/?state=disputed").status_code == 403
    listed = client.get("/p/pages/items/").content.decode()
    assert '<select id="label"' not in listed
    assert "agreed" not in listed
    assert "What people said" not in client.get(f"/p/pages/items/{done.public_id}/").content.decode()


def test_the_refusal_says_why(project):
    answer = person_of(project, "manager", "annotator").get("/api/v1/projects/pages/consensus/")
    assert "Who may be given pages here sees no opinions" in answer.json()["detail"]
    answer = person_of(project, "viewer").get("/api/v1/projects/pages/consensus/")
    assert "Your role in this project does not include this" in answer.json()["detail"]


def test_an_adjudicator_reads_what_is_said_of_pages_that_are_done(project, half_done, done):
    for roles in (("adjudicator",), ("adjudicator", "manager")):
        client = person_of(project, *roles)
        assert items_of(client, "judgments/") == items_of(client, "consensus/") == {done.public_id}
        assert items_of(client, "items/?label=news&min_probability=0.9") == {done.public_id}
        assert "What people said" in client.get(f"/p/pages/items/{done.public_id}/").content.decode()


def test_a_manager_who_is_given_no_pages_reads_all_of_it(project, half_done, done):
    for client in (person_of(project, "manager"), person_of(project, "manager", "viewer")):
        both = {half_done.public_id, done.public_id}
        assert items_of(client, "judgments/") == items_of(client, "consensus/") == both


def test_the_manager_who_becomes_an_annotator_is_blind_from_the_next_request(project, half_done):
    person = make_member(project, "manager")
    client = Client()
    client.force_login(person)
    assert items_of(client, "judgments/") == {half_done.public_id}
    Membership.objects.create(project=project, user=person, role="annotator")
    assert items_of(client, "judgments/") == set()
    assert queue.lease_next(project, annotator=person).item == half_done
    assert not project.assignments.filter(state=State.DONE).exists()


def test_names_of_raters_are_for_managers(project, done):
    assert items_of(person_of(project, "manager"), "judgments/?identify=true") == {done.public_id}
    assert items_of(person_of(project, "manager", "annotator"), "judgments/?identify=true") == {done.public_id}
    assert items_of(person_of(project, "adjudicator"), "judgments/?identify=true") == 403


# ---- addresses and what came beside them ----------------------------------------------------------------------------
@pytest.fixture
def private(project):
    return make_item(
        project, "https://school.example/search?pupil=Ola", title="Results", text="Marks of the class.",
        metadata={"teacher": "Kim"},
    )  # fmt: skip


NOT_FOR_ALL = ("Ola", "Kim")


@pytest.mark.parametrize("roles", [("viewer",), ("adjudicator",), ("annotator", "viewer")], ids="+".join)
def test_only_who_runs_the_project_sees_queries_and_metadata(project, private, roles):
    client = person_of(project, *roles)
    for path in ("/api/v1/projects/pages/items/", "/p/pages/items/"):
        for answer in (client.get(path), client.get(f"{path}{private.public_id}/")):
            assert answer.status_code == 200
            assert not [word for word in NOT_FOR_ALL if word in answer.content.decode()]


@pytest.mark.parametrize("fields", [{}, {"is_superuser": True}])
def test_managers_and_operators_see_them(project, private, fields):
    client = person_of(project, *(() if fields else ("manager",)), **fields)
    shape = client.get(f"/api/v1/projects/pages/items/{private.public_id}/").json()
    assert (shape["url_raw"], shape["metadata"]) == (private.url_raw, {"teacher": "Kim"})
    assert "Kim" in client.get(f"/p/pages/items/{private.public_id}/").content.decode()


@pytest.mark.parametrize("secret", ["pupil=Ola", "ola", "?pupil"])
def test_what_one_may_not_read_one_may_not_search(project, private, secret):
    for roles, found in ((("viewer",), set()), (("manager",), {private.public_id})):
        client = person_of(project, *roles)
        assert items_of(client, f"items/?q={secret}") == found
        page = client.get(f"/p/pages/items/?q={secret}").content.decode()
        assert ("Results" in page) == bool(found)


def test_what_everybody_may_read_everybody_may_search(project, private):
    client = person_of(project, "viewer")
    assert items_of(client, "items/?q=school.example/search") == {private.public_id}
    assert items_of(client, "items/?q=Results") == {private.public_id}


def test_where_the_project_shows_queries_they_are_searched(private):
    private.project.show_queries = True
    private.project.save()
    assert items_of(person_of(private.project, "viewer"), "items/?q=pupil=Ola") == {private.public_id}


# ---- sensitive pages ------------------------------------------------------------------------------------------------
def test_a_sensitive_project_shows_viewers_neither_title_nor_text(project, private):
    manager = person_of(project, "manager")
    answer = manager.patch("/api/v1/projects/pages/", {"sensitive": True}, content_type="application/json")
    assert (answer.status_code, answer.json()["sensitive"]) == (200, True)
    client = person_of(project, "viewer")
    for path in ("/api/v1/projects/pages/items/", "/p/pages/items/"):
        for answer in (client.get(path), client.get(f"{path}{private.public_id}/")):
            said = answer.content.decode()
            assert answer.status_code == 200
            assert "school.example" in said
            assert "Results" not in said
            assert "Marks of the class" not in said
    assert items_of(client, "items/?q=Results") == set()


@pytest.mark.parametrize("roles", [("adjudicator",), ("manager",), ("viewer", "adjudicator")], ids="+".join)
def test_who_works_on_sensitive_pages_reads_them(private, roles):
    private.project.sensitive = True
    private.project.save()
    shape = person_of(private.project, *roles).get(f"/api/v1/projects/pages/items/{private.public_id}/").json()
    assert (shape["title"], shape["text"]) == ("Results", "Marks of the class.")


def test_the_settings_page_offers_it(project):
    assert 'name="sensitive"' in person_of(project, "manager").get("/p/pages/settings/").content.decode()
