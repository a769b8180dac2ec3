"""Log in and out: throttled, a new session, nowhere else, and no way in but an invitation."""

from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessLog
from django.core import mail
from django.test import Client, RequestFactory
from django.utils import timezone

from labeling import clients, login_throttle, sessions, tokens
from labeling.models import Event, User, UserSession
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


# ---- the pause: neither a way round it nor a way to keep somebody out -----------------------------------------------
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def try_from(address, password, *, name="nia") -> int:
    form = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post(LOGIN, form).status_code


def test_a_success_on_ones_own_account_gives_no_more_tries_of_another(nia):
    make_user("mallory")
    answers = []
    for n in range(12):
        answers.append(try_from(ELSEWHERE, f"guess {n}"))
        try_from(ELSEWHERE, PASSWORD, name="mallory")
    assert answers[:4] == [200] * 4
    assert set(answers[4:]) == {429}


def test_a_success_clears_the_tries_of_ones_own_account(nia):
    for _ in range(3):
        assert [try_from(HOME, "mistyped") for _ in range(4)] == [200] * 4
        assert try_from(HOME, PASSWORD) == 302


def test_five_wrong_passwords_do_not_keep_the_whole_school_out(nia):
    make_user("mallory")
    for n in range(5):
        try_from(HOME, f"guess {n}", name="mallory")
    assert try_from(HOME, PASSWORD) == 302


def test_one_address_that_tries_many_accounts_has_to_wait_and_no_other_does(nia, settings):
    for n in range(settings.LOGIN_ADDRESS_LIMIT):
        try_from(ELSEWHERE, "guess", name=f"person {n}")
    assert try_from(ELSEWHERE, "guess", name="one more") == 429
    assert try_from(HOME, PASSWORD) == 302


