"""A healthy database keeps every promise; broken in one place, exactly that promise is reported."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from labeling import consensus, imports, intake, invariants, jobs, judging, queue, slots
from labeling.models import (
    Assignment,
    Blob,
    Consensus,
    Dispute,
    Draw,
    Event,
    GoldItem,
    Import,
    Item,
    ItemState,
    Job,
    Judgment,
    Project,
    Rater,
    RefusedRow,
    Selection,
    State,
)
from tests.factories import make_item, make_user
from tests.labeling.gold.work import annotators, answer_all, decide, freeze, ready_project
from tests.labeling.keeping.corruption import drop, execute, unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True, scope="module")
def files_of_their_own(tmp_path_factory):
    with override_settings(BLOB_DIR=tmp_path_factory.mktemp("blobs")):
        yield


@pytest.fixture
def project(days_work, db):
    return Project.objects.get(pk=days_work)


@pytest.fixture(scope="module")
def days_work(module_db, files_of_their_own) -> int:
    """A day's work through the domain: drawn, judged, disputed, decided, frozen, revised; a list imported."""
    project = ready_project("pages")
    freeze(project, notes="first")
    import_list(project)
    slots.open_up(project, [chosen(more(project, name)) for name in ("one", "two", "three")], overlap=2)
    first, second, third = annotators(project, 3)
    answer_all(project, first, yes=lambda _person, _item: ["games"])
    answer_all(project, second)
    slots.open_up(project, [chosen(more(project, "four"))], overlap=2)
    assert queue.lease_next(project, annotator=third)
    answer = Judgment.objects.current().filter(rater__user=first).earliest("pk")
    judging.revise(answer, by=first, answer=judging.Answer(yes=("news",)))
    disputed = Dispute.objects.open().last().item
    decide(disputed, by=third, games="yes", news="no")
    connection.check_constraints()  # on PostgreSQL a table with checks outstanding cannot be altered
    return project.pk


def more(project, name: str) -> Item:
    return make_item(project, f"https://{name}.example.net/")


def chosen(item: Item) -> Selection:
    return Selection.objects.create(item=item, stream="import")


def import_list(project) -> Import:
    chunks = [b"url\nhttps://a.example.org/\nhttps://a.example.org/\nnot an address\n"]
    run = imports.start(project, by=None, chunks=iter(chunks), filename="list.csv")
    assert jobs.run(run.pk) == "done"
    return run


def broken() -> list[str]:
    return [finding.id for finding in invariants.findings() if not finding.is_kept]


def test_a_healthy_database_keeps_every_promise(project):
    assert [(finding.id, finding.examples) for finding in invariants.findings() if finding.examples] == []
    assert intake.run  # the import ran through the job's own handler
    assert Consensus.objects.filter(state="disputed").exists() and Import.objects.get().rows_refused == 1


def test_every_promise_of_the_specification_that_can_be_asked_of_the_database_is_checked():
    ids = {promise.id for promise in invariants.promises}
    assert {"I1", "I3", "I4", "I5", "I7", "I8", "I9", "I10", "I12", "I14", "I15", "I16"} <= ids


def test_the_command_says_what_is_broken_and_exits_with_1(project):
    out = StringIO()
    call_command("check_invariants", stdout=out)
    assert "BROKEN" not in out.getvalue()
    Consensus.objects.update(n_judgments=99)
    with pytest.raises(SystemExit) as ended:
        call_command("check_invariants", "--json", stdout=(out := StringIO()))
    assert ended.value.code == 1
    said = json.loads(out.getvalue())
    (wrong,) = [check for check in said["checks"] if not check["is_kept"]]
    assert wrong["id"] == "I12" and wrong["n_breaches"] == Consensus.objects.count() and len(wrong["examples"]) <= 20


def test_a_check_counts_all_breaches_and_shows_twenty(project):
    with unguarded():
        Event.objects.filter(kind="sample.drawn").delete()
        Job.objects.bulk_create(Job(kind="x") for _ in range(30))
    finding = next(finding for finding in invariants.findings() if finding.id == "I15")
    assert finding.n_breaches == 31 and len(finding.examples) == 20


# ---- queue ----------------------------------------------------------------------------------------------------------
def test_one_person_in_two_slots_of_an_item(project):
    done = Assignment.objects.filter(state=State.DONE).first()
    with unguarded((Assignment, "one_slot_per_annotator")):
        extra = Assignment.objects.create(
            project=project, item=done.item, round=done.round, slot=9, selection=done.selection, state=State.LEASED,
            annotator=done.annotator, available_at=timezone.now(), shuffle=1,
        )  # fmt: skip
        extra.refresh_from_db()
    assert broken() in (["I1", "I12", "catalogue"], ["I1", "catalogue"])


