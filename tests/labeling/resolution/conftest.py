"""A project in which people have disagreed, and the people who settle it."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from labeling import consensus
from tests.factories import make_item, make_judgment, make_member, make_project


@pytest.fixture
def project():
    return make_project(slug="pages")


@pytest.fixture
def adjudicator(project):
    return make_member(project, "adjudicator")


@pytest.fixture
def other_adjudicator(project):
    return make_member(project, "adjudicator")


@pytest.fixture
def manager(project):
    return make_member(project, "manager")


def judged(project, *answers, url=None, **item):
    """A page with one answer per rater, counted: each answer is the labels that rater ticked."""
    page = make_item(project, url, **item)
    for place, yes in enumerate(answers):
        make_judgment(page, f"w{place}", yes=yes)
    consensus.refresh(page, project=project)
    return page


@pytest.fixture
def disputed(project):
    """Two of three say games, one of three says news; all say no to self harm."""
    return judged(project, ["games"], ["games", "news"], [], title="Chess for all", text="Play chess.")


@pytest.fixture
def browser_of():
    def log_in(person):
        client = Client()
        client.force_login(person)
        return client

    return log_in


@pytest.fixture
def api_of():
    def log_in(person):
        client = APIClient()
        client.force_login(person)
        return client

    return log_in
