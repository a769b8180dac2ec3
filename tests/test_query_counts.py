"""How many statements the pages and calls of the working day cost. Exact upper bounds: a query more is a decision.

BEGIN, COMMIT and savepoints are left out; they come with the transaction, not with the code.
"""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from labeling import places, queue, slots
from labeling.models import ApiToken, Assignment, Judgment, Project, Selection, State, Stream, User
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
LABELS = tuple(f"label_{number:02}" for number in range(16))
TRANSACTION = re.compile(r"BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE SAVEPOINT|START TRANSACTION")


def statements(work: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        work()
    return [query["sql"] for query in captured.captured_queries if not TRANSACTION.match(query["sql"])]


def assert_at_most(limit: int, work: Callable[[], object]) -> None:
    asked = statements(work)
    assert len(asked) <= limit, f"{len(asked)} statements:\n" + "\n".join(line[:240] for line in asked)


@pytest.fixture(autouse=True)
def places_stay(monkeypatch) -> None:
    """Now and then a look also finds out how far a person's place has moved on: two statements more, left out here."""
    monkeypatch.setattr(places, "MOVED_EVERY", 10**9)


@pytest.fixture
def project() -> Project:
    project = make_project(slug="pages", labels=())
    make_sixteen_labels(project)
    items = [make_item(project, text="What the page says.") for _ in range(12)]
    selections = [Selection.objects.create(item=item, stream=Stream.IMPORT) for item in items]
    slots.open_up(project, selections, overlap=3)
    return project


def make_sixteen_labels(project: Project) -> None:
    schema = project.schema
    schema.labels.bulk_create(
        schema.labels.model(schema=schema, key=key, name=key.title(), position=place)
        for place, key in enumerate(LABELS)
    )


@pytest.fixture
def alice(project) -> User:
    return make_member(project, "annotator")


def api_of(person: User) -> APIClient:
    _, secret = ApiToken.issue(
        person, name="bench", scopes=["read", "write"], expires_at=timezone.now() + timedelta(days=1)
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


@pytest.fixture
def api(alice) -> APIClient:
    """A client that has worked already: its token was used, its rater has a name, the labels are known."""
    client = api_of(alice)
    submit_and_next(client, lease(client))
    return client


def lease(client: APIClient) -> int:
    return client.post("/api/v1/projects/pages/next/").json()["assignment"]["id"]


def submit_and_next(client: APIClient, slot: int, *, yes: tuple[str, ...] = LABELS[:2], **headers: str) -> None:
    address = f"/api/v1/assignments/{slot}/judgment/?next=true"
    response = client.post(address, {"yes": list(yes)}, headers=headers)
    assert response.status_code == 201 and response.json()["next"]["assignment"], response.content


def test_submit_and_next(api):
    slot = lease(api)
    assert_at_most(10, lambda: submit_and_next(api, slot))
    assert Judgment.objects.count() == 2


def test_submit_and_next_with_an_idempotency_key(api):
    slot = lease(api)
    assert_at_most(12, lambda: submit_and_next(api, slot, **{"Idempotency-Key": "one"}))


def test_submit_and_next_with_a_draft_to_drop(api):
    slot = lease(api)
    api.put(f"/api/v1/assignments/{slot}/draft/", {"yes": [LABELS[0]]})
    assert_at_most(11, lambda: submit_and_next(api, slot))


def test_the_answer_that_completes_an_item_and_opens_its_disputes(api, project, alice):
    slot = Assignment.objects.get(pk=lease(api))
    for yes in ((LABELS[0],), (LABELS[1],)):
        other = make_member(project, "annotator")
        free = Assignment.objects.filter(item=slot.item, state=State.OPEN)
        taken = free.values_list("pk", flat=True).first()
        free.filter(pk=taken).update(state=State.LEASED, annotator=other)
        submit_and_next(api_of(other), taken, yes=yes)
    assert not Assignment.objects.filter(item=slot.item, state=State.OPEN).exists()
    assert_at_most(11, lambda: submit_and_next(api, slot.pk, yes=(LABELS[2],)))
    assert slot.item.disputes.count() == 3


def test_next(api):
    assert_at_most(6, lambda: lease(api))


def test_next_with_a_page_that_ran_out_in_someones_hands(api, project, alice):
    """Three more, and only then: who lost it is written down, and the new holder is shown the version in force."""
    queue.release_all(alice)
    Assignment.objects.filter(item__judgments__rater__user=alice, state=State.OPEN).update(
        state=State.WITHDRAWN, available_at=None
    )
    lease(api_of(make_member(project, "annotator")))
    Assignment.objects.filter(state=State.OPEN).update(available_at=timezone.now() + timedelta(days=1))
    Assignment.objects.filter(state=State.LEASED).update(available_at=timezone.now() - timedelta(days=1))
    assert_at_most(9, lambda: lease(api))
    assert Assignment.objects.get(state=State.LEASED).annotator == alice


def test_the_annotate_page(client: Client, alice, project):
    client.force_login(alice)
    client.get("/p/pages/annotate/")
    assert_at_most(9, lambda: client.get("/p/pages/annotate/"))  # one of them for the menu: is an answer new?


def test_submit_on_the_annotate_page_with_the_next_page_in_the_answer(client: Client, alice, project):
    client.force_login(alice)
    first = page_slot(client)
    send(client, first, "1")
    second = page_slot(client)
    assert_at_most(17, lambda: send(client, second, "2"))
    assert Judgment.objects.count() == 2


def page_slot(client: Client) -> int:
    return client.get("/p/pages/annotate/").context["assignment"].pk


def send(client: Client, slot: int, key: str) -> None:
    form = {f"label.{LABELS[0]}": "yes", "idempotency_key": key}
    response = client.post(f"/p/pages/annotate/{slot}/submit/", form, headers={"HX-Request": "true"})
    assert response.status_code == 200, response.content


def test_the_page_that_submits_and_shows_the_next_one(project, alice):
    browser = Client()
    browser.force_login(alice)
    html = browser.get("/p/pages/annotate/").content.decode()
    for _ in range(2):  # the first time her rater is given a name
        said = dict(HIDDEN.findall(html)) | {f"label.label_{number:02}": "no" for number in range(2, 16)}
        said |= {"label.label_00": "yes", "label.label_01": "yes"}
        [address] = set(re.findall(r'"(/p/pages/[^"]+/submit/)"', html))
        answers = []
        asked = statements(lambda: answers.append(browser.post(address, said, headers={"HX-Request": "true"})))  # noqa: B023
        html = answers[0].content.decode()
    assert Judgment.objects.count() == 2
    assert len(asked) <= 15, "\n".join(line[:240] for line in asked)