def test_an_answer_to_another_version_of_the_labels_than_its_slot_showed(project):
    other = project.schema_versions.create(number=0, guideline="An older one.")
    Assignment.objects.filter(judgments__isnull=False).update(schema=other)
    assert broken() == ["I1"]


def test_a_take_over_that_forgot_who_held_the_slot_before(project):
    done = Assignment.objects.filter(state=State.DONE).first()
    Assignment.objects.filter(pk=done.pk).update(taken_from=done.annotator)
    assert broken() == ["I3"]


def test_an_answer_without_a_slot(project):
    with unguarded():
        Judgment.objects.filter(pk=Judgment.objects.current().latest("pk").pk).update(assignment=None)
    assert broken() == ["I1"]


def test_a_done_slot_without_an_answer(project):
    slot = Assignment.objects.create(
        project=project, item=(item := more(project, "other")), slot=1, selection=chosen(item), state=State.DONE,
        annotator=make_user(), available_at=None, shuffle=1,
    )  # fmt: skip
    assert slot.pk and broken() == ["I1"]


def test_a_lease_without_an_end(project):
    with unguarded((Assignment, "available_while_open_or_leased")):
        Assignment.objects.filter(state=State.LEASED).update(available_at=None)
    assert set(broken()) - {"catalogue"} == {"I3"}


def test_a_lease_that_ends_next_year(project):
    Assignment.objects.filter(state=State.LEASED).update(available_at=timezone.now() + timedelta(days=365))
    assert broken() == ["I3"]


def test_an_open_slot_that_nobody_can_have_yet(project):
    Assignment.objects.filter(state=State.OPEN).update(available_at=timezone.now() + timedelta(days=1))
    assert broken() == ["I4"]


# ---- judgments ------------------------------------------------------------------------------------------------------
def test_two_current_answers_of_one_rater(project):
    old = Judgment.objects.exclude(superseded_at=None).get()
    with unguarded((Judgment, "one_current_judgment_per_rater"), (Judgment, "one_current_judgment_per_slot")):
        Judgment.objects.filter(pk=old.pk).update(superseded_at=None)
    assert {"I5", "catalogue"} <= set(broken()) <= {"I5", "I12", "catalogue"}


def test_a_database_that_would_let_a_second_answer_in(project):
    drop(Judgment, "one_current_judgment_per_rater")
    assert broken() == ["I5", "catalogue"]


@pytest.mark.postgres
def test_a_check_that_somebody_dropped(project):
    drop(Selection, "gold_selection_has_probability")
    assert broken() == ["catalogue"]


@pytest.mark.parametrize("verdicts", [{"never_asked": "yes"}, {"games": "maybe"}, {}])
def test_a_verdict_that_is_none(project, verdicts):
    answer = Judgment.objects.exclude(superseded_at=None).get()  # counted by nobody, and still to be right
    with unguarded():
        Judgment.objects.filter(pk=answer.pk).update(verdicts=verdicts)
    assert broken() == ["verdicts"]


@pytest.mark.parametrize("wrong", [{"gold": "answer"}, {"gold": ""}, {"gold_sha256": "0" * 64}], ids=str)
def test_what_is_settled_for_gold_that_is_not_what_the_judgments_say(project, wrong):
    Consensus.objects.filter(pk=Consensus.objects.filter(gold="settled").first().pk).update(**wrong)
    assert broken() == ["I12"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "agreed"},
        {"labels": {}},
        {"n_judgments": 7},
        {"n_not_assessable": 1},
        {"expected_error": 0.9},
        {"weighted_error": 0.9},
    ],
)
def test_consensus_that_is_not_what_the_judgments_say(project, wrong):
    Consensus.objects.filter(pk=Consensus.objects.filter(state="disputed").first().pk).update(**wrong)
    assert broken() == ["I12"]


def test_a_dispute_that_nobody_opened(project):
    item = Consensus.objects.filter(state="agreed").first().item
    item.disputes.create(project=project, label="news")
    assert broken() == ["I12"]


def test_an_answered_item_without_consensus(project):
    Consensus.objects.filter(state="agreed").first().delete()
    assert broken() == ["I12"]


# ---- imports and jobs -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("wrong", [{"rows_total": 9}, {"rows_done": 9}, {"rows_duplicate": 9}])
def test_an_import_whose_counts_do_not_add_up(project, wrong):
    Import.objects.update(**wrong)
    assert broken() == ["I7"]


def test_a_refused_row_that_was_lost(project):
    RefusedRow.objects.all().delete()
    assert broken() == ["I7"]


