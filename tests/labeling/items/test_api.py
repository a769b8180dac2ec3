"""Items over the API: filters from a fixed list, and nothing an annotator should not know."""

import pytest
from rest_framework.test import APIClient

from tests.factories import make_assignment, make_item, make_member, make_project

pytestmark = pytest.mark.django_db
LIST = "/api/v1/projects/pages/items/"


@pytest.fixture
def project():
    return make_project("pages")


@pytest.fixture
def api(project):
    client = APIClient()
    client.force_login(make_member(project, "manager"))
    return client


def test_an_item_has_the_fields_of_the_contract(api, project):
    item = make_item(project, "https://a.example/", title="A", text="one", external_id="17")
    shape = api.get(f"{LIST}{item.public_id}/").json()
    wanted = {
        "id", "external_id", "url", "url_raw", "host", "registrable_domain", "title", "text", "metadata", "stream",
        "state",
    }  # fmt: skip
    assert wanted <= shape.keys()
    assert (shape["id"], shape["title"], shape["state"], shape["stream"]) == (item.public_id, "A", "active", None)


@pytest.mark.parametrize(
    "query",
    [
        "created_by__password__startswith=p", "project__memberships__user__password__regex=^pbkdf2", "ordering=user",
        "_connector=OR 1=1) --", "state=open sesame", "stream=luck", "label=poetry", "label=news&min_probability=2",
        "min_probability=0.5", "import=17", "import=00000000-0000-0000-0000-000000000000", "page_size=100000000",
        "cursor=not-base64", "q=%00",
    ],
)  # fmt: skip
def test_a_filter_it_does_not_know_is_400(api, query):
    answer = api.get(f"{LIST}?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_filters_narrow_the_list(api, project):
    make_item(project, "https://a.example/")
    make_item(project, "https://b.example/", state="withdrawn")
    hosts = [row["host"] for row in api.get(f"{LIST}?state=withdrawn").json()["results"]]
    assert hosts == ["b.example"]


def test_annotators_read_theirs_without_stream_and_state(project):
    person = make_member(project, "annotator")
    client = APIClient()
    client.force_login(person)
    mine = make_assignment(project, leased_to=person).item
    shape = client.get(f"{LIST}{mine.public_id}/").json()
    assert shape["id"] == mine.public_id
    assert not {"stream", "state"} & shape.keys()
    assert client.get(f"{LIST}{make_item(project).public_id}/").status_code == 404
    assert client.get(LIST).status_code == 403


def test_an_item_of_another_project_is_not_found(api):
    other = make_item(make_project())
    assert api.get(f"{LIST}{other.public_id}/").status_code == 404
