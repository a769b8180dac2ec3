"""An annotator at work: two pages to judge, one answer each."""

import pytest

from labeling import slots
from labeling.models import Item, Project, Selection, User
from tests.e2e.annotate.screen import WORK
from tests.e2e.visitor import Visitor
from tests.factories import make_item, make_member, make_project


@pytest.fixture
def project(transactional_db) -> Project:
    return make_project(slug="keys", name="Home pages")


@pytest.fixture
def pages(project) -> list[Item]:
    """ "First page" is asked before "Second page"."""
    items = [make_item(project, title=title, text="Words of the page.") for title in ("First page", "Second page")]
    for priority, item in zip((1, 0), items, strict=True):
        selection = Selection.objects.create(item=item, stream="import")
        slots.open_up(project, [selection], overlap=1, priority=priority)
    return items


@pytest.fixture
def alice(project) -> User:
    return make_member(project, "annotator", name="alice")


@pytest.fixture
def bob(project) -> User:
    return make_member(project, "annotator", name="bob")


@pytest.fixture
def at_work(visit, alice, pages) -> Visitor:
    visitor = visit(alice)
    visitor.open(WORK)
    return visitor
