import pytest

from labeling.models import Project, User
from tests.factories import make_member, make_project


@pytest.fixture
def project() -> Project:
    return make_project(lease_seconds=600)


@pytest.fixture
def alice(project) -> User:
    return make_member(project, "annotator", name="alice")


@pytest.fixture
def bob(project) -> User:
    return make_member(project, "annotator", name="bob")


@pytest.fixture
def boss(project) -> User:
    return make_member(project, "manager", name="boss")
