"""Who sees how much of the installation's state: operators, in a session or with a token that may read."""

import pytest
from django.test import Client

from labeling import tokens
from tests.factories import make_user

pytestmark = pytest.mark.django_db
FROM_ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


def token_of(user, *scopes) -> dict[str, str]:
    return {"Authorization": f"Token {tokens.issue(user, name='probe', scopes=list(scopes))[1]}"}


@pytest.fixture
def operator():
    return make_user(is_superuser=True)


def sees_details(client, **headers) -> bool:
    return "details" in client.get("/readyz", headers=headers).json()


def sees_metrics(client, **headers) -> bool:
    return client.get("/metrics", headers=headers, **FROM_ELSEWHERE).status_code == 200


@pytest.mark.parametrize("sees", [sees_details, sees_metrics])
def test_an_operator_sees_more_in_a_session_and_with_a_token_that_may_read(operator, sees):
    browser = Client()
    browser.force_login(operator)
    assert sees(browser)
    assert sees(Client(), **token_of(operator, "read"))
    assert sees(Client(), **token_of(operator, "read", "write"))


@pytest.mark.parametrize("sees", [sees_details, sees_metrics])
def test_nobody_else_does(operator, sees):
    person = make_user(is_staff=True)
    browser = Client()
    browser.force_login(person)
    assert not sees(Client())
    assert not sees(browser)
    assert not sees(Client(), **token_of(person, "read"))
    assert not sees(Client(), **token_of(operator, "write"))
    assert not sees(Client(), Authorization="Token ts_made_up")


@pytest.mark.parametrize("sees", [sees_details, sees_metrics])
def test_a_token_that_is_over_shows_nothing_even_in_an_operators_browser(operator, sees):
    header = token_of(operator, "read")
    tokens.revoke_all(operator, by=operator)
    browser = Client()
    browser.force_login(operator)
    assert not sees(browser, **header)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-Ip", "Forwarded"])
def test_this_machine_reads_the_metrics_but_not_through_a_proxy_on_it(header):
    assert Client().get("/metrics").status_code == 200
    assert Client().get("/metrics", headers={header: "203.0.113.9"}).status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_they_are_only_read(path):
    assert Client().head(path).status_code == 200
    assert Client().post(path).status_code == 405