def test_one_wrong_try_a_minute_keeps_nobody_out_for_ever(nia):
    """From an address nobody knows, the owner gets in between two pauses."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(20):
            try_from(ELSEWHERE, "guess")
            clock.shift(timedelta(minutes=1))
        answers = []
        for _ in range(10):
            try_from(ELSEWHERE, "guess")
            answers.append(try_from(HOME, PASSWORD))
            clock.shift(timedelta(minutes=1))
    assert 302 in answers


def test_where_the_owner_has_logged_in_before_strangers_cannot_keep_them_out(nia):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert try_from(HOME, PASSWORD) == 302
        for _ in range(12):
            for n in range(6):
                last = try_from(ELSEWHERE, f"guess {n}")
            assert (last, try_from(HOME, PASSWORD)) == (429, 302)
            clock.shift(timedelta(minutes=1))


def test_also_where_the_owner_has_logged_in_before_five_wrong_passwords_make_a_pause(nia):
    assert try_from(HOME, PASSWORD) == 302
    assert [try_from(HOME, f"guess {n}") for n in range(5)][-1] == 429
    assert try_from(HOME, PASSWORD) == 429


def test_a_reset_by_e_mail_ends_the_pause_and_lets_the_owner_in_while_others_go_on_guessing(nia):
    owner = Client(REMOTE_ADDR=HOME)
    for n in range(6):
        try_from(ELSEWHERE, f"guess {n}")
    reset(owner, nia, "a quiet harbour 9")
    for n in range(6):
        try_from(ELSEWHERE, f"guess {n}")
    assert try_from(HOME, "a quiet harbour 9") == 302


def test_the_answer_says_how_long_to_wait(nia):
    for n in range(5):
        answer = Client().post(LOGIN, {"username": "nia", "password": f"guess {n}"})
    assert answer["Retry-After"] == "300"
    assert "Wait 5 minutes" in answer.content.decode()


def test_behind_the_trusted_proxy_the_address_is_the_one_it_heard(nia, settings):
    """The proxy appends; what stands before its word was sent by the client and may be any lie."""
    settings.TRUST_PROXY = True
    for n in range(settings.LOGIN_ADDRESS_LIMIT):
        Client().post(
            LOGIN, {"username": f"person {n}", "password": "guess"}, headers=heard(ELSEWHERE, lie=f"10.0.0.{n}")
        )
    blocked, free = (
        Client().post(LOGIN, {"username": "nia", "password": PASSWORD}, headers=heard(address))
        for address in (ELSEWHERE, HOME)
    )
    assert (blocked.status_code, free.status_code) == (429, 302)
    assert UserSession.objects.get().address == HOME


def heard(address: str, *, lie: str = "") -> dict[str, str]:
    return {"X-Forwarded-For": f"{lie}, {address}" if lie else address}


def test_without_a_trusted_proxy_the_header_is_not_read(nia):
    for n in range(5):
        Client().post(LOGIN, {"username": "nia", "password": f"guess {n}"}, headers=heard(f"192.0.2.{n}"))
    assert Client().post(LOGIN, {"username": "nia", "password": PASSWORD}, headers=heard(HOME)).status_code == 429
    log_in(Client(), name=make_user().username)
    assert UserSession.objects.get().address == "127.0.0.1"


def test_what_the_proxy_cannot_have_written_is_no_address(settings):
    settings.TRUST_PROXY = True
    for header in ("", "not an address", "unknown", "1.2.3.4, ", "<script>"):
        request = RequestFactory().get("/", headers={"X-Forwarded-For": header})
        assert clients.address_of(request) is None


def test_old_places_of_login_are_forgotten(nia):
    with time_machine.travel(timezone.now() - timedelta(days=31)):
        try_from(HOME, PASSWORD)
    assert not login_throttle.is_known("nia", HOME)
    sessions.forget_expired()
    assert not AccessLog.objects.exists()


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


def reset(client, user, password) -> str:
    """Ask for the mail, follow its link, give a new password. Returns the link."""
    client.post("/accounts/password/forgotten/", {"email": user.email})
    link = next(line for line in mail.outbox[-1].body.splitlines() if line.startswith("http"))
    step = client.get(link, follow=True)
    form = {"new_password1": password, "new_password2": password}
    assert client.post(step.redirect_chain[-1][0], form).status_code == 302
    return link


def test_a_reset_ends_every_session_and_works_once(nia, client):
    elsewhere = browser_of(nia)
    link = reset(client, nia, "a quiet harbour 9")
    assert elsewhere.get("/accounts/sessions/").status_code == 302
    assert log_in(Client(), password="a quiet harbour 9").status_code == 302
    assert "This link is over" in Client().get(link, follow=True).content.decode()


def test_a_reset_ends_tokens_and_is_on_record(nia, client):
    _, secret = tokens.issue(nia, name="t", scopes=["read"])
    reset(client, nia, "a quiet harbour 9")
    answer = Client().get("/api/v1/projects/", headers={"Authorization": f"Token {secret}"})
    assert answer.status_code == 401
    assert Event.objects.filter(kind="account.password_reset", actor=nia, about=f"user:{nia.pk}").exists()


def test_guessing_the_old_password_in_an_open_session_is_throttled_too(nia):
    client = browser_of(nia)
    form = {"new_password1": "a quiet harbour 9", "new_password2": "a quiet harbour 9"}
    answers = [client.post("/accounts/password/", form | {"old_password": f"guess {n}"}).status_code for n in range(6)]
    assert answers[:4] == [422] * 4
    assert answers[-1] == 429
    assert client.post("/accounts/password/", form | {"old_password": PASSWORD}).status_code == 429
    nia.refresh_from_db()
    assert nia.check_password(PASSWORD)


def test_another_e_mail_address_needs_the_password(nia):
    client = browser_of(nia)
    for password in ("", "guess"):
        answer = client.post("/accounts/preferences/", {"email": "mallory@example.org", "password": password})
        assert answer.status_code == 422
        assert "Type the password you log in with" in answer.content.decode()
    nia.refresh_from_db()
    assert nia.email == "nia@example.org"
    assert client.post("/accounts/preferences/", {"email": "n@example.org", "password": PASSWORD}).status_code == 302
    nia.refresh_from_db()
    assert nia.email == "n@example.org"
    assert Event.objects.get(kind="account.email_changed").actor == nia


def test_other_preferences_need_no_password_and_leave_no_trace(nia):
    form = {"email": "nia@example.org", "daily_goal": "40"}
    assert browser_of(nia).post("/accounts/preferences/", form).status_code == 302
    nia.refresh_from_db()
    assert (nia.email, nia.daily_goal, nia.single_keys) == ("nia@example.org", 40, False)
    assert not Event.objects.filter(kind="account.email_changed").exists()


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


def test_a_session_ends_some_days_after_its_login_however_much_it_is_used(nia, settings):
    settings.SESSION_MAX_DAYS = 2
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = browser_of(nia)
        for _ in range(6):
            assert client.get("/accounts/sessions/").status_code == 200
            clock.shift(timedelta(hours=8))
        assert client.get("/accounts/sessions/").status_code == 302
        assert client.get("/api/v1/projects/").status_code == 401
        assert not sessions.of(nia).exists()


def test_another_login_begins_the_days_anew(nia, settings):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = browser_of(nia)
        clock.shift(timedelta(hours=11))
        client.force_login(nia)
        settings.SESSION_MAX_DAYS = 0.5
        clock.shift(timedelta(hours=2))
        assert client.get("/accounts/sessions/").status_code == 200
