from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from active_learning import estimates, training
from labeling import consensus, expectations, immutability, invariants, judging, opt_outs, publishing
from labeling.models import Desk, Item, Label, LikelyLabel
from tests.active_learning.conftest import blobs  # noqa: F401  (a fixture)
from tests.active_learning.projects import LISTS, make_learning_project, train
from tests.factories import make_assignment, make_item, make_judgment, make_member, make_project
from tests.labeling.care.people import SEVERITIES, answer, make_careful_project, make_slot, next_page
from tests.labeling.gold.work import decide

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_careful_project(overlap={"default": 3})


def known(item: Item) -> tuple[float, set[str]]:
    item.refresh_from_db()
    return item.expected_exposure, set(item.likely_labels.values_list("label", flat=True))


def answered(project, *answers: str) -> Item:
    """A page on which each of these people ticked one label, or none."""
    item = make_item(project)
    for place, key in enumerate(answers):
        make_judgment(item, f"rater{place}", yes=[key] if key else [])
    consensus.refresh(item, project=project)
    return item


def change_label(project, key: str, **values) -> None:
    """Publish the next version, where one label is otherwise."""
    draft = publishing.draft_of(project.schema)
    labels = tuple(replace(label, **values) if label.key == key else label for label in draft.labels)
    publishing.publish(project, replace(draft, labels=labels), by=make_member(project, "manager"))


def broken() -> list[str]:
    """Of the promises of care."""
    own = {"expected", "exposure"}
    return [finding.id for finding in invariants.findings() if finding.id in own and not finding.is_kept]


@pytest.fixture
def model(monkeypatch):
    """A model that says what a test wants of pages."""
    said: dict[int, dict[str, float]] = {}

    def source(_project, items):
        keys = tuple(SEVERITIES)
        return keys, np.array([[said.get(int(item), {}).get(key, np.nan) for key in keys] for item in items])

    monkeypatch.setattr(expectations, "_sources", [source])
    return said


# ---- the best estimate ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answers", "exposure", "likely"),
    [
        (("", "", ""), 0.0, set()),
        (("self_harm", "self_harm", "self_harm"), 4.0, {"self_harm"}),
        (("self_harm", "", ""), 1.34, set()),  # 4 / 3, rounded up
        (("violence", "violence", "news"), 2.0, {"violence"}),
        (("games", "games", "games"), 0.0, set()),  # no severity, so nobody has to know
        (("news", "news", "news"), 1.0, {"news"}),
    ],
)
def test_a_page_with_answers_is_expected_to_cost_what_they_say(project, answers, exposure, likely):
    assert known(answered(project, *answers)) == (exposure, likely)


def test_a_page_without_answers_is_what_the_model_says(project, model):
    item = make_item(project)
    model[item.pk] = {"self_harm": 0.3, "violence": 0.8, "games": 0.9}
    expectations.recompute_all(project)
    assert known(item) == (2.4, {"violence"})


def test_answers_outweigh_the_model(project, model):
    item = make_item(project)
    model[item.pk] = {"self_harm": 0.9}
    make_judgment(item, "r1")
    consensus.refresh(item, project=project)
    assert known(item) == (0.0, set())


def test_a_label_nobody_was_asked_is_what_the_model_says(project, model):
    item = make_item(project)
    model[item.pk] = {"self_harm": 0.6, "news": 0.1}
    make_judgment(item, "r1", yes=["news"], asked=["games", "news", "violence"])
    consensus.refresh(item, project=project)
    assert known(item) == (2.4, {"news", "self_harm"})


def test_where_everyone_is_unsure_it_is_even_odds(project):
    item = make_item(project)
    make_judgment(item, "r1", unsure=["self_harm"])
    consensus.refresh(item, project=project)
    assert known(item) == (2.0, {"self_harm"})


def test_a_decision_is_certain(project):
    item = answered(project, "self_harm", "")
    decide(item, by=make_member(project, "adjudicator"), self_harm="no")
    assert known(item) == (0.0, set())


def test_nothing_is_known_of_a_page_without_answers_and_model(project):
    assert known(make_item(project)) == (0.0, set())


def test_rounding_is_up_and_only_up():
    labels = expectations.Watched(("self_harm",), np.array([4.0]))
    exposures = [expectations.expected(np.array([[p]]), labels)[0].exposure for p in (0.7, np.float32(0.7), 0.501, 1.0)]
    assert exposures == [2.8, 2.8, 2.01, 4.0]


# ---- kept up to date ------------------------------------------------------------------------------------------------
def test_each_answer_changes_what_the_next_reader_is_expected_to_meet(project):
    alice, bob = make_member(project, "annotator"), make_member(project, "annotator")
    slot = make_slot(project)
    make_assignment(project, slot.item, slot=2, available_at=slot.available_at)
    first = answer(next_page(alice, project), alice, "self_harm")
    assert known(slot.item) == (4.0, {"self_harm"})
    answer(next_page(bob, project), bob)
    assert known(slot.item) == (2.0, {"self_harm"})
    judging.revise(first, by=alice, answer=judging.Answer(none=True))
    assert known(slot.item) == (0.0, set())
    assert not broken()


