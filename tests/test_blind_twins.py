"""Two worlds that differ only in what others answered, what a model thinks and why a page is asked look the same.

Every request the permission matrix allows an annotator is sent twice: to the world as it is, and to its twin. Answers
must be the same, byte for byte, but for clocks, tokens against forgery and numbers of rows that were just written.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling import consensus, immutability, suggestions
from labeling.models import Assignment, Draft, Item, Judgment, LikelyLabel, Selection
from tests.labeling.suggestions.model import Model
from tests.permission_requests import REQUESTS, Call, World, make_world
from tests.test_permissions import MATRIX, is_in_project

pytestmark = pytest.mark.django_db
FLIPPED = {"yes": "no", "no": "yes", "unsure": "yes"}
OF_THIS_MOMENT = (
    re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?"),
    re.compile(rb'name="csrfmiddlewaretoken" value="\w+"'),
    re.compile(rb'name="idempotency_key" value="\w+"'),
    re.compile(rb"""nonce[-=]["']?[\w+/=-]+"""),
    re.compile(rb'"id":\s*\d+,\s*"item"'),  # of an answer just written
    re.compile(rb'"(version|supersedes)":\s*("[^"]*"|\d+)'),
    re.compile(rb"\b\d\d:\d\d\b"),
)
SPOKEN = frozenset({"Content-Type", "Location", "ETag", "Link", "Retry-After", "Vary", "Allow"})


@pytest.fixture
def w() -> World:
    return make_world("twin")


# ---- what differs ---------------------------------------------------------------------------------------------------
def others_answered_otherwise(w: World) -> None:
    mine = w.people["annotator"]
    for judgment in Judgment.objects.exclude(rater__user=mine):
        judgment.verdicts = {key: FLIPPED[verdict] for key, verdict in judgment.verdicts.items()}
        judgment.note = "something else"
        Judgment.objects.filter(pk=judgment.pk).update(verdicts=judgment.verdicts, note=judgment.note)
    consensus.refresh_many(list(Item.objects.values_list("pk", flat=True)), project=w.project)


def the_model_thinks_otherwise(w: World) -> None:
    Item.objects.update(expected_exposure=3.5)
    LikelyLabel.objects.bulk_create(LikelyLabel(item=item, label="self_harm") for item in Item.objects.all())


def pages_were_chosen_otherwise(w: World) -> None:
    chosen: QuerySet[Selection] = Selection.objects.exclude(stream="gold")
    chosen.update(stream="uncertainty", reason="the model is unsure of Self-Harm", rank=1)


def my_page_is_a_honeypot(w: World) -> None:
    Assignment.objects.filter(pk=w.leases["annotator"].pk).update(purpose="honeypot")


def my_page_is_a_repeat(w: World) -> None:
    Assignment.objects.filter(pk=w.leases["annotator"].pk).update(purpose="repeat")


DIFFERENCES = (
    others_answered_otherwise, the_model_thinks_otherwise, pages_were_chosen_otherwise, my_page_is_a_honeypot,
    my_page_is_a_repeat,
)  # fmt: skip


@pytest.mark.parametrize("differ", DIFFERENCES, ids=lambda differ: differ.__name__)
def test_an_annotator_sees_the_same_in_both(w, differ):
    assert what_tells_them_apart(w, differ) == []


# ---- where a model suggests -----------------------------------------------------------------------------------------
@pytest.fixture
def suggesting(w, monkeypatch) -> World:
    """A world that shows everything a model says; it learnt before anybody answered."""
    w.project.suggests = True
    w.project.save()
    model = Model(learnt_at=w.project.schema.published_at)
    model.yes = dict.fromkeys(Item.objects.values_list("pk", flat=True), ("games",))
    monkeypatch.setattr(suggestions, "_sources", [model])
    monkeypatch.setattr(suggestions, "is_in_shown_half", lambda *_: True)
    monkeypatch.setattr(suggestions, "is_blind", lambda *_: False)
    w.model = model
    Draft.objects.filter(pk=w.drafts["annotator"].pk).update(round=2)  # a page that was begun without one stays so
    return w


