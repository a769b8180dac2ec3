"""A project nobody has set up yet, and numbers no row can have: every address answers, none with an error of ours."""

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from labeling import projects, publishing
from labeling.models import Membership, Role
from tests.factories import make_user

pytestmark = pytest.mark.django_db
TOO_LARGE = 10**20


@pytest.fixture
def fresh():
    """As page and API make it: with a first version that asks nothing."""
    project = projects.create({"name": "Fresh"}, by=None)
    publishing.publish(project, publishing.Draft(), by=None)
    return project


@pytest.fixture
def everything(fresh) -> Client:
    """Logged in as somebody with every role."""
    person = make_user("olga")
    Membership.objects.bulk_create(Membership(project=fresh, user=person, role=role) for role in Role.values)
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


def addresses(resolver=None, names=()):
    """Every named address of the product, with the names of its parameters."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            if entry.namespace != "admin":
                yield from addresses(entry, (*names, entry.namespace) if entry.namespace else names)
        elif isinstance(entry, URLPattern) and entry.name:
            yield ":".join((*names, entry.name)), entry.pattern.converters


def test_every_page_and_call_of_a_project_without_labels_answers(everything):
    asked = [reverse(name, args=["fresh"]) for name, found in addresses() if set(found) == {"slug"}]
    assert len(asked) > 30
    wrong = [address for address in asked if everything.get(address).status_code >= 500]
    assert not wrong, wrong


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_a_number_no_row_can_have_is_not_found(everything, method):
    numbered = [
        reverse(name, kwargs={part: TOO_LARGE if part != "slug" else "fresh" for part in found})
        for name, found in addresses()
        if {type(one).__name__ for one in found.values()} in ({"IntConverter"}, {"IntConverter", "SlugConverter"})
    ]
    assert len(numbered) > 15
    send = getattr(everything, method)
    assert [address for address in numbered if send(address).status_code >= 500] == []
