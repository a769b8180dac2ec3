"""The permission matrix over HTTP: every action, every principal, through the whole middleware stack.

tests/permission_matrix.csv says what may be done, tests/permission_requests.py how each action is tried. A refusal must
leave every row as it was. The table runs a second time with the ids of a project the people are no members of.
"""

import csv
import hashlib
import json
from copy import deepcopy
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from labeling import permissions, schemas, tokens
from labeling.models import ApiToken, UserSession
from tests.factories import make_member, make_project, make_user
from tests.permission_requests import REQUESTS, ROLES, Call, World, make_world

pytestmark = pytest.mark.django_db

with (Path(__file__).parent / "permission_matrix.csv").open(newline="") as table:
    MATRIX = {row["action"]: row for row in csv.DictReader(table)}

PEOPLE = ("anon", "outsider", *ROLES, "superuser")
REFUSED = {401, 403, 404, 405, 409}

# Actions without a URL yet. Each later page or endpoint takes its row out of here; nothing else is left out.
NOT_BUILT = {
    "annotator.pause_reinstate",
    "audit.read_project",
    "dashboard.cross_project",
    "drift.upload_production_sample",
    "export.create",
    "export.read_other_users_export",
    "export.training",
    "exposure.read_own",
    "exposure.read_project",
    "flag.create",
    "flag.resolve",
    "gate.override",
    "gold_answer.read",
    "guideline.propose_change",
    "honeypot.manage",
    "item.fetch_page",
    "item.read_leased",
    "item.read_text",
    "item.read_whole",
    "judgment.create_as_other",
    "judgment.read_identified",
    "judgment.read_others_before_done",
    "judgment.void",
    "model.download_artifact",
    "model.promote",
    "model.score_urls",
    "model.upload_artifact",
    "prediction.read_before_judging",
    "queue.release_other_lease",
    "queue.set_priority",
    "release.deprecate",
    "webhook.configure",
}
# Actions that are commands: there is nothing to send a request to.
COMMANDS = {action for action, row in MATRIX.items() if row["note"] == "command"}


# ---- the principals -------------------------------------------------------------------------------------------------
@pytest.fixture
def here():
    return _world("here")


@pytest.fixture
def there(here):
    return _world("there")


def _world(name: str) -> World:
    w = make_world(name)
    w.people["superuser"] = make_user(f"{name}-superuser", is_superuser=True, is_staff=True)
    w.people["outsider"] = make_member(make_project(f"{name}-elsewhere"), "viewer", name=f"{name}-outsider")
    w.tokens = {who: tokens.issue(user, name="own", scopes=["read"])[0] for who, user in w.people.items()}
    w.sessions = {}
    Client().force_login(w.other)
    w.foreign_session = UserSession.objects.get(user=w.other).pk
    return w


def _browser(w: World, who: str) -> Client:
    client = Client(raise_request_exception=False)
    if who != "anon":
        client.force_login(w.people[who])
        w.sessions[who] = UserSession.objects.filter(user=w.people[who]).latest("pk").pk
    return client


# ---- sending --------------------------------------------------------------------------------------------------------
def _address(call: Call, kwargs: dict) -> str:
    path = call.url if call.url.startswith("/") else reverse(call.url, kwargs=kwargs)
    return f"{path}?{call.query}" if call.query else path


def _send(client: Client, call: Call, w: World, who: str, kwargs: dict, **headers: str):
    body = call.body(w, who) if call.body else {}
    address = _address(call, kwargs)
    headers |= call.headers
    if call.if_match:
        headers["If-Match"] = f'"{call.if_match(w)}"'
    if call.method == "GET":
        return client.get(address, headers=headers)
    if call.content_type == "form":
        content_type, data = "application/x-www-form-urlencoded", urlencode(body, doseq=True)
    else:
        content_type, data = call.content_type, body if isinstance(body, str) else json.dumps(body)
    return client.generic(call.method, address, data, content_type=content_type, headers=headers)


class Tried:
    """One request in a savepoint that is rolled back: its answer, and whether it changed any row."""

    def __init__(self, client: Client, call: Call, w: World, who: str, kwargs: dict, **headers: str) -> None:
        wrote, cookies = Writes(), deepcopy(client.cookies)
        with transaction.atomic():
            with connection.execute_wrapper(wrote):
                self.response = _send(client, call, w, who, kwargs, **headers)
                self.text = b"".join(self.response) if self.response.streaming else self.response.content
            after = rows() if wrote.any else ""
            transaction.set_rollback(True)
        self.changed = wrote.any and rows() != after  # rolled back, the rows are those of before
        client.cookies = cookies  # a login or logout was rolled back, too
        schemas.by_id.cache_clear()
        location = self.response.get("Location", "")
        self.status = self.response.status_code
        self.asked_to_log_in = self.status == 401 or (self.status == 302 and "/accounts/login/?next=" in location)


