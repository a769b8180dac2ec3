"""The permission matrix over real HTTP: every action, every principal, every method, through sockets and middleware.

tests/permission_matrix.csv says what may be done, tests/permission_requests.py how each action is tried. The nine
principals are a stranger, six people who log in with their passwords, and two programs: a token that may read and one
that may write. A refusal must leave every row as it was. The table runs a second time with the ids of a project the
people are no members of, by session and by token.
"""

import csv
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from labeling import permissions, schemas, tokens
from labeling.models import ApiToken, Judgment, UserSession
from tests.factories import make_member, make_project, make_user
from tests.permission_requests import PASSWORD, REQUESTS, ROLES, Call, World, make_world
from tests.real_http import FORM, LOGIN, Answer, Visitor, serving

pytestmark = pytest.mark.django_db

with (Path(__file__).parent / "permission_matrix.csv").open(newline="") as table:
    MATRIX = {row["action"]: row for row in csv.DictReader(table)}

LOGGED_IN = ("outsider", *ROLES, "superuser")
PEOPLE = ("anon", *LOGGED_IN)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REFUSED = {401, 403, 404, 405, 409}

# Actions without a URL yet. Each later page or endpoint takes its row out of here; nothing else is left out.
NOT_BUILT = {
    "audit.read_project",
    "drift.upload_production_sample",
    "export.read_other_users_export",
    "export.training",
    "gate.override",
    "gold_answer.read",
    "guideline.propose_change",
    "item.fetch_page",
    "judgment.void",
    "model.download_artifact",
    "model.promote",
    "model.score_urls",
    "prediction.read_before_judging",
    "release.deprecate",
    "webhook.configure",
}
# Actions that are commands: there is nothing to send a request to.
COMMANDS = {action for action, row in MATRIX.items() if row["note"] == "command"}


# ---- the principals -------------------------------------------------------------------------------------------------
@pytest.fixture
def here() -> World:
    return _world("here")


@pytest.fixture
def there(here: World) -> World:
    return _world("there")


@pytest.fixture
def site() -> Iterator[tuple[str, int]]:
    with serving() as address:
        yield address


def _world(name: str) -> World:
    w = make_world(name)
    w.people["superuser"] = make_user(f"{name}-superuser", is_superuser=True, is_staff=True)
    w.people["outsider"] = make_member(make_project(f"{name}-elsewhere"), "viewer", name=f"{name}-outsider")
    w.tokens = {who: tokens.issue(user, name="own", scopes=["read"])[0] for who, user in w.people.items()}
    w.sessions = {}
    Client().force_login(w.other)
    w.foreign_session = UserSession.objects.get(user=w.other).pk
    return w


@contextmanager
def person(site: tuple[str, int], w: World, who: str) -> Iterator[Visitor]:
    """A browser, logged in unless it is a stranger's."""
    visitor = Visitor(site)
    if who == "anon":
        visitor.send("GET", LOGIN)  # where a stranger is sent, and given the CSRF cookie any form needs
    else:
        visitor.log_in(w.people[who].username, PASSWORD)
        w.sessions[who] = UserSession.objects.filter(user=w.people[who]).latest("pk").pk
    yield visitor
    visitor.close()


@contextmanager
def program(site: tuple[str, int], w: World, who: str, *scopes: str) -> Iterator[Visitor]:
    _, secret = tokens.issue(w.people[who], name="program", scopes=list(scopes))
    w.sessions[who] = 0
    visitor = Visitor(site, token=secret)
    yield visitor
    visitor.close()


