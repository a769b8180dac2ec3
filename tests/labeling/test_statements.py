"""A kept statement answers as the queryset it was written from, for any values and on any connection."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import BigIntegerField, CharField, DateTimeField, Exists, OuterRef
from django.test.utils import CaptureQueriesContext

from labeling.models import Item, Judgment
from labeling.statements import Place, Select, Update
from tests.factories import make_item, make_judgment, make_project

pytestmark = pytest.mark.django_db

ANSWERED = Exists(Judgment.objects.filter(item=OuterRef("pk")))
BY_KEY = Select(
    lambda: (
        Item.objects.filter(pk=Place("item", BigIntegerField()))
        .select_related("project")
        .annotate(is_answered=ANSWERED)
    )
)
NAMED = Select(
    lambda: Item.objects.filter(host=Place("host", CharField())).order_by("pk").values_list("pk", "metadata")
)
MOVE = Update(lambda: (Item.objects.filter(pk=Place("item", BigIntegerField())), {
    "external_id": Place("name", CharField()), "created_at": Place("at", DateTimeField()),
}))  # fmt: skip


def test_an_instance_comes_with_its_related_ones_and_annotations():
    item = make_item(make_project(), title="Page")
    make_judgment(item, "r1", yes=["games"])
    with CaptureQueriesContext(connection) as asked:
        found = BY_KEY.first(item=item.pk)
        assert (found, found.project.slug, found.is_answered) == (item, item.project.slug, True)
    assert len(asked) == 1


def test_another_value_is_another_answer_of_the_same_statement():
    one, other = make_item(make_project()), make_item(make_project())
    assert [BY_KEY.first(item=key) for key in (one.pk, other.pk, 0)] == [one, other, None]


def test_rows_hold_python_values_as_the_queryset_gives_them():
    item = make_item(make_project())
    Item.objects.filter(pk=item.pk).update(metadata={"rank": "1"})
    assert NAMED.rows(host=item.host) == [(item.pk, {"rank": "1"})]
    assert NAMED.rows(host="nowhere.example") == []


def test_an_update_says_how_many_rows_it_changed():
    item, moment = make_item(make_project()), datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert MOVE.run(item=item.pk, name="17", at=moment) == 1
    assert MOVE.run(item=0, name="18", at=moment) == 0
    item.refresh_from_db()
    assert (item.external_id, item.created_at) == ("17", moment)


def test_a_value_that_is_missing_is_an_error_and_not_a_null():
    with pytest.raises(KeyError):
        BY_KEY.first()


def test_constants_are_written_into_the_text_as_they_are():
    project = make_project()
    names = ["it's 100%", "a%s", 'quote"', "back\\slash"]
    items = [make_item(project, external_id=name) for name in names]
    for name, item in zip(names, items, strict=True):
        kept = Select(lambda name=name: Item.objects.filter(external_id=name, flags=[]).values_list("pk"))
        assert kept.rows() == [(item.pk,)]


def test_what_the_database_refuses_is_raised_as_django_raises_it():
    one, other = make_item(make_project()), make_item(make_project())
    doubled = Update(lambda: (Item.objects.filter(pk=one.pk), {"id": Place("id", BigIntegerField())}))
    with pytest.raises(IntegrityError), transaction.atomic():
        doubled.run(id=other.pk)