class Writes:
    """Notices statements that write, so that the rows are only compared where something may have changed."""

    any = False

    def __call__(self, execute, sql, params, many, context):
        self.any = self.any or not sql.lstrip().upper().startswith(("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK"))
        return execute(sql, params, many, context)


NOT_COUNTED = {"sessions", "axes"}  # what any visit may write
PASSING = {"last_used_at", "last_seen_at", "last_login"}


def rows() -> str:
    """A digest of every row of ours."""
    seal = hashlib.sha256()
    for model in apps.get_models():
        if model._meta.app_label in NOT_COUNTED or model.__name__ in {"UserSession", "IdempotencyKey"}:
            continue
        names = [field.attname for field in model._meta.concrete_fields if field.attname not in PASSING]
        seal.update(repr(list(model._base_manager.order_by("pk").values_list(*names))).encode())
    return seal.hexdigest()


# ---- what a cell means ----------------------------------------------------------------------------------------------
def fault(cell: str, tried: Tried, call: Call, *, own: bool = True, outside: bool = False) -> str:
    """Why this answer is not what the cell says; empty when it is."""
    status = tried.status
    if status >= 500:
        return "5xx"
    if call.reveals is not None and cell in {"A", "L", "D"}:
        return "" if call.reveals(tried.response) == (cell == "A") else "shows the wrong amount"
    if cell == "A" or (cell == "O" and own):
        return "" if status in call.ok and not tried.asked_to_log_in else f"wanted {sorted(call.ok)}"
    if tried.changed:
        return "a row changed"
    wanted = {
        "D": {403, 404} if outside else {403},
        "N": {404},
        "O": {404},
        "L": {401} if not call.is_page else {302},
        "X": REFUSED,
    }[cell] | call.refused
    if cell == "L" and not tried.asked_to_log_in and status not in call.refused:
        return "not asked to log in"
    if cell == "X" and tried.asked_to_log_in:
        return ""
    return "" if status in wanted else f"wanted {sorted(wanted)}"


def cell_of(action: str, who: str) -> str:
    """The matrix's cell; where nobody at all may, how the impossible is refused does not matter."""
    row = MATRIX[action]
    impossible = all(row[role] in {"X", "D"} for role in (*ROLES, "superuser")) and row["superuser"] == "X"
    return "X" if impossible else row[who]


def calls():
    for action, found in REQUESTS.items():
        for call in found:
            yield action, call


def is_in_project(action: str) -> bool:
    return MATRIX[action]["outsider"] == "N"


SECRETS = (b"argon2", b"pbkdf2_", b"md5$", b"sessionid=")


def leaks(tried: Tried, w: World) -> bool:
    """Whether the answer holds a password hash, or more of a stored token than its hint."""
    digests = [token.digest.encode() for token in w.tokens.values()]
    return any(secret in tried.text for secret in (*SECRETS, *digests))


# ---- the table ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", PEOPLE)
def test_everyone_may_do_what_the_matrix_says(who, here):
    client, faults = _browser(here, who), []
    for action, call in calls():
        kwargs = call.kwargs(here, who) if who in here.sessions or who in ROLES else _kwargs_of_others(call, here)
        tried = Tried(client, call, here, who, kwargs)
        cell = cell_of(action, who)
        own = cell != "O" or call.foreign is None or kwargs != call.foreign(here, who)
        outside = who == "outsider" and "slug" in kwargs
        faults += _named(fault(cell, tried, call, own=own, outside=outside), action, call, who, cell, tried)
        faults += _named("a secret is shown" if leaks(tried, here) else "", action, call, who, cell, tried)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("who", ROLES)
def test_what_is_not_ones_own_is_not_found(who, here):
    client, faults = _browser(here, who), []
    for action, call in calls():
        if call.foreign is not None and cell_of(action, who) == "O":
            tried = Tried(client, call, here, who, call.foreign(here, who))
            faults += _named(fault("N", tried, call), action, call, who, "O, foreign", tried)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("who", ROLES)
def test_in_another_project_there_is_nothing(who, here, there):
    """The same requests, with the ids of a project one is no member of."""
    client, faults = _browser(here, who), []
    for action, call in calls():
        if is_in_project(action):
            tried = Tried(client, call, there, who, call.kwargs(there, who))
            cell = "N" if cell_of(action, who) in {"A", "O", "S"} else "X"
            faults += _named(fault(cell, tried, call), action, call, who, f"{cell}, elsewhere", tried)
    assert not faults, "\n".join(faults)


def test_a_token_may_what_its_user_may_within_its_scope(here):
    faults = []
    for action, call in calls():
        row = MATRIX[action]
        if row["token"] != "S" or call.is_page or call.reveals:
            continue
        who = next((role for role in ("manager", "annotator", "adjudicator", "superuser") if row[role] in "AO"), None)
        if who is None or cell_of(action, who) == "X":
            continue
        right, wrong = ("read", "write") if call.method == "GET" else ("write", "read")
        tried = _with_token(here, who, [right], call)
        faults += _named(fault(row[who], tried, call), action, call, f"token of {who}, {right}", "S", tried)
        tried = _with_token(here, who, [wrong], call)
        faults += _named(fault("D", tried, call), action, call, f"token of {who}, {wrong}", "D", tried)
    assert not faults, "\n".join(faults)