# ---- sending --------------------------------------------------------------------------------------------------------
class Tried:
    """One request in a savepoint that is rolled back: its answer and, if it is a refusal, whether a row changed."""

    def __init__(
        self, visitor: Visitor, call: Call, w: World, who: str, kwargs: dict[str, Any], *, is_refused: bool
    ) -> None:
        wrote, cookies = Writes(), dict(visitor.cookies)
        with transaction.atomic():
            with connection.execute_wrapper(wrote):
                self.answer = _send(visitor, call, w, who, kwargs)
            after = rows() if wrote.any and is_refused else ""
            transaction.set_rollback(True)
        self.changed = bool(after) and rows() != after  # rolled back, the rows are those of before
        visitor.cookies = cookies  # a login or logout was rolled back, too
        schemas.by_id.cache_clear()
        self.status = self.answer.status
        self.reveals = call.reveals is not None and call.reveals(self.answer, w, who)


def _send(visitor: Visitor, call: Call, w: World, who: str, kwargs: dict[str, Any]) -> Answer:
    path = call.url if call.url.startswith("/") else reverse(call.url, kwargs=kwargs)
    headers = dict(call.headers)
    if call.if_match:
        headers["If-Match"] = f'"{call.if_match(w)}"'
    return visitor.send(
        call.method,
        f"{path}?{call.query}" if call.query else path,
        call.body(w, who) if call.body else None,
        content_type=FORM if call.content_type == "form" else call.content_type,
        headers=headers,
    )


class Writes:
    """Notices statements that write, so that the rows are only compared where something may have changed."""

    any = False
    NONE = (
        "SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK",
        'UPDATE "LABELING_APITOKEN" SET "LAST_USED_AT" =', 'UPDATE "LABELING_USERSESSION" SET "LAST_SEEN_AT" =',
    )  # fmt: skip

    def __call__(self, execute, sql, params, many, context):
        self.any = self.any or not sql.lstrip().upper().startswith(self.NONE)
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
def fault(cell: str, tried: Tried, call: Call, *, outside: bool = False) -> str:
    """Why this answer is not what the cell says; empty when it is. O is one's own object here: its foreign one is N."""
    status, asked = tried.status, tried.answer.asks_to_log_in
    if status >= 500:
        return "5xx"
    if cell in {"A", "O"}:
        if call.reveals and not tried.reveals:
            return "does not show it"
        return "" if status in call.ok and not asked else f"wanted {sorted(call.ok)}"
    if call.reveals and tried.reveals:
        return "shows it"
    if tried.changed and not call.reveals:
        return "a row changed"
    if cell == "X":
        return "" if asked or status in REFUSED | call.refused else "not refused"
    if call.reveals and cell in {"L", "D"} and status == 200:
        return ""  # the same door shows less to them
    wanted = {"D": {403, 404} if outside else {403}, "N": {404}, "L": {302} if call.is_page else {401}}[cell]
    if cell == "L" and not asked and status not in call.refused:
        return "not asked to log in"
    return "" if status in wanted | call.refused else f"wanted {sorted(wanted)}"


def cell_of(action: str, who: str) -> str:
    """The matrix's cell; where nobody at all may, how the impossible is refused does not matter."""
    row = MATRIX[action]
    impossible = all(row[role] in {"X", "D"} for role in (*ROLES, "superuser")) and row["superuser"] == "X"
    return "X" if impossible else row[who]


def calls() -> Iterator[tuple[str, Call]]:
    for action, found in REQUESTS.items():
        for call in found:
            yield action, call


def is_in_project(action: str) -> bool:
    return MATRIX[action]["outsider"] == "N"


class Report:
    """Tries calls and gathers what is wrong, so that one run names every fault."""

    def __init__(self, visitor: Visitor, w: World, who: str, *, by: str = "") -> None:
        self.visitor, self.w, self.who, self.name = visitor, w, who, by or who
        self.secrets = [token.digest.encode() for token in w.tokens.values()]
        self.faults: list[str] = []

    def __call__(
        self, action: str, call: Call, cell: str, kwargs: dict[str, Any], *, w: World | None = None,
        outside: bool = False,
    ) -> None:  # fmt: skip
        w = w or self.w
        tried = Tried(self.visitor, call, w, self.who, kwargs, is_refused=cell not in {"A", "O"})
        found = fault(cell, tried, call, outside=outside)
        if not found and any(secret in tried.answer.body for secret in (*SECRETS, *self.secrets)):
            found = "a secret is shown"
        if found:
            self.faults.append(f"{self.name} · {action} ({cell}) · {call.method} {call.url} → {tried.status}: {found}")

    def check(self) -> None:
        assert not self.faults, "\n".join(self.faults)


