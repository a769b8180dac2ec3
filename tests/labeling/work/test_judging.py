import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling import judging, queue, schemas, slots
from labeling.models import Draft, Judgment, Rater, Selection, SkipReason
from labeling.refusals import LeaseLost, Refused, Unacceptable
from tests.factories import LABELS, make_assignment, make_item, make_judgment, make_member, make_project

pytestmark = pytest.mark.django_db
Answer = judging.Answer


@pytest.fixture
def project():
    return make_project()


@pytest.fixture
def alice(project):
    return make_member(project, "annotator")


@pytest.fixture
def bob(project):
    return make_member(project, "annotator")


@pytest.fixture
def slot(project, alice):
    return open_page(project, alice)


def open_page(project, person, *, overlap=1):
    slots.open_up(project, [Selection.objects.create(item=make_item(project), stream="import")], overlap=overlap)
    return queue.lease_next(project, annotator=person)


def expire(slot):
    from datetime import UTC, datetime

    type(slot).objects.filter(pk=slot.pk).update(available_at=datetime(2020, 1, 1, tzinfo=UTC))


def test_every_asked_label_gets_a_verdict(slot, alice):
    judgment = judging.submit(slot, by=alice, answer=Answer(yes=("games",), unsure=("news",)))
    assert judgment.verdicts == {"games": "yes", "news": "unsure", "self_harm": "no"}


def test_a_label_that_is_not_asked_has_no_verdict(project, alice):
    slot = make_assignment(project, leased_to=alice, asked=["news"])
    assert judging.submit(slot, by=alice, answer=Answer(none=True)).verdicts == {"news": "no"}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Answer(), "Choose at least one label, or None of these."),
        (Answer(yes=("cats",)), "Not a label of this page: cats."),
        (Answer(yes=("games",), unsure=("games",)), "Yes and unsure at once: games. Choose one."),
        (Answer(yes=("games",), none=True), "None of these was ticked beside a label. Choose one of the two."),
        (Answer(none=True, confidence="sure"), "Confidence is low, medium or high."),
        (Answer(none=True, note="x" * 5001), "A note holds 5,000 characters."),
    ],
)
def test_an_incomplete_answer_is_refused_with_a_sentence(slot, alice, answer, sentence):
    with pytest.raises(Unacceptable) as refused:
        judging.submit(slot, by=alice, answer=answer)
    assert refused.value.sentence == sentence
    assert not Judgment.objects.exists()


def test_labels_that_exclude_each_other_cannot_both_be_yes(alice, project):
    project.schema_versions.update(exclusive_groups=[["games", "news"]])
    schemas.by_id.cache_clear()
    slot = open_page(project, alice)
    with pytest.raises(Unacceptable, match="Games and News exclude each other"):
        judging.submit(slot, by=alice, answer=Answer(yes=("games", "news")))


def test_a_late_answer_counts_while_nobody_else_took_the_page(slot, alice):
    expire(slot)
    assert judging.submit(slot, by=alice, answer=Answer(none=True)).pk


def test_a_late_answer_takes_another_free_slot_of_the_round(project, alice, bob):
    slot = open_page(project, alice, overlap=2)
    expire(slot)
    slots = type(slot).objects.filter(item=slot.item)
    slots.exclude(pk=slot.pk).update(available_at=None, state="withdrawn")
    queue.lease_next(project, annotator=bob)
    slots.exclude(pk=slot.pk).update(available_at=slot.leased_at, state="open")
    late = judging.submit(slot, by=alice, answer=Answer(none=True))
    assert late.assignment_id != slot.pk


def test_a_lost_lease_keeps_the_ticks_as_a_draft(slot, project, alice, bob):
    expire(slot)
    assert queue.lease_next(project, annotator=bob) == slot
    with pytest.raises(LeaseLost):
        judging.submit(slot, by=alice, answer=Answer(yes=("games",), note="arcade"))
    draft = Draft.objects.get(annotator=alice)
    assert (draft.answer["yes"], draft.answer["note"]) == (["games"], "arcade")