def test_an_imported_item_that_was_lost(project):
    Item.objects.filter(first_import__isnull=False).update(first_import=None)
    assert broken() == ["I7"]


def test_a_job_that_was_done_twice(project):
    done = Event.objects.get(kind="job.done.import")
    Event.objects.create(kind=done.kind, about=done.about)
    assert broken() == ["I9"]


def test_a_job_that_froze_two_releases(project):
    for _ in range(2):
        Event.objects.create(kind="release.frozen", data={"job": "one"})
    assert broken() == ["I9"]


@pytest.mark.parametrize("beat", [None, timedelta(minutes=-3)])
def test_a_job_that_runs_without_a_heartbeat(project, beat):
    job = jobs.enqueue("import", project=project)
    Job.objects.filter(pk=job.pk).update(state="running", heartbeat_at=beat and timezone.now() + beat)
    assert broken() == ["I10"]


@pytest.mark.parametrize("kind", ["job.queued.import", "job.done.import", "sample.drawn", "judgment.revised"])
def test_an_act_that_is_not_in_the_audit_trail(project, kind):
    with unguarded():
        assert Event.objects.filter(kind=kind).delete()[0]
    assert broken() == ["I15"]


# ---- gold -----------------------------------------------------------------------------------------------------------
def test_released_bytes_that_changed(project):
    with unguarded():
        Blob.objects.filter(pk=Blob.objects.earliest("pk").pk).update(content=b"other")
    assert broken() == ["I8"]


def test_released_bytes_that_are_gone(project):
    with unguarded():
        Blob.objects.update(content=None)
    assert broken() == ["I8"]


def test_a_released_row_that_changed(project):
    with unguarded():
        GoldItem.objects.filter(pk=GoldItem.objects.earliest("pk").pk).update(row_sha256="0" * 64)
    assert broken() == ["I8"]


def test_an_answer_under_a_release_that_changed(project):
    """Consensus was counted again, so that only the release still knows what was said."""
    gold = GoldItem.objects.earliest("pk")
    with unguarded():
        answers = Judgment.objects.filter(pk__in=gold.judgments)
        answers.update(verdicts={"games": "no", "news": "no", "self_harm": "yes"})
    consensus.refresh_many([gold.item_id], project=project)
    assert broken() == ["rebuild"]


def test_what_a_released_row_rests_on_that_was_lost(project):
    with unguarded():
        GoldItem.objects.filter(pk=GoldItem.objects.earliest("pk").pk).update(judgments=[])
    assert broken() == ["rebuild"]


def test_a_trigger_that_is_gone(project):
    on = 'ON "labeling_golditem"' if connection.vendor == "postgresql" else ""
    execute(f'DROP TRIGGER "labeling_golditem_no_update" {on}')
    assert broken() == ["I14"]


def test_a_trigger_of_an_older_version_that_refuses_less(project):
    """It has the name of the one that should be there, and lets released bytes be emptied."""
    lenient = "NEW.content IS NOT NULL"
    if connection.vendor == "postgresql":
        execute('DROP TRIGGER "labeling_blob_no_update" ON "labeling_blob"')
        each = f"FOR EACH ROW WHEN ({lenient}) EXECUTE FUNCTION labeling_refuse()"
    else:
        execute('DROP TRIGGER "labeling_blob_no_update"')
        each = f"WHEN {lenient} BEGIN SELECT RAISE(ABORT, 'labeling_blob is append-only'); END"
    execute(f'CREATE TRIGGER "labeling_blob_no_update" BEFORE UPDATE ON "labeling_blob" {each}')
    assert broken() == ["I14"]


def test_a_gold_selection_with_another_probability(project):
    with unguarded():
        Selection.objects.filter(stream="gold").update(probability=0.5)
    assert broken() == ["gold"]


def test_a_draw_that_lost_an_item(project):
    with unguarded():
        Draw.objects.update(size=5, frame_size=6)
        Selection.objects.filter(stream="gold").update(probability=5 / 6)
    assert broken() == ["gold", "rebuild"]  # what was released from it had other weights


def test_a_released_item_that_the_learner_may_read(project):
    leaked = more(project, "other")
    with unguarded():
        Selection.objects.filter(stream="gold").update(stream="random")
        execute("UPDATE labeling_draw SET size = 0")
        Selection.objects.filter(draw__isnull=False).update(draw=None)
    assert leaked.state == ItemState.ACTIVE
    assert broken() == ["I12", "I16", "rebuild"]  # nothing remembers that the page was drawn


def test_raters_are_left_alone(project):
    """A rater without an account, as imports bring them, breaks nothing."""
    Rater.objects.create(project=project, code="someone")
    assert broken() == []
