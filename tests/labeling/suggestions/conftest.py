import pytest
from django.test import Client
from django.utils import timezone

from labeling import suggestions
from labeling.models import Project, User
from tests.factories import make_member, make_project
from tests.labeling.suggestions.model import Model


@pytest.fixture
def project() -> Project:
    return make_project("pages", suggests=True)


@pytest.fixture
def alice(project) -> User:
    return make_member(project, "annotator", name="alice")


@pytest.fixture
def bob(project) -> User:
    return make_member(project, "annotator", name="bob")


@pytest.fixture
def boss(project) -> User:
    return make_member(project, "manager", name="boss")


@pytest.fixture
def model(project, monkeypatch) -> Model:
    known = Model(learnt_at=timezone.now())
    monkeypatch.setattr(suggestions, "_sources", [known])
    return known


@pytest.fixture
def browser_of():
    def log_in(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return log_in