def test_what_needs_a_browser_session_is_refused_to_a_token(here):
    faults = []
    for action, call in calls():
        if MATRIX[action]["token"] in {"D", "X"} and MATRIX[action]["anon"] != "A" and not call.refused:
            tried = _with_token(here, "superuser", ["read", "write"], call)
            if tried.changed or (tried.status not in REFUSED and not tried.asked_to_log_in):
                faults += _named("not refused", action, call, "token of superuser", "D", tried)
    assert not faults, "\n".join(faults)


def _with_token(w: World, who: str, scopes: list[str], call: Call) -> Tried:
    _, secret = tokens.issue(w.people[who], name="program", scopes=scopes)
    client = Client(raise_request_exception=False)
    w.sessions[who] = 0
    return Tried(client, call, w, who, call.kwargs(w, who), Authorization=f"Token {secret}")


def _kwargs_of_others(call: Call, w: World) -> dict:
    """Ids for somebody who has nothing of their own."""
    return (call.foreign or call.kwargs)(w, "anon")


def _named(found: str, action: str, call: Call, who: str, cell: str, tried: Tried) -> list[str]:
    return [f"{who} · {action} ({cell}) · {call.method} {call.url} → {tried.status}: {found}"] if found else []


# ---- nothing is left out --------------------------------------------------------------------------------------------
def test_every_action_of_the_matrix_is_tried_or_named_as_not_built():
    untried = set(MATRIX) - set(REQUESTS) - COMMANDS
    assert untried == NOT_BUILT
    assert set(REQUESTS) <= set(MATRIX), "an action without a row in the matrix"


def test_every_address_declares_its_actions_and_every_one_is_tried():
    tried = {(call.url, call.method, action) for action, call in calls()}
    missing = []
    for name, declared in _addresses():
        if declared is None:
            missing.append(f"{name} declares no action")
        elif isinstance(declared, str):
            if not any(url == name and action == declared for url, _, action in tried):
                missing.append(f"{name} ({declared}) has no request")
        else:
            for method, action in declared.items():
                if (name, method, action) not in tried:
                    missing.append(f"{method} {name} ({action}) has no request")
    assert not missing, "\n".join(missing)


def test_every_declared_action_is_known_to_the_policy():
    declared = set()
    for _, found in _addresses():
        declared |= set(found.values()) if isinstance(found, dict) else {found}
    assert declared <= set(permissions.POLICY) | set(permissions.GLOBAL_POLICY)


def _addresses(resolver: URLResolver | None = None, namespace: str = ""):
    """Name and declaration of every address: an action, a dictionary by method, or None. Admin stands apart."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            view = pattern.callback
            view_class = getattr(view, "cls", None) or getattr(view, "view_class", None)
            declared = getattr(view, "action", None) or getattr(view_class, "actions", None)
            yield (f"{namespace}{pattern.name}" if pattern.name else f"/{pattern.pattern}"), declared
        elif pattern.namespace != "admin":
            yield from _addresses(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)


# ---- the admin site -------------------------------------------------------------------------------------------------
def test_staff_who_are_not_operators_cannot_open_the_admin_site():
    client = Client()
    client.force_login(make_user("staff", is_staff=True))
    for model in admin.site._registry:
        for view in ("changelist", "add"):
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}"
            assert client.get(reverse(name)).status_code == 403, name


def test_nothing_can_be_added_changed_or_deleted_in_the_admin_site(here):
    client = _browser(here, "superuser")
    for model in admin.site._registry:
        stem = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert client.get(reverse(f"{stem}_changelist")).status_code == 200, stem
        assert client.post(reverse(f"{stem}_add"), {}).status_code == 403, stem
        row = model._base_manager.first()
        if row is not None:
            shown = client.get(reverse(f"{stem}_change", args=[row.pk]))
            assert shown.status_code == 200, stem
            assert not any(secret in shown.content for secret in SECRETS), stem
            assert client.post(reverse(f"{stem}_change", args=[row.pk]), {}).status_code == 403, stem
            assert client.post(reverse(f"{stem}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403, stem


def test_every_model_of_ours_is_registered():
    ours = {model for model in apps.get_models() if model._meta.app_label in {"labeling", "active_learning"}}
    inlines = {inline.model for site in admin.site._registry.values() for inline in site.inlines}
    assert ours - set(admin.site._registry) - inlines == set()


def test_digests_are_never_shown_in_the_admin_site(here):
    client = _browser(here, "superuser")
    for token in ApiToken.objects.all():
        page = client.get(reverse("admin:labeling_apitoken_change", args=[token.pk]))
        assert token.digest.encode() not in page.content
