"""Stored words are words: no payload in any text field becomes markup on any page, for anyone."""

import json
from html import escape

import html5lib
import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from labeling.models import Draft
from tests.corpora import BAD_INPUTS, records
from tests.corpora.bad_inputs.oracles import header_split, html_findings, new_elements, template_evaluated
from tests.factories import make_assignment, make_member, make_project
from tests.full_house import ROLES, build, readable_paths

pytestmark = pytest.mark.django_db

PAYLOADS = [record["payload"] for record in records("xss.jsonl")]
NAUGHTY = [text.replace("\x00", "") or "empty" for text in json.loads(
    (BAD_INPUTS / "third_party" / "blns.json").read_text("utf-8"))]  # fmt: skip
MARKUP = {"script", "style", "iframe", "img", "svg", "details", "b", "object", "embed", "form", "input", "meta", "base"}


def hostile(n: int) -> str:
    return PAYLOADS[n % len(PAYLOADS)]


def harmless(n: int) -> str:
    return f"words {n % len(PAYLOADS)}"


def client_of(person) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


def reads(house, person, *, most=3):
    """(path, answer) of every address this person may read: of each kind at most so many."""
    client = client_of(person)
    for paths in readable_paths(house, most=most).values():
        for path in paths:
            answer = client.get(path)
            if answer.status_code == 405:
                break
            yield path, answer


def body_of(answer) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode("utf-8", "replace")


def faults(path: str, answer) -> list[tuple]:
    """Everything that is wrong with one answer to a hostile house."""
    text, kind = body_of(answer), answer.headers.get("Content-Type", "")
    found = [(path, answer.status_code)] if answer.status_code >= 500 else []
    if answer.headers["X-Content-Type-Options"] != "nosniff":
        found.append((path, "sniffable"))
    found += [(path, header) for header in header_split(answer.headers.items())]
    if kind.startswith("text/html"):
        found += [(path, *finding) for finding in (html_findings(text) if "__ts_xss" in text else ())]
        found += [
            (path, "template", payload) for payload in PAYLOADS if "49" in payload and template_evaluated(text, payload)
        ]
    elif any(payload in text for payload in PAYLOADS) and not answer.headers.get("Content-Disposition"):
        allowed = ("application/json", "application/problem+json", "application/x-ndjson", "text/csv")
        found += [] if kind.startswith(allowed) else [(path, kind)]
    return found


@pytest.fixture
def house():
    return build(hostile)


def test_no_payload_becomes_live_for_anyone_on_any_page(house):
    found, shown = [], set()
    for person in (*(house.people[role] for role in ROLES), house.operator):
        for path, answer in reads(house, person, most=3 if person == house.people["manager"] else 1):
            found += faults(path, answer)
            if not answer.streaming:
                shown |= {payload for payload in PAYLOADS if escape(payload) in answer.content.decode()}
    assert found == []
    assert shown == set(PAYLOADS)  # each of them really stood on some page, as text


def test_a_payload_adds_no_element_to_any_page(house):
    """Dangling markup and clobbering: the page has the elements it has with harmless words, and no other."""
    plain = build(harmless, slug="plain")
    found = {}
    for (path, hostile_answer), (_, plain_answer) in zip(
        reads(house, house.people["manager"], most=1), reads(plain, plain.people["manager"], most=1), strict=True
    ):
        if hostile_answer.headers.get("Content-Type", "").startswith("text/html"):
            added = new_elements(body_of(hostile_answer), body_of(plain_answer))
            found |= {path: added} if MARKUP & set(added) else {}
    assert found == {}


def test_no_payload_becomes_live_in_the_administration(house):
    operator, found = client_of(house.operator), []
    for model in admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        paths = [reverse(f"{base}_changelist")]
        paths += [reverse(f"{base}_change", args=[pk]) for pk in model.objects.values_list("pk", flat=True)[:2]]
        for path in paths:
            found += faults(path, operator.get(path))
    assert found == []


@pytest.mark.slow
def test_naughty_strings_in_every_text_break_no_page():
    """Each stored text is one of the list or, where there is room, many of them together."""
    house = build(lambda n: f"{NAUGHTY[(n * 37) % len(NAUGHTY)]} {' '.join(NAUGHTY[n % 28 :: 28])}", slug="naughty")
    broken = [
        (path, answer.status_code)
        for path, answer in reads(house, house.people["manager"], most=2)
        if answer.status_code >= 500 or (answer.streaming and not body_of(answer))
    ]
    assert broken == []


@pytest.mark.slow
def test_every_naughty_string_is_a_note_like_any_other():
    project = make_project("notes")
    client = client_of(annotator := make_member(project, "annotator"))
    path = reverse("api:draft", args=[make_assignment(project, leased_to=annotator).pk])
    for text in NAUGHTY:
        answer = client.put(path, {"yes": [], "unsure": [], "none": True, "note": text}, "application/json")
        assert answer.status_code == 200, (text, answer.content)
        assert Draft.objects.get().answer["note"] == text.strip()
    assert client.get(reverse("labeling:annotate", args=[project.slug])).status_code == 200


def forms_of(path: str, html: str) -> list[tuple[str, list[str]]]:
    """(where it goes, the names of its fields) of every form on a page that is posted."""
    found = []
    for form in html5lib.parse(html, namespaceHTMLElements=False).iter("form"):
        if form.get("method", "").lower() == "post":
            fields = [field.get("name") for kind in ("input", "textarea", "select") for field in form.iter(kind)]
            found.append((form.get("action") or path, sorted({name for name in fields if name})))
    return found


@pytest.mark.parametrize("role", ["annotator", "adjudicator", "manager"])
def test_a_form_that_is_shown_again_shows_words(house, role):
    """Every form of every page, sent with payloads in all its fields: refused or taken, nothing of it is markup."""
    client = client_of(house.people[role])
    sent, found = set(), []
    for path, page in reads(house, house.people[role], most=1):
        if not page.headers.get("Content-Type", "").startswith("text/html"):
            continue
        for action, names in forms_of(path, body_of(page)):
            if action in sent or action.startswith(reverse("accounts:logout")):
                continue
            sent.add(action)
            for shift in (0, 7, 14):
                answer = client.post(action, {name: hostile(place + shift) for place, name in enumerate(names)})
                found += faults(action, answer)
    assert len(sent) >= 4 and found == []