def test_submitting_drops_the_draft(slot, alice):
    judging.save_draft(slot, by=alice, answer=Answer(yes=("games",)))
    judging.submit(slot, by=alice, answer=Answer(yes=("games",)))
    assert not Draft.objects.exists()


def test_a_second_submit_of_the_same_page_is_refused(slot, alice):
    judging.submit(slot, by=alice, answer=Answer(none=True))
    slot.refresh_from_db()
    with pytest.raises(Refused, match="answered this page already"):
        judging.submit(slot, by=alice, answer=Answer(none=True))
    assert Judgment.objects.count() == 1


def test_a_revision_supersedes_and_changes_nothing_of_the_old_answer(slot, alice):
    first = judging.submit(slot, by=alice, answer=Answer(yes=("games",)))
    second = judging.revise(first, by=alice, answer=Answer(none=True))
    first.refresh_from_db()
    assert first.verdicts["games"] == "yes" and first.superseded_at is not None
    assert list(Judgment.objects.current()) == [second] and second.revision == 2


def test_an_answer_cannot_be_revised_after_an_adjudicator_decided(slot, alice, project):
    judgment = judging.submit(slot, by=alice, answer=Answer(yes=("games",)))
    judge = make_member(project, "adjudicator")
    slot.item.adjudications.create(adjudicator=judge, schema=project.schema, verdicts={"games": "no"}, cause="careless")
    with pytest.raises(Refused, match="adjudicator has decided"):
        judging.revise(judgment, by=alice, answer=Answer(none=True))


def test_a_skipped_page_goes_to_others_and_never_back(slot, project, alice, bob):
    judging.skip(slot, by=alice)
    assert queue.lease_next(project, annotator=alice) is None
    assert queue.lease_next(project, annotator=bob) == slot


def test_a_page_nobody_can_judge_is_an_outcome_without_verdicts(slot, alice):
    judgment = judging.not_assessable(slot, by=alice, reason=SkipReason.DEAD)
    assert (judgment.outcome, judgment.verdicts) == ("not_assessable", {})
    slot.item.refresh_from_db()
    assert slot.item.not_assessable


def test_a_person_judges_under_one_pseudonym_per_project(project, alice):
    for _ in range(2):
        judging.submit(open_page(project, alice), by=alice, answer=Answer(none=True))
    assert Rater.objects.filter(user=alice).count() == 1


def test_judgments_refuse_to_be_edited_or_deleted(project):
    from django.db import DatabaseError, transaction

    judgment = make_judgment(make_item(project), "w1", yes=["games"])
    with pytest.raises(DatabaseError), transaction.atomic():
        Judgment.objects.filter(pk=judgment.pk).update(verdicts={"games": "no"})
    with pytest.raises(DatabaseError), transaction.atomic():
        Judgment.objects.filter(pk=judgment.pk).delete()


keys = st.sets(st.sampled_from([*LABELS, "unknown"])).map(tuple)


@given(yes=keys, unsure=keys, none=st.booleans())
def test_an_answer_is_either_complete_or_refused_never_guessed(yes, unsure, none):
    from labeling.models import Label

    labels = tuple(Label(key=key, name=key) for key in LABELS)
    schema = schemas.Schema(id=1, number=1, guideline="", exclusive_groups=(), labels=labels)
    try:
        verdicts = judging.verdicts_of(Answer(yes=yes, unsure=unsure, none=none), asked=LABELS, schema=schema)
    except Unacceptable:
        assert none is bool(yes or unsure) or "unknown" in {*yes, *unsure} or set(yes) & set(unsure)
        return
    assert set(verdicts) == set(LABELS)
    assert {key for key, verdict in verdicts.items() if verdict == "yes"} == set(yes)
    assert {key for key, verdict in verdicts.items() if verdict == "unsure"} == set(unsure)
    assert none is not bool(yes or unsure)
