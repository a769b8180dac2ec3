"""One annotator at their own pages."""

import pytest
from django.test import Client

from tests.factories import make_member, make_project


@pytest.fixture
def project():
    return make_project(slug="pages")


@pytest.fixture
def alice(project):
    return make_member(project, "annotator")


@pytest.fixture
def browser(alice):
    client = Client()
    client.force_login(alice)
    return client