SECRETS = (b"argon2", b"pbkdf2_", b"md5$", b"sessionid=")


# ---- the table, by session ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", PEOPLE)
def test_everyone_may_do_what_the_matrix_says(who, here, site):
    with person(site, here, who) as visitor:
        tries = Report(visitor, here, who)
        for action, call in calls():
            kwargs = call.kwargs(here, who) if who != "anon" else _kwargs_of_others(call, here)
            cell = cell_of(action, who)
            if cell == "O" and call.foreign is not None and kwargs == call.foreign(here, who):
                cell = "N"  # nothing of their own here
            tries(action, call, cell, kwargs, outside=who == "outsider" and "slug" in kwargs)
        tries.check()


@pytest.mark.parametrize("who", ROLES)
def test_what_is_not_ones_own_is_not_found(who, here, site):
    with person(site, here, who) as visitor:
        tries = Report(visitor, here, who)
        for action, call in calls():
            if call.foreign is not None and cell_of(action, who) == "O":
                tries(action, call, "N", call.foreign(here, who))
        tries.check()


@pytest.mark.parametrize("who", ROLES)
@pytest.mark.parametrize("by", ["session", "token"])
def test_in_another_project_there_is_nothing(by, who, here, there, site):
    """The same requests, with the ids of a project one is no member of."""
    entry = person(site, here, who) if by == "session" else program(site, here, who, "read", "write")
    with entry as visitor:
        tries = Report(visitor, here, who, by=f"{who} by {by}")
        for action, call in calls():
            if is_in_project(action) and not (by == "token" and (call.is_page or MATRIX[action]["token"] != "S")):
                cell = "N" if cell_of(action, who) in {"A", "O", "S"} else "X"
                tries(action, call, cell, call.kwargs(there, who), w=there)
        tries.check()


def test_everybody_who_has_something_of_their_own_is_given_it_in_the_world(here):
    """Or an O of the matrix would only ever be tried on what belongs to others."""
    untried = [
        f"{who} · {action} · {call.url}"
        for action, call in calls()
        for who in ROLES
        if call.foreign is not None and cell_of(action, who) == "O" and "session_id" not in call.foreign(here, who)
        if call.kwargs(here, who) == call.foreign(here, who)
    ]
    assert not untried, "\n".join(untried)


# ---- the table, by token --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", LOGGED_IN)
def test_a_token_may_do_what_its_user_may(who, here, site):
    with program(site, here, who, "read", "write") as visitor:
        tries = Report(visitor, here, who, by=f"token of {who}")
        for action, call in calls():
            if MATRIX[action]["token"] != "S" or call.is_page:
                continue
            kwargs, cell = call.kwargs(here, who), cell_of(action, who)
            if cell == "O" and call.foreign is not None and kwargs == call.foreign(here, who):
                cell = "N"
            tries(action, call, cell, kwargs, outside=who == "outsider" and "slug" in kwargs)
        tries.check()


@pytest.mark.parametrize("scope", ["read", "write"])
def test_a_token_without_the_scope_may_nothing(scope, here, site):
    """A token that may only read changes nothing, one that may only write reads nothing, whoever its user is."""
    faults = []
    for who, untried in _by_who_may().items():
        with program(site, here, who, scope) as visitor:
            tries = Report(visitor, here, who, by=f"token of {who}, {scope}")
            for action, call in untried:
                if (call.method == "GET") == (scope == "write"):
                    tries(action, call, "D", call.kwargs(here, who))
            faults += tries.faults
    assert not faults, "\n".join(faults)


