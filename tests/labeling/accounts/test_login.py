"""Log in and out: throttled, a new session, nowhere else, and no way in but an invitation."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from labeling.models import User, UserSession
from tests.corpora import records
from tests.factories import make_user

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"
PASSWORD = "correct horse battery"
EVIL_NEXT = [record["value"] for record in records("api_abuse.jsonl") if record["cls"] == "open_redirect"]
MORE_NEXT = ["/\\evil.example", "javascript:alert(1)", "https:evil.example", "\t//evil.example", "//evil.example\\@x"]


def log_in(client, name="nia", password=PASSWORD, **more):
    return client.post(LOGIN, {"username": name, "password": password, **more}, headers={"User-Agent": "Firefox"})


def browser_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def nia():
    return make_user("nia", email="nia@example.org")


def test_a_login_gets_a_new_session_id(nia, client):
    client.get(LOGIN)
    client.session["before"] = 1
    client.session.save()
    before = client.session.session_key
    assert log_in(client)["Location"] == "/"
    assert client.session.session_key != before


@pytest.mark.parametrize("target", EVIL_NEXT + MORE_NEXT)
def test_next_never_leads_to_another_site(nia, client, target):
    assert log_in(client, next=target)["Location"] == "/"
    assert client.get(LOGIN, {"next": target}).status_code == 200


def test_next_leads_on_inside_the_site(nia, client):
    assert log_in(client, next="/accounts/tokens/")["Location"] == "/accounts/tokens/"


def test_five_wrong_passwords_make_a_pause_and_never_a_lock_out(nia, client):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        answers = [log_in(client, password=f"wrong {n}").status_code for n in range(6)]
        assert answers[:4] == [200] * 4
        assert answers[-1] == 429
        assert log_in(client).status_code == 429
        clock.shift(timedelta(minutes=6))
        assert log_in(client).status_code == 302


def test_the_pause_is_for_the_account_from_any_address(nia):
    for n in range(6):
        Client(REMOTE_ADDR=f"192.0.2.{n + 1}").post(LOGIN, {"username": "nia", "password": "wrong"})
    other = Client(REMOTE_ADDR="192.0.2.99")
    assert other.post(LOGIN, {"username": "nia", "password": PASSWORD}).status_code == 429


def test_who_is_unknown_and_who_mistyped_read_the_same(nia, client):
    known = log_in(client, password="wrong").content
    unknown = log_in(Client(), name="nobody", password="wrong").content
    assert b"do not belong together" in known
    assert b"do not belong together" in unknown


def test_nothing_makes_an_account_but_an_invitation(client):
    for path in ("/accounts/signup/", "/accounts/register/", "/accounts/sign-up/", "/api/v1/users/", "/user/signup/"):
        assert client.post(path, {"username": "me", "password1": PASSWORD, "password2": PASSWORD}).status_code == 404
    assert not User.objects.exists()


def test_logging_out_needs_a_post(nia):
    client = browser_of(nia)
    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    ("path", "method"),
    [("/accounts/login/", "post"), ("/accounts/logout/", "post"), ("/accounts/tokens/", "post"), ("/new/", "post"),
     ("/api/v1/tokens/", "post"), ("/api/v1/projects/", "post")],
)  # fmt: skip
def test_an_unsafe_request_without_a_csrf_token_is_refused(path, method):
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(is_superuser=True))
    assert getattr(client, method)(path, {}).status_code == 403


def test_a_request_for_another_host_is_refused(client):
    assert client.get(LOGIN, headers={"Host": "evil.example"}).status_code == 400


def test_forwarded_headers_of_anybody_are_not_believed(nia, client):
    answer = client.get("/", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"})
    assert "evil.example" not in answer["Location"]


# ---- passwords ------------------------------------------------------------------------------------------------------
def test_a_new_password_ends_every_other_session(nia):
    here, there = browser_of(nia), browser_of(nia)
    form = {"old_password": PASSWORD, "new_password1": "a quiet harbour 9", "new_password2": "a quiet harbour 9"}
    assert here.post("/accounts/password/", form).status_code == 302
    assert here.get("/accounts/sessions/").status_code == 200
    assert "Only here." in here.get("/accounts/sessions/").content.decode()
    assert there.get("/accounts/sessions/").status_code == 302


@pytest.mark.parametrize("weak", ["short", "password123", "nia", "12345678901"])
def test_a_weak_password_is_refused_with_a_sentence(nia, weak):
    answer = browser_of(nia).post(
        "/accounts/password/", {"old_password": PASSWORD, "new_password1": weak, "new_password2": weak}
    )
    assert answer.status_code == 422
    nia.refresh_from_db()
    assert nia.check_password(PASSWORD)


def test_a_reset_goes_to_the_stored_address_only(nia, client):
    client.post("/accounts/password/forgotten/", {"email": "NIA@example.org"})
    assert [message.to for message in mail.outbox] == [["nia@example.org"]]
    assert "http://testserver/accounts/password/forgotten/" in mail.outbox[0].body


def test_a_reset_for_an_address_that_only_looks_alike_sends_nothing(client):
    make_user("mike", email="mike@example.org")
    client.post("/accounts/password/forgotten/", {"email": "m\u0131ke@example.org"})
    assert mail.outbox == []


def test_a_reset_ends_every_session_and_works_once(nia, client):
    elsewhere = browser_of(nia)
    client.post("/accounts/password/forgotten/", {"email": nia.email})
    link = next(line for line in mail.outbox[0].body.splitlines() if line.startswith("http"))
    step = client.get(link, follow=True)
    form = {"new_password1": "a quiet harbour 9", "new_password2": "a quiet harbour 9"}
    assert client.post(step.redirect_chain[-1][0], form).status_code == 302
    assert elsewhere.get("/accounts/sessions/").status_code == 302
    assert log_in(Client(), password="a quiet harbour 9").status_code == 302
    assert "This link is over" in Client().get(link, follow=True).content.decode()


# ---- sessions -------------------------------------------------------------------------------------------------------
def test_each_login_is_listed_with_its_browser_and_can_be_ended(nia):
    here, there = browser_of(nia), Client()
    log_in(there)
    page = here.get("/accounts/sessions/").content.decode()
    assert "In 2 places." in page
    assert "Firefox" in page
    row = UserSession.objects.get(user=nia, agent="Firefox")
    assert here.post(f"/accounts/sessions/{row.pk}/end/").status_code == 302
    assert there.get("/accounts/sessions/").status_code == 302


def test_nobody_ends_a_session_of_somebody_else(nia):
    theirs = browser_of(nia)
    row = UserSession.objects.get(user=nia)
    assert browser_of(make_user()).post(f"/accounts/sessions/{row.pk}/end/").status_code == 404
    assert theirs.get("/accounts/sessions/").status_code == 200


def test_last_seen_moves_with_use_but_not_with_every_click(nia):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = browser_of(nia)
        seen = [UserSession.objects.get(user=nia).last_seen_at]
        for minutes in (1, 10):
            clock.shift(timedelta(minutes=minutes))
            client.get("/accounts/sessions/")
            seen.append(UserSession.objects.get(user=nia).last_seen_at)
    assert seen[0] == seen[1] < seen[2]
