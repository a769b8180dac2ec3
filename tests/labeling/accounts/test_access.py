"""Invitations, tokens, the end of an account, and requests that name more than they may."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from labeling import accounts, invites, members, tokens
from labeling.models import ApiToken, Event, IdempotencyKey, Membership, State, User
from labeling.models.people import digest_of
from labeling.refusals import Refused
from tests.corpora import records
from tests.factories import make_assignment, make_member, make_project, make_user

pytestmark = pytest.mark.django_db
NEW = {"username": "ola", "email": "", "password1": "a quiet harbour 9", "password2": "a quiet harbour 9"}


def client_of(user) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


def browser_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def token_client(secret: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


@pytest.fixture
def project():
    return make_project()


@pytest.fixture
def manager(project):
    return make_member(project, "manager")


# ---- invitations ----------------------------------------------------------------------------------------------------
def test_a_manager_sends_a_link_that_makes_one_account(project, manager):
    page = browser_of(manager).post(f"/p/{project.slug}/settings/invitations/", {"role": "annotator", "note": "Ola"})
    secret = page.content.decode().split("/accounts/invitation/")[1].split("/")[0]
    stranger = Client()
    assert stranger.post(f"/accounts/invitation/{secret}/", NEW).status_code == 302
    assert stranger.get("/").status_code == 200
    assert Membership.objects.get(user__username="ola", project=project).role == "annotator"
    assert Client().post(f"/accounts/invitation/{secret}/", NEW | {"username": "two"}).status_code == 404


def test_who_is_logged_in_joins_with_the_account_they_have(project, manager):
    _, secret = invites.create(project, role="viewer", note="", by=manager)
    person = make_user()
    browser_of(person).post(f"/accounts/invitation/{secret}/")
    assert person.roles_in(project) == {"viewer"}
    assert User.objects.count() == 2


def test_an_invitation_is_over_after_its_days(project, manager):
    _, secret = invites.create(project, role="viewer", note="", by=manager)
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert Client().get(f"/accounts/invitation/{secret}/").status_code == 404


def test_two_people_with_one_link_make_one_membership(project, manager):
    invite, _ = invites.create(project, role="viewer", note="", by=manager)
    invites.accept(invite, user=make_user())
    with pytest.raises(Refused):
        invites.accept(invite, user=make_user())
    assert project.memberships.filter(role="viewer").count() == 1


def test_an_invitation_cannot_be_asked_to_give_more(project, manager):
    _, secret = invites.create(project, role="viewer", note="", by=manager)
    Client().post(f"/accounts/invitation/{secret}/", NEW | {"role": "manager", "is_superuser": "on", "is_staff": "on"})
    ola = User.objects.get(username="ola")
    assert (ola.is_superuser, ola.is_staff, ola.roles_in(project)) == (False, False, {"viewer"})


def test_a_name_that_differs_only_in_capitals_is_taken(project, manager):
    make_user("Ola")
    _, secret = invites.create(project, role="viewer", note="", by=manager)
    assert Client().post(f"/accounts/invitation/{secret}/", NEW).status_code == 422


def link_of(project, sender, *, role="manager") -> str:
    return f"/accounts/invitation/{invites.create(project, role=role, note='', by=sender)[1]}/"


def test_the_link_of_a_removed_manager_is_over(project, manager):
    link = link_of(project, manager)
    members.remove(manager.memberships.get(), by=make_member(project, "manager"))
    assert Client().post(link, NEW).status_code == 404
    assert not User.objects.filter(username="ola").exists()


def test_the_link_of_a_deactivated_manager_stays_over_when_they_come_back(project, manager):
    make_member(project, "manager")
    operator, link = make_user(is_superuser=True), link_of(project, manager)
    accounts.deactivate(manager, by=operator)
    assert Client().get(link).status_code == 404
    accounts.reactivate(manager, by=operator)
    assert Client().get(link).status_code == 404
    assert Event.objects.get(kind="invite.all_revoked").data == {"invites": 1}


def test_a_link_gives_nothing_its_sender_no_longer_has(project):
    """However the right was lost: here by a change of rights in the whole installation."""
    operator = make_user(is_superuser=True)
    link = link_of(project, operator)
    assert Client().get(link).status_code == 200
    User.objects.filter(pk=operator.pk).update(is_superuser=False)
    assert Client().get(link).status_code == 404


def test_links_of_other_managers_and_to_other_projects_stay(project, manager):
    elsewhere, colleague = make_project(), make_member(project, "manager")
    Membership.objects.create(project=elsewhere, user=manager, role="manager")
    theirs, other = link_of(project, colleague), link_of(elsewhere, manager)
    members.remove(manager.memberships.get(project=project), by=colleague)
    assert [Client().get(link).status_code for link in (theirs, other)] == [200, 200]


def test_the_right_is_looked_at_when_the_link_is_spent_not_when_it_was_opened(project, manager):
    invite, _ = invites.create(project, role="manager", note="", by=manager)
    Membership.objects.filter(user=manager).delete()
    with pytest.raises(Refused):
        invites.accept(invite, user=make_user())


# ---- tokens ---------------------------------------------------------------------------------------------------------
def test_a_token_is_shown_once_and_stored_as_a_digest(project, manager):
    client = client_of(manager)
    made = client.post("/api/v1/tokens/", {"name": "export", "scopes": ["read"]}).json()
    assert token_client(made["token"]).get(f"/api/v1/projects/{project.slug}/").status_code == 200
    assert ApiToken.objects.get().digest == digest_of(made["token"])
    listed = client.get("/api/v1/tokens/").content.decode()
    assert made["token"] not in listed
    assert made["token"] not in client.get("/accounts/tokens/").content.decode()


def test_a_repeated_call_makes_one_token_and_its_secret_is_kept_nowhere(manager):
    client = client_of(manager)
    body, headers = {"name": "export", "scopes": ["read"]}, {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/tokens/", body, headers=headers).json()
    again = client.post("/api/v1/tokens/", body, headers=headers).json()
    assert (again["id"], again["token"]) == (first["id"], None)
    assert first["token"] not in IdempotencyKey.objects.get().body


def test_a_token_ends_when_it_says_and_not_later_than_in_a_year(manager):
    client = client_of(manager)
    made = client.post("/api/v1/tokens/", {"name": "t", "scopes": ["read"]}).json()
    with time_machine.travel(timezone.now() + timedelta(days=89)):
        assert token_client(made["token"]).get("/api/v1/projects/").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=91)):
        assert token_client(made["token"]).get("/api/v1/projects/").status_code == 401
    late = (timezone.now() + timedelta(days=400)).isoformat()
    refused = client.post("/api/v1/tokens/", {"name": "t", "scopes": ["read"], "expires_at": late})
    assert refused.status_code == 422


def test_an_ended_token_is_refused_at_once(manager):
    token, secret = tokens.issue(manager, name="t", scopes=["read"])
    browser_of(manager).post(f"/accounts/tokens/{token.pk}/end/")
    assert token_client(secret).get("/api/v1/projects/").status_code == 401


# ---- the end of an account ------------------------------------------------------------------------------------------
def test_deactivation_ends_sessions_tokens_and_leases_at_once(project):
    annotator = make_member(project, "annotator")
    browser = client_of(annotator)
    _, secret = tokens.issue(annotator, name="t", scopes=["read", "write"])
    slot = make_assignment(project, leased_to=annotator, expires_at=timezone.now() + timedelta(minutes=10))
    browser_of(make_user(is_superuser=True)).post(f"/accounts/people/{annotator.pk}/deactivate/")
    assert browser.get("/api/v1/projects/").status_code == 401
    assert token_client(secret).get("/api/v1/projects/").status_code == 401
    slot.refresh_from_db()
    assert (slot.state, slot.annotator) == (State.OPEN, None)


def test_tokens_stay_ended_when_the_person_may_log_in_again(project):
    person, operator = make_member(project, "viewer"), make_user(is_superuser=True)
    _, secret = tokens.issue(person, name="t", scopes=["read"])
    accounts.deactivate(person, by=operator)
    accounts.reactivate(person, by=operator)
    assert token_client(secret).get("/api/v1/projects/").status_code == 401


def test_the_only_manager_of_a_project_in_use_is_not_deactivated(project, manager):
    operator = make_user(is_superuser=True)
    inactive = make_member(project, "manager", is_active=False)
    assert inactive.roles_in(project) == {"manager"}
    answer = browser_of(operator).post(f"/accounts/people/{manager.pk}/deactivate/")
    assert answer.status_code == 409
    assert f"Nobody else manages “{project}”" in answer.content.decode()
    manager.refresh_from_db()
    assert manager.is_active


def test_a_manager_with_a_successor_or_only_archived_projects_is_deactivated(project, manager):
    operator = make_user(is_superuser=True)
    lonely = make_member(make_project(archived_at=timezone.now()), "manager")
    make_member(project, "manager")
    for person in (manager, lonely):
        accounts.deactivate(person, by=operator)
        person.refresh_from_db()
        assert not person.is_active


def test_an_operator_cannot_shut_themself_out():
    operator = make_user(is_superuser=True)
    client = browser_of(operator)
    assert client.post(f"/accounts/people/{operator.pk}/deactivate/").status_code == 409
    assert client.post(f"/accounts/people/{operator.pk}/rights/", {}).status_code == 409


def test_a_manager_sees_the_names_of_their_own_people_only(project, manager):
    make_member(project, "viewer", name="one-of-us")
    make_member(make_project(), "viewer", name="one-of-them")
    page = client_of(manager).get("/accounts/people/").content.decode()
    assert "one-of-us" in page
    assert "one-of-them" not in page


# ---- bodies that name more than they may ----------------------------------------------------------------------------
EXTRA = [json.loads(record["value"]) for record in records("api_abuse.jsonl") if record["cls"] == "mass_assignment"]
MORE = [
    {"is_staff": True}, {"may_create_projects": True}, {"id": 1}, {"user": 1}, {"slug": "taken-over"}, {"version": 99},
    {"digest": "0" * 64}, {"created_by": 1}, {"password": "x"},
]  # fmt: skip


SWITCHED_ON = ("single_keys", "shows_figures", "break_reminders")  # as they are before


@pytest.mark.parametrize("extra", EXTRA + MORE, ids=str)
def test_a_field_that_is_not_offered_changes_nothing(project, manager, extra):
    client, browser = client_of(manager), browser_of(manager)
    person = User.objects.filter(pk=manager.pk).values()
    before, slug = person.get(), project.slug
    client.patch(f"/api/v1/projects/{slug}/", extra)
    client.post("/api/v1/tokens/", {"name": "t", "scopes": ["read"], **extra})
    browser.post("/accounts/preferences/", {**dict.fromkeys(SWITCHED_ON, "on"), **extra})
    assert person.get() == before
    project.refresh_from_db()
    assert (project.slug, project.version) == (slug, 1)
    assert manager.roles_in(project) == {"manager"}
    assert set(ApiToken.objects.values_list("user", flat=True)) <= {manager.pk}


LEAKS = [record["value"] for record in records("api_abuse.jsonl") if record["cls"] in {"orm_leak", "q_injection"}]


@pytest.mark.parametrize("query", LEAKS)
@pytest.mark.parametrize("path", ["projects/", "projects/{}/members/", "projects/{}/schema-versions/", "tokens/"])
def test_a_filter_that_is_not_offered_is_refused(project, manager, path, query):
    assert client_of(manager).get(f"/api/v1/{path.format(project.slug)}?{query}").status_code == 400


def test_another_method_in_a_header_is_not_obeyed():
    project = make_project()
    client = client_of(make_user(is_superuser=True))
    sent = client.post(f"/api/v1/projects/{project.slug}/", {}, headers={"X-HTTP-Method-Override": "DELETE"})
    assert sent.status_code == 405
    project.refresh_from_db()


# ---- commands -------------------------------------------------------------------------------------------------------
def test_create_user_prints_each_secret_once_and_can_be_repeated(project, capsys):
    command = ("create_user", "ola", "--role", "manager", "--project", project.slug, "--token", "read,write", "--json")
    call_command(*command)
    first = json.loads(capsys.readouterr().out)
    call_command(*command)
    assert json.loads(capsys.readouterr().out) == {"username": "ola", "password": None, "token": None}
    assert User.objects.get().check_password(first["password"])
    assert token_client(first["token"]).get(f"/api/v1/projects/{project.slug}/").json()["roles"] == ["manager"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ola", "--role", "viewer"], "together"),
        (["ola", "--role", "viewer", "--project", "nowhere"], "no project “nowhere”"),
        (["ola", "--token", "everything"], "Choose what the token may do"),
        (["two words"], "valid username"),
    ],
)
def test_create_user_says_what_is_wrong_and_makes_nothing(arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("create_user", *arguments)
    assert not User.objects.exists()


def test_create_project_reads_the_shape_of_the_api(tmp_path, capsys):
    path = tmp_path / "project.json"
    path.write_text(json.dumps({"slug": "pages", "name": "Pages", "labels": [{"key": "news"}]}))
    call_command("create_project", str(path), "--json")
    assert json.loads(capsys.readouterr().out) == {"slug": "pages", "name": "Pages", "schema_version": 1}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("{", "not valid JSON"), ("[]", "one JSON object"), ('{"name": "x", "overlap": 0}', "People per page"),
     ('{"name": "x", "labels": [{}]}', "/labels/0/key"), ('{"a": 1, "a": 2}', "appears twice")],
)  # fmt: skip
def test_create_project_says_what_is_wrong_with_the_file(tmp_path, text, sentence):
    path = tmp_path / "project.json"
    path.write_text(text)
    with pytest.raises(CommandError, match=sentence):
        call_command("create_project", str(path))