def test_without_a_severity_an_answer_costs_no_query():
    plain = make_project()
    item = make_item(plain)
    make_judgment(item, "r1", yes=["games"])
    with CaptureQueriesContext(connection) as asked:
        consensus.refresh(item, project=plain)
    spoken = [query["sql"] for query in asked if "likelylabel" in query["sql"] or "expected_exposure" in query["sql"]]
    assert spoken == []


def test_an_answer_that_changes_no_severe_label_costs_no_query(project):
    item = answered(project, "self_harm")
    make_judgment(item, "r9", yes=["self_harm", "games"])
    with CaptureQueriesContext(connection) as asked:
        consensus.refresh(item, project=project)
    assert not [query["sql"] for query in asked if "likelylabel" in query["sql"]]


def test_another_severity_changes_every_page(project):
    item = answered(project, "violence")
    change_label(project, "violence", severity=1)
    assert known(item) == (1.0, {"violence"})


def test_a_model_is_followed_page_by_page(blobs):  # noqa: F811
    project = make_learning_project(n_pages=80, n_answered=60, labels=LISTS[:2])
    Label.objects.filter(schema__project=project, key=LISTS[0]).update(severity=4)
    run = train(project)
    fresh = np.array(sorted(project.items.filter(judgments=None).values_list("pk", flat=True)))
    keys, p_label = estimates.of(project, fresh)
    grave = p_label[:, list(keys).index(LISTS[0])]
    costs = dict(Item.objects.filter(pk__in=fresh.tolist()).values_list("pk", "expected_exposure"))
    kept = np.array([costs[item] for item in fresh])
    assert (kept >= 4 * grave - 1e-4).all() and (kept < 4 * grave + 0.0101).all() and kept.max() > 1
    assert training.current(project) == run
    assert not broken()


def test_what_is_wrong_is_found_and_a_command_mends_it(project):
    item, other = answered(project, "self_harm"), answered(project, "")
    Item.objects.filter(pk=item.pk).update(expected_exposure=0.5)
    LikelyLabel.objects.create(item=other, label="violence")
    assert broken() == ["expected"]
    out = StringIO()
    call_command("expect_exposure", project=project.slug, stdout=out)
    assert out.getvalue() == f"{project.slug}: 2 pages brought up to date.\n"
    assert broken() == []


def test_an_answer_that_is_kept_at_the_wrong_price_is_found(project):
    item = answered(project, "self_harm")
    assert broken() == []
    immutability.remove()  # it never changes by our own hand
    item.judgments.update(exposure=0)
    assert broken() == ["exposure"]


# ---- labels somebody would rather not judge -------------------------------------------------------------------------
def test_likely_pages_of_a_label_one_would_rather_not_judge_go_to_others(project):
    alice, bob = make_member(project, "annotator"), make_member(project, "annotator")
    slot = make_slot(project)
    LikelyLabel.objects.create(item=slot.item, label="self_harm")
    opt_outs.choose(project, alice, ["self_harm"])
    LikelyLabel.objects.get_or_create(item=slot.item, label="self_harm")
    assert next_page(alice, project) is None
    assert next_page(bob, project) == slot


def test_a_label_without_severity_is_looked_for_once_somebody_asks(project):
    item = answered(project, "games")
    assert known(item) == (0.0, set())
    opt_outs.choose(project, make_member(project, "annotator"), ["games"])
    assert known(item) == (0.0, {"games"})
    other = answered(project, "games")
    assert known(other) == (0.0, {"games"})


def test_and_forgotten_when_nobody_asks_any_more(project):
    item, alice = answered(project, "games"), make_member(project, "annotator")
    opt_outs.choose(project, alice, ["games"])
    assert opt_outs.choose(project, alice, []) == []
    assert known(item) == (0.0, set())


def test_only_labels_of_the_project_can_be_chosen(project):
    alice = make_member(project, "annotator")
    with pytest.raises(judging.Unacceptable, match="Not a label of this project: cooking"):
        opt_outs.choose(project, alice, ["cooking", "games"])
    assert opt_outs.of(project, alice) == []


def test_retired_labels_drop_out(project):
    alice, item = make_member(project, "annotator"), answered(project, "games")
    opt_outs.choose(project, alice, ["games", "self_harm"])
    change_label(project, "games", retired=True)
    assert opt_outs.of(project, alice) == ["self_harm"]
    assert known(item) == (0.0, set())
    assert Desk.objects.get(user=alice).opted_out == ["games", "self_harm"]  # it comes back with the label