def _by_who_may() -> dict[str, list[tuple[str, Call]]]:
    """Every call of the API under one person who could make it, were it not for the token."""
    found: dict[str, list[tuple[str, Call]]] = {"manager": [], "annotator": [], "adjudicator": [], "superuser": []}
    for action, call in calls():
        who = next((who for who in found if cell_of(action, who) in {"A", "O"}), None)
        if who and not call.is_page and MATRIX[action]["anon"] != "A":
            found[who].append((action, call))
    return found


def test_what_needs_a_browser_session_is_refused_to_a_token(here, site):
    with program(site, here, "superuser", "read", "write") as visitor:
        tries = Report(visitor, here, "superuser", by="token of superuser")
        for action, call in calls():
            row = MATRIX[action]
            if row["anon"] != "A" and not call.refused and (call.is_page or row["token"] in {"D", "X"}):
                tries(action, call, "X", call.kwargs(here, "superuser"))
        tries.check()


def _kwargs_of_others(call: Call, w: World) -> dict[str, Any]:
    """Ids for somebody who has nothing of their own."""
    return (call.foreign or call.kwargs)(w, "anon")


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


def test_every_method_an_address_answers_is_tried(here, site):
    """A door is an address and a method that is not 405: asked as somebody whom the policy lets come as far as that."""
    tried = {(call.url, call.method) for _, call in calls()}
    kwargs_of = {call.url: call.kwargs for _, call in calls()}
    visitors = {who: Visitor(site) for who in ("manager", "annotator", "adjudicator", "superuser")}
    for who, visitor in visitors.items():
        visitor.log_in(here.people[who].username, PASSWORD)
        here.sessions[who] = 0
    open_doors = []
    for name, declared in _addresses():
        for method in METHODS:
            if (name, method) in tried or name not in kwargs_of:  # one nothing tries is named by the test above
                continue
            action = declared if isinstance(declared, str) else next(iter(declared.values()))
            who = next(who for who in (*visitors, "manager") if MATRIX[action][who] in {"A", "O"} or who == "superuser")
            content_type = "application/json" if name.startswith(("api:", "learning_api:")) else "form"
            call = Call(method, name, kwargs_of[name], content_type=content_type)
            status = Tried(visitors[who], call, here, who, call.kwargs(here, who), is_refused=False).status
            if status != 405:
                open_doors.append(f"{method} {name} is answered with {status}, and nothing in the matrix tries it")
    assert not open_doors, "\n".join(open_doors)


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


def test_an_answer_is_its_senders_whatever_the_body_says(here, site):
    """judgment.create_as_other on one's own lease: it is recorded, as one's own."""
    with person(site, here, "annotator") as visitor:
        path = reverse("api:judgment", kwargs={"assignment_id": here.leases["annotator"].pk})
        body = {"yes": ["news"], "annotator": here.other.username, "rater": here.other.pk, "user": here.other.pk}
        assert visitor.send("POST", path, body, content_type="application/json").status == 201
    assert Judgment.objects.latest("pk").rater.user == here.people["annotator"]


# ---- the admin site -------------------------------------------------------------------------------------------------
def test_staff_who_are_not_operators_cannot_open_the_admin_site():
    client = Client()
    client.force_login(make_user("staff", is_staff=True))
    for model in admin.site._registry:
        for view in ("changelist", "add"):
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}"
            assert client.get(reverse(name)).status_code == 403, name


def test_nothing_can_be_added_changed_or_deleted_in_the_admin_site(here):
    client = Client(raise_request_exception=False)
    client.force_login(here.people["superuser"])
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
    client = Client(raise_request_exception=False)
    client.force_login(here.people["superuser"])
    for token in ApiToken.objects.all():
        page = client.get(reverse("admin:labeling_apitoken_change", args=[token.pk]))
        assert token.digest.encode() not in page.content
