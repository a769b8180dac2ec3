"""A label published after pages were judged: never a silent no, and asked alone when a manager wants it."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from active_learning import dataset
from labeling import (
    consensus,
    exports,
    invariants,
    jobs,
    judging,
    new_labels,
    publishing,
    queue,
    reports,
    slots,
)
from labeling.models import Assignment, Consensus, Event, Job, Judgment, Selection
from labeling.publishing import Draft, LabelDraft, replace
from labeling.refusals import Refused, Unacceptable
from tests.factories import make_item, make_judgment, make_member, make_project
from tests.labeling.gold.work import draw

pytestmark = pytest.mark.django_db
NEWS, NONE = judging.Answer(yes=("news",)), judging.Answer(none=True)
MAPS = judging.Answer(yes=("maps",))


@pytest.fixture
def project():
    return make_project(slug="young")


@pytest.fixture
def people(project):
    return [make_member(project, "annotator", name=name) for name in ("alice", "bob")]


@pytest.fixture
def judged(project, people):
    """Three pages, each answered by two people: news for one, none for the other. Then `maps` is published."""
    items = [make_item(project) for _ in range(3)]
    slots.open_up(project, [Selection.objects.create(item=item, stream="import") for item in items], overlap=2)
    for person, answer in zip(people, (NEWS, NONE), strict=True):
        answer_all(project, person, answer)
    reports.of_project(project)  # remembered from here on
    publish(project, add=["maps"])
    return items


def publish(project, *, add=(), **definitions):
    before = publishing.draft_of(project.schema)
    labels = [replace(label, definition=definitions.get(label.key, label.definition)) for label in before.labels]
    labels += [LabelDraft(key, key.title()) for key in add]
    return publishing.publish(project, replace(before, labels=tuple(labels)), by=None)


def answer_all(project, person, answer):
    while slot := queue.lease_next(project, annotator=person):
        judging.submit(slot, by=person, answer=answer)


def ask(project, *keys):
    job = new_labels.queue_asking(project, keys, by=None)
    assert jobs.run(job.pk) == "done"
    job.refresh_from_db()
    return job.result


def said(item):
    labels = Consensus.objects.get(item=item).labels
    return {key: (label["yes"], label["no"]) for key, label in labels.items()}


def report(project, key):
    return next(label for label in reports.of_project(project).labels if label.key == key)


# ---- a label that was not asked has no verdict ----------------------------------------------------------------------
def test_a_new_label_is_no_no_on_pages_judged_before(project, judged):
    assert said(judged[0]) == {"games": (0, 2), "news": (1, 1), "self_harm": (0, 2)}
    assert report(project, "maps").cells.n_answers == 0
    assert report(project, "games").cells.n_answers == 6
    rows = list(exports.all_judgments(exports.judgments(project, complete_only=False), identify=False, whole_urls=True))
    assert all("maps" not in row["verdicts"] for row in rows) and len(rows) == 6
    known = dataset.read(project, ("games", "maps"))
    assert known.targets[:, 1].tolist() == [-1, -1, -1]


def test_another_question_under_a_label_is_no_no_either(project, judged):
    publish(project, games="Games of chance alone.")
    assert "games" not in said(judged[0])
    assert report(project, "games").cells.n_answers == 0


def test_labels_younger_than_some_answers_are_known(project, judged):
    assert [label.key for label in new_labels.younger_than_answers(project)] == ["maps"]
    publish(project, news="News of today alone.")
    assert [label.key for label in new_labels.younger_than_answers(project)] == ["news", "maps"]


def test_no_label_is_young_where_nobody_answered_yet(project):
    publish(project, add=["maps"])
    assert new_labels.younger_than_answers(project) == []


# ---- asking it of them ----------------------------------------------------------------------------------------------
def test_what_asking_costs_is_known_before(project, judged):
    assert new_labels.cost(project, ["maps"]) == new_labels.Cost(n_pages=3, n_answers=6)
    assert new_labels.cost(project, ["games"]) == new_labels.Cost(0, 0)


def test_a_round_of_its_own_asks_that_label_alone(project, judged):
    assert ask(project, "maps") == {"n_items": 3, "n_answers": 6}
    fresh = Assignment.objects.filter(purpose="new_label")
    assert {(slot.round, tuple(slot.asked), slot.selection.stream) for slot in fresh} == {(2, ("maps",), "import")}
    assert fresh.count() == 6
    assert Event.objects.get(kind="labels.asked_again").data == {"n_items": 3, "n_answers": 6, "labels": ["maps"]}


def test_the_page_of_such_a_slot_asks_nothing_else(client: Client, project, judged, people):
    ask(project, "maps")
    client.force_login(people[0])
    response = client.get("/p/young/annotate/")
    assert [row["key"] for row in response.context["labels"]] == ["maps"]
    assert "Only this label is asked of this page." in response.content.decode()


def test_the_same_peoples_answers_join_what_they_said_before(project, judged, people):
    ask(project, "maps")
    for person in people:
        answer_all(project, person, MAPS)
    row = Consensus.objects.get(item=judged[0])
    assert said(judged[0]) == {"games": (0, 2), "maps": (2, 0), "news": (1, 1), "self_harm": (0, 2)}
    assert (row.n_judgments, row.state) == (2, "disputed")
    assert Judgment.objects.filter(purpose="new_label").first().verdicts == {"maps": "yes"}
    assert {finding.id for finding in invariants.findings() if not finding.is_kept} == set()


def test_other_peoples_answers_join_them_too(project, judged):
    ask(project, "maps")
    for _ in range(2):
        answer_all(project, make_member(project, "annotator"), MAPS)
    assert said(judged[0]) == {"games": (0, 2), "maps": (2, 0), "news": (1, 1), "self_harm": (0, 2)}
    assert report(project, "maps").n_items == 3 and report(project, "games").cells.n_answers == 6


def test_nobody_is_asked_twice_for_the_same(project, judged, people):
    ask(project, "maps")
    with pytest.raises(Refused, match="has answers to this already"):
        new_labels.queue_asking(project, ["maps"], by=None)
    answer_all(project, people[0], MAPS)
    judging.not_assessable(queue.lease_next(project, annotator=people[1]), by=people[1], reason="dead")
    answer_all(project, people[1], MAPS)
    assert new_labels.cost(project, ["maps"]) == new_labels.Cost(0, 0)


def test_a_killed_job_goes_on_and_opens_nothing_twice(project, judged):
    job = new_labels.queue_asking(project, ["maps"], by=None)
    jobs.run(job.pk)
    Job.objects.filter(pk=job.pk).update(state="queued")
    assert jobs.run(job.pk) == "done"
    assert Assignment.objects.filter(purpose="new_label").count() == 6


def test_pages_that_wait_and_pages_of_samples_are_left_to_their_own_round(project, judged):
    waiting = Selection.objects.create(item=judged[0], stream="random")
    slots.open_up(project, [waiting], overlap=1)
    draw(project, size=3)
    assert new_labels.cost(project, ["maps"]).n_pages == 0


def test_a_page_answered_before_and_after_is_asked_for_what_it_lacks(project, people):
    item = make_item(project)
    slots.open_up(project, [Selection.objects.create(item=item, stream="import")], overlap=2)
    answer_all(project, people[0], NONE)
    publish(project, add=["maps"])
    answer_all(project, people[1], NONE)
    assert said(item)["maps"] == (0, 1)
    assert new_labels.cost(project, ["maps"]) == new_labels.Cost(1, 1)


def test_imported_answers_on_pages_nobody_queued_are_asked_too(project):
    item = make_item(project)
    make_judgment(item, "crowd", yes=["news"], source="import")
    consensus.refresh(item, project=project)
    publish(project, add=["maps"])
    assert ask(project, "maps") == {"n_items": 1, "n_answers": 1}
    assert Assignment.objects.get().selection.stream == "import"


def test_only_labels_that_are_asked_can_be_chosen(project, judged):
    for keys, sentence in (([], "Choose at least one label."), (["gone"], "No label “gone” is asked.")):
        with pytest.raises(Unacceptable) as refused:
            new_labels.checked(project, keys)
        assert refused.value.errors == [{"pointer": "/labels", "detail": sentence}]


# ---- per label, the latest answer that was asked it -----------------------------------------------------------------
def test_a_remembered_report_takes_in_answers_to_the_new_label_alone(project, judged, people):
    assert report(project, "maps").cells.n_answers == 0
    ask(project, "maps")
    answer_all(project, people[0], MAPS)
    answer_all(project, people[1], NONE)
    maps, news = report(project, "maps"), report(project, "news")
    assert (maps.n_items, maps.n_positive) == (3, 3)
    assert (news.n_items, news.n_positive) == (3, 3)
    found = reports.of_project(project)
    assert (found.n_answers, found.n_people, found.answers_per_page) == (6, 2, (2, 2))
    assert reports.of_project(project, stream="import").labels[0].cells.n_answers == 6


def test_cells_are_those_of_one_whole_answer_a_person(project, judged, people):
    """What is asked in two rounds counts as what is asked in one."""
    ask(project, "maps")
    for person, answer in zip(people, (MAPS, NONE), strict=True):
        answer_all(project, person, answer)
    other = make_project()
    publish(other, add=["maps"])
    for _ in judged:
        item = make_item(other)
        make_judgment(item, "a", yes=["news", "maps"])
        make_judgment(item, "b")
        consensus.refresh(item, project=other)
    for mine, theirs in zip(reports.of_project(project).labels, reports.of_project(other).labels, strict=True):
        assert mine.key == theirs.key
        assert [getattr(mine.cells, name).tolist() for name in ("n", "k", "count")] == [
            getattr(theirs.cells, name).tolist() for name in ("n", "k", "count")
        ]


def test_a_partial_answer_in_another_stream_takes_nothing_from_the_whole(project, judged, people):
    other = [Selection.objects.create(item=item, stream="random") for item in judged]
    slots.open_up(project, other, overlap=1, asked=["maps"])
    answer_all(project, people[0], MAPS)
    assert report(project, "news").cells.n_yes == 3 and report(project, "maps").cells.n_yes == 3
    drawn = reports.of_project(project, stream="random")
    assert [label.cells.n_answers for label in drawn.labels] == [0, 0, 0, 3]


def test_who_says_later_that_nobody_can_judge_a_page_is_counted_there_no_more(project, judged, people):
    ask(project, "maps")
    slot = queue.lease_next(project, annotator=people[0])
    judging.not_assessable(slot, by=people[0], reason="dead")
    assert report(project, "news").cells.n_answers == 5
    assert Consensus.objects.get(item=slot.item_id).labels["news"] == {
        "yes": 0, "no": 1, "unsure": 0, "probability": 0.0, "verdict": None, "state": "pending",
    }  # fmt: skip


def test_each_answer_is_exported_as_it_was_given(project, judged, people):
    ask(project, "maps")
    answer_all(project, people[0], MAPS)
    found = exports.judgments(project, complete_only=False)
    rows = [row for row in exports.all_judgments(found, identify=True, whole_urls=True) if row["annotator"] == "alice"]
    assert [(row["round"], row["purpose"], sorted(row["verdicts"])) for row in rows[:1] + rows[-1:]] == [
        (1, "work", ["games", "news", "self_harm"]),
        (2, "new_label", ["maps"]),
    ]


def test_a_learner_knows_the_new_label_only_where_it_was_asked(project, judged, people):
    ask(project, "maps")
    slot = queue.lease_next(project, annotator=people[0])
    judging.submit(slot, by=people[0], answer=MAPS)
    mate = Assignment.objects.filter(item=slot.item_id, state="open")
    mate.update(state="leased", annotator=people[1], schema=project.schema)
    judging.submit(mate.model.objects.get(annotator=people[1], state="leased"), by=people[1], answer=MAPS)
    known = dataset.read(project, ("games", "maps"))
    assert sorted(known.targets[:, 1].tolist()) == [-1, -1, 1]
    assert known.targets[:, 0].tolist().count(0) >= 1


# ---- by page and by program -----------------------------------------------------------------------------------------
@pytest.fixture
def manager(project):
    return make_member(project, "manager")


def test_the_page_of_labels_offers_it_says_what_it_costs_and_asks(client: Client, project, judged, manager):
    client.force_login(manager)
    labels = client.get("/p/young/settings/labels/").content.decode()
    assert "New since pages were judged" in labels and 'name="label" value="maps"' in labels
    page = client.get("/p/young/settings/labels/ask/?label=maps").content.decode()
    assert "3 pages that people have judged lack answers to “Maps”" in page and "Ask for 6 answers" in page
    assert client.post("/p/young/settings/labels/ask/", {"label": "maps"}).status_code == 302
    assert Job.objects.get(kind=new_labels.KIND).params == {"labels": ["maps"]}


def test_programs_ask_for_the_cost_and_for_the_round(project, judged, manager):
    client = APIClient()
    client.force_authenticate(manager)
    address = "/api/v1/projects/young/new-label-rounds/"
    assert client.get(address).json() == {"labels": ["maps"], "pages": 3, "answers": 6}
    assert client.get(address, {"label": "games"}).json() == {"labels": ["games"], "pages": 0, "answers": 0}
    queued = client.post(address, {"labels": ["maps"]}, format="json")
    assert queued.status_code == 202 and queued.json()["kind"] == new_labels.KIND
    assert client.get(address, {"label": "gone"}).status_code == 422
    assert client.post(address, {"labels": ["games"]}, format="json").status_code == 409
    assert client.post(address, {"labels": []}, format="json").json()["status"] == 422


def test_a_draft_of_nothing_asks_nothing(client: Client, manager):
    bare = make_project(slug="bare", labels=())
    publishing.publish(bare, Draft(), by=None)
    assert new_labels.younger_than_answers(bare) == []


# ---- retired while it waits -----------------------------------------------------------------------------------------
def retire(project, *keys):
    before = publishing.draft_of(publishing.in_force(project))
    labels = [replace(label, retired=label.retired or label.key in keys) for label in before.labels]
    return publishing.publish(project, replace(before, labels=tuple(labels)), by=None)


def test_a_label_that_is_retired_while_it_waits_to_be_asked_is_asked_of_nobody(project, people, judged):
    ask(project, "maps")
    retire(project, "maps")
    assert queue.lease_next(project, annotator=people[0]) is None
    assert not Consensus.objects.filter(state=Consensus.State.PENDING).exists()
    assert not [finding for finding in invariants.findings() if finding.n_breaches]


def test_of_two_that_wait_the_other_is_still_asked(project, people, judged):
    publish(project, add=["cooking"])
    ask(project, "maps", "cooking")
    retire(project, "maps")
    slot = queue.lease_next(project, annotator=people[0])
    assert judging.asked_of(slot, by=people[0]) == ("cooking",)
