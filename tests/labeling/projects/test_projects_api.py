"""Projects over the API, as the contract names them."""

import pytest
from rest_framework.test import APIClient

from labeling.models import Event, Membership, Project
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db

BODY = {
    "slug": "homepages",
    "name": "Homepages",
    "overlap": {"default": 2, "gold": 3},
    "labels": [
        {"key": "games", "name": "Games", "definition": "Offers games", "severity": 2},
        {"key": "news", "name": "News", "shortcut": "w", "parent": None},
    ],
    "exclusive_groups": [["games", "news"]],
    "ask_confidence": True,
    "batch_size": 50,
    "random_share": 0.3,
    "query_strategy": "random",
    "retrain_every": 200,
}


def client_of(user) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture
def creator():
    return make_user(may_create_projects=True)


def test_a_project_is_made_with_its_settings_and_labels(creator):
    client = client_of(creator)
    made = client.post("/api/v1/projects/", BODY)
    assert made.status_code == 201
    assert made["Location"].endswith("/api/v1/projects/homepages/")
    read = client.get("/api/v1/projects/homepages/").json()
    assert {name: read[name] for name in BODY if name != "labels"} == {
        name: BODY[name] for name in BODY if name != "labels"
    }
    assert [(label["key"], label["shortcut"], label["severity"]) for label in read["labels"]] == [
        ("games", "g", 2),
        ("news", "w", None),
    ]
    assert Membership.objects.get(project__slug="homepages").role == "manager"


def test_a_taken_slug_is_refused(creator):
    make_project("homepages")
    answer = client_of(creator).post("/api/v1/projects/", BODY)
    assert answer.status_code == 409
    assert "Choose another" in answer.json()["detail"]


def test_a_project_refused_for_its_labels_is_not_made(creator):
    answer = client_of(creator).post("/api/v1/projects/", BODY | {"labels": [{"key": "Bad Key"}]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/labels/0/key"
    assert not Project.objects.exists()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"overlap": 0}, "/overlap"),
        ({"overlap": {"sideways": 2}}, "/overlap"),
        ({"overlap": "two"}, "/overlap"),
        ({"lease_seconds": 1}, "/lease_seconds"),
        ({"random_share": 1.5}, "/random_share"),
        ({"query_strategy": "magic"}, "/query_strategy"),
        ({"name": " "}, "/name"),
    ],
)
def test_a_setting_out_of_its_range_is_named(change, pointer):
    project = make_project()
    answer = client_of(make_member(project, "manager")).patch(f"/api/v1/projects/{project.slug}/", change)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_stale_change_is_412_with_both_versions():
    project = make_project()
    client = client_of(make_member(project, "manager"))
    url = f"/api/v1/projects/{project.slug}/"
    tag = client.get(url)["ETag"]
    assert client.patch(url, {"overlap": 3}, headers={"If-Match": tag}).status_code == 200
    late = client.patch(url, {"overlap": 5}, headers={"If-Match": tag})
    assert late.status_code == 412
    assert (late.json()["current"]["overlap"], late.json()["yours"]["overlap"]) == (3, 5)
    assert client.get(url).json()["overlap"] == 3


def test_annotators_read_name_guideline_labels_and_their_own_progress_only():
    project = make_project()
    read = client_of(make_member(project, "annotator")).get(f"/api/v1/projects/{project.slug}/").json()
    assert read["progress"] == {"answered": 0}
    assert not {"overlap", "lease_seconds", "batch_size", "version"} & set(read)


def test_patching_labels_publishes_a_version_and_retires_what_is_left_out():
    project = make_project(labels=("games", "news"))
    client = client_of(make_member(project, "manager"))
    url = f"/api/v1/projects/{project.slug}/"
    assert client.patch(url, {"labels": [{"key": "news"}]}).json()["schema_version"] == 2
    versions = client.get(f"{url}schema-versions/").json()["results"]
    assert [(version["number"], version["in_force"]) for version in versions] == [(2, True), (1, False)]
    assert {label["key"]: label["retired"] for label in versions[0]["labels"]} == {"news": False, "games": True}


def test_the_list_of_projects_asks_the_same_queries_for_many_as_for_one(django_assert_max_num_queries):
    user = make_user()
    for _ in range(12):
        project = make_project()
        Membership.objects.create(project=project, user=user, role="annotator")
        Membership.objects.create(project=project, user=user, role="viewer")
    client = client_of(user)
    with django_assert_max_num_queries(20):  # the learner's settings are one query a project
        assert len(client.get("/api/v1/projects/").json()["results"]) == 12


# ---- members --------------------------------------------------------------------------------------------------------
def test_a_role_is_given_and_taken_and_counts_from_the_next_request():
    project = make_project()
    client, person = client_of(make_member(project, "manager")), make_user("nia")
    url = f"/api/v1/projects/{project.slug}/members/"
    for _ in range(2):
        assert client.post(url, {"username": "nia", "role": "viewer"}).status_code == 201
    theirs = client_of(person)
    assert theirs.get(f"/api/v1/projects/{project.slug}/").status_code == 200
    assert client.delete(f"{url}?username=nia&role=viewer").status_code == 204
    assert theirs.get(f"/api/v1/projects/{project.slug}/").status_code == 404


def test_the_last_manager_stays_and_a_deactivated_one_does_not_count():
    project = make_project()
    manager = make_member(project, "manager", name="mia")
    make_member(project, "manager", is_active=False)
    answer = client_of(manager).delete(f"/api/v1/projects/{project.slug}/members/?username=mia&role=manager")
    assert answer.status_code == 409
    assert Membership.objects.filter(user=manager).exists()


def test_every_change_leaves_a_line_in_the_audit_trail():
    project = make_project()
    manager = make_member(project, "manager")
    make_user("nia")
    client = client_of(manager)
    client.patch(f"/api/v1/projects/{project.slug}/", {"overlap": 4})
    client.post(f"/api/v1/projects/{project.slug}/members/", {"username": "nia", "role": "viewer"})
    assert list(Event.objects.filter(project=project).order_by("id").values_list("kind", "actor")) == [
        ("project.changed", manager.pk),
        ("member.added", manager.pk),
    ]


def test_examples_parents_and_groups_are_published_and_read_by_programs():
    project = make_project(labels=("games",))
    client = client_of(make_member(project, "manager"))
    labels = [
        {"key": "games", "examples": ["a chess club", "an online casino"], "near_misses": ["a football club"]},
        {"key": "cards", "parent": "games"},
        {"key": "news"},
    ]
    body = {"labels": labels, "exclusive_groups": [["cards", "news"]]}
    published = client.post(f"/api/v1/projects/{project.slug}/schema-versions/", body).json()
    games, cards, _ = published["labels"]
    assert (games["examples"], cards["parent"], cards["examples"]) == (
        ["a chess club", "an online casino"],
        "games",
        [],
    )
    assert published["exclusive_groups"] == [["cards", "news"]]


def test_a_group_of_a_label_and_one_above_it_is_refused_where_it_stands():
    project = make_project(labels=("games", "news"))
    labels = [{"key": "games"}, {"key": "news", "parent": "games"}]
    refused = client_of(make_member(project, "manager")).post(
        f"/api/v1/projects/{project.slug}/schema-versions/", {"labels": labels, "exclusive_groups": [["news", "games"]]}
    )
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {
            "pointer": "/exclusive_groups/0",
            "detail": "“News” is under “Games”: whoever says yes to it says yes to both, "
            "so they cannot exclude each other.",
        }
    ]
