"""What was released, drawn or answered is not edited: the database itself refuses, by any door."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from labeling import immutability, released
from labeling.models import Blob, Draw, Event, GoldItem, GoldRelease, Judgment, ReleaseFile, Selection
from tests.labeling.gold.work import freeze, ready_project

pytestmark = pytest.mark.django_db
FROZEN = [GoldRelease, GoldItem, ReleaseFile, Draw, Event, Blob, Judgment, Selection]


@pytest.fixture
def gold():
    return freeze(ready_project())


def refused(change):
    """Whether the database refuses the change as append-only."""
    try:
        with transaction.atomic():
            change()
    except DatabaseError as error:
        return "append-only" in str(error)
    return False


def execute(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("model", FROZEN, ids=lambda model: model.__name__)
def test_rows_are_not_deleted(gold, model):
    assert model.objects.exists()
    assert refused(lambda: model.objects.all()._raw_delete("default"))
    assert refused(lambda: execute(f"DELETE FROM {model._meta.db_table}"))


@pytest.mark.parametrize(
    ("model", "column", "value"),
    [(GoldRelease, "notes", "Better."), (GoldRelease, "patch", 7), (GoldItem, "probability", 0.1),
     (GoldItem, "row_sha256", "0" * 64), (ReleaseFile, "name", "other"), (Draw, "seed", "another"),
     (Draw, "frame_size", 7), (Event, "kind", "nothing"), (Blob, "size_bytes", 0), (Judgment, "verdicts", {}),
     (Judgment, "note", "Changed."), (Selection, "probability", 0.1), (Selection, "stream", "random")],
    ids=lambda value: getattr(value, "__name__", str(value)),
)  # fmt: skip
def test_what_they_say_is_not_changed(gold, model, column, value):
    assert refused(lambda: model.objects.update(**{column: value}))


@pytest.mark.parametrize("content", [b"forged", None], ids=["other bytes", "no bytes"])
def test_released_bytes_are_neither_changed_nor_taken_away(gold, content):
    one = gold.files.get(name="guidelines.md").blob
    assert refused(lambda: Blob.objects.filter(pk=one.pk).update(content=content))
    assert refused(lambda: execute("UPDATE labeling_blob SET content = NULL"))
    assert released.read_file(gold, "guidelines.md") == bytes(one.content)


def test_a_release_saved_through_the_orm_is_refused(gold):
    gold.notes = "Better."
    assert refused(gold.save)
    gold.refresh_from_db()
    assert gold.notes == ""


def test_a_judgment_can_be_superseded_and_nothing_else(gold):
    assert Judgment.objects.update(superseded_at=timezone.now()) > 0


@pytest.mark.parametrize("model", FROZEN, ids=lambda model: model.__name__)
def test_a_table_is_not_emptied_or_replaced(gold, model):
    table = model._meta.db_table
    if connection.vendor == "postgresql":
        execute("SET CONSTRAINTS ALL IMMEDIATE")  # rows of this transaction, still to be checked, would stop it first
        assert refused(lambda: execute(f"TRUNCATE {table} CASCADE"))
    else:
        assert refused(lambda: execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"))


def test_migrating_again_lays_missing_triggers(gold):
    assert immutability.missing() == []
    immutability.remove()
    assert "labeling_goldrelease_no_update" in immutability.missing()
    assert not refused(lambda: GoldRelease.objects.update(notes="Slipped in."))
    call_command("migrate", verbosity=0)
    assert immutability.missing() == []
    assert refused(lambda: GoldRelease.objects.update(notes="Better."))


def test_every_trigger_that_is_taken_away_is_missed(gold):
    everything = immutability.missing()
    immutability.remove()
    assert len(immutability.missing()) >= 2 * len({*immutability.FROZEN, *immutability.PARTLY_FROZEN})
    assert everything == []


def test_the_bytes_are_the_same_after_everything_above(gold):
    before = released.read_file(gold, "manifest.json")
    for change in (
        lambda: gold.files.update(name="x"),
        lambda: GoldItem.objects.update(row_sha256="0" * 64),
        lambda: execute("DELETE FROM labeling_goldrelease"),
    ):
        assert refused(change)
    assert released.read_file(gold, "manifest.json") == before