def the_model_says_otherwise(w: World) -> None:
    """Twice is the same as never, so that two worlds that are compared again differ again."""
    said = [("games",), ("news", "self_harm")]
    w.model.yes = {item: said[1 - said.index(labels)] for item, labels in w.model.yes.items()}


def test_a_suggestion_does_show_so_that_the_rest_means_something(suggesting):
    here = answers(suggesting)
    with undone():
        the_model_says_otherwise(suggesting)
        assert here != answers(suggesting)


# A repeat is left out: no suggestion ever stands on one, as on half of everything else (docs/decisions, 0014).
@pytest.mark.parametrize(
    "differ", [others_answered_otherwise, the_model_thinks_otherwise, pages_were_chosen_otherwise,
               my_page_is_a_honeypot], ids=lambda differ: differ.__name__,
)  # fmt: skip
def test_with_suggestions_shown_the_two_still_look_the_same(suggesting, differ):
    assert what_tells_them_apart(suggesting, differ) == []


def test_on_pages_of_a_sample_what_the_model_says_shows_through_nowhere(suggesting):
    w = suggesting
    have = Selection.objects.filter(draw=w.draw).values("item")
    Selection.objects.bulk_create(
        Selection(item=item, stream="gold", draw=w.draw, probability=0.5)
        for item in Item.objects.filter(project=w.project).exclude(pk__in=have)
    )
    assert what_tells_them_apart(w, the_model_says_otherwise) == []


def test_the_comparison_finds_what_can_be_seen(w):
    """An address that changed shows, so that sameness above means something."""
    here = answers(w)
    with undone():
        Item.objects.filter(pk=w.leases["annotator"].item_id).update(url_display="another.example.org")
        assert here != answers(w)


# ---- asking ---------------------------------------------------------------------------------------------------------
def what_tells_them_apart(w: World, differ: Callable[[World], None]) -> list[str]:
    """The requests that are answered differently in the world as it is and in its twin, both asked on one day: what
    was done today, and this week, is said on several pages."""
    day = timezone.localdate()
    here = answers(w)
    assert len(here) > 20
    with undone():
        immutability.remove()  # these rows never change in one world; the other was so from the start
        differ(w)
        there = answers(w)
    if timezone.localdate() != day:
        return what_tells_them_apart(w, differ)
    return [name for name in here if here[name] != there[name]]


def answers(w: World) -> dict[str, Any]:
    """Request -> what was answered, for everything an annotator may ask for here. Each is undone."""
    client = Client(raise_request_exception=False)
    client.force_login(w.people["annotator"])
    return {f"{call.method} {call.url} {number}": said(client, call, w) for number, call in enumerate(allowed())}


def allowed() -> list[Call]:
    calls = []
    for action, tried in REQUESTS.items():
        if is_in_project(action) and MATRIX[action]["annotator"] in {"A", "O"}:
            calls += [call for call in tried if not call.reveals]
    return calls


def said(client: Client, call: Call, w: World) -> tuple[int, dict[str, str], bytes]:
    who = "annotator"
    path = call.url if call.url.startswith("/") else reverse(call.url, kwargs=call.kwargs(w, who))
    kind = {} if call.content_type == "form" else {"content_type": call.content_type}
    address = f"{path}?{call.query}" if call.query else path
    with undone():
        send = getattr(client, call.method.lower())
        answer = send(address, call.body(w, who), **kind) if call.body else send(address, **kind)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    for moment in OF_THIS_MOMENT:
        content = moment.sub(b"", content)
    said_of_it = SPOKEN if call.method == "GET" else SPOKEN - {"ETag"}  # of a row just written, it tells the moment
    spoken = {name: answer[name] for name in said_of_it if name in answer}
    return answer.status_code, spoken, content


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True, using=connection.alias)
