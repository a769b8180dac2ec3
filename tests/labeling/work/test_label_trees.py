"""Labels under labels: a yes to one is a yes to those above it, by every door and whatever was asked."""

from dataclasses import replace

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from labeling import answers, judging, publishing, queue, schemas, slots
from labeling.answers import Answer
from labeling.models import Assignment, Judgment, Label, Purpose, Selection
from labeling.publishing import Draft, LabelDraft
from labeling.refusals import Unacceptable
from tests.factories import make_item, make_member, make_project

TREE = (
    LabelDraft("games", "Games"),
    LabelDraft("cards", "Cards", parent="games"),
    LabelDraft("poker", "Poker", parent="cards"),
    LabelDraft("news", "News"),
    LabelDraft("sports", "Sports", parent="news"),
)
KEYS = tuple(label.key for label in TREE)


@pytest.fixture
def project(db):
    project = make_project(slug="tree", labels=())
    publishing.publish(project, Draft(TREE, exclusive_groups=(("games", "news"),)), by=None)
    return project


@pytest.fixture
def alice(project):
    return make_member(project, "annotator")


def schema_of(groups=()):
    labels = tuple(Label(key=label.key, name=label.name, parent=label.parent) for label in TREE)
    return schemas.Schema(id=1, number=1, guideline="", exclusive_groups=groups, labels=labels)


def said(*, yes=(), unsure=(), asked=KEYS):
    return answers.verdicts_of(Answer(yes=yes, unsure=unsure), asked=asked, schema=schema_of())


def page(project, **fields):
    selection = Selection.objects.create(item=make_item(project), stream="import")
    slots.open_up(project, [selection], overlap=1, **fields)


# ---- what an answer says ------------------------------------------------------------------------------------------
def test_yes_to_a_label_is_yes_to_all_above_it():
    assert said(yes=("poker",)) == {"games": "yes", "cards": "yes", "poker": "yes", "news": "no", "sports": "no"}


def test_whoever_is_unsure_of_a_label_says_no_to_none_above_it():
    assert said(unsure=("poker",)) == {
        "games": "unsure", "cards": "unsure", "poker": "unsure", "news": "no", "sports": "no",
    }  # fmt: skip
    assert said(yes=("games",), unsure=("poker",))["games"] == "yes"


def test_a_doubt_about_a_label_gives_way_to_a_yes_below_it():
    assert said(yes=("poker",), unsure=("games",))["games"] == "yes"


def test_only_what_was_asked_gets_a_verdict():
    assert said(yes=("poker",), asked=("poker", "games")) == {"poker": "yes", "games": "yes"}
    assert said(yes=("poker",), asked=("poker",)) == {"poker": "yes"}


@given(yes=st.sets(st.sampled_from(KEYS)), unsure=st.sets(st.sampled_from(KEYS)))
def test_no_verdict_is_ever_above_that_of_its_parent(yes, unsure):
    if not yes | unsure or yes & unsure:
        return
    weight = {"no": 0, "unsure": 1, "yes": 2}
    verdicts = said(yes=tuple(yes), unsure=tuple(unsure))
    for label in TREE:
        if label.parent:
            assert weight[verdicts[label.key]] <= weight[verdicts[label.parent]]
    assert all(verdicts[key] == "yes" for key in yes)


def test_labels_under_two_that_exclude_each_other_exclude_each_other():
    schema = schema_of(groups=(("games", "news"),))
    answer = Answer(yes=("poker", "sports"))
    assert answers.clashes(answer, asked=KEYS, schema=schema) == [("games", "news")]
    with pytest.raises(Unacceptable, match="Games and News exclude each other"):
        answers.verdicts_of(answer, asked=KEYS, schema=schema)


# ---- by every door ------------------------------------------------------------------------------------------------
def test_an_answer_is_stored_with_the_labels_it_implies(project, alice):
    page(project)
    judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=Answer(yes=("poker",)))
    assert Judgment.objects.get().yes == ["cards", "games", "poker"]


def test_a_corrected_answer_too(project, alice):
    page(project)
    first = judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=Answer(none=True))
    assert judging.revise(first, by=alice, answer=Answer(unsure=("sports",))).unsure == ["news", "sports"]


def test_a_form_without_scripts_ticks_one_label_and_the_server_the_rest(client: Client, project, alice):
    page(project)
    client.force_login(alice)
    client.get("/p/tree/annotate/")
    slot = Assignment.objects.get()
    client.post(f"/p/tree/annotate/{slot.pk}/submit/", {"label.cards": "yes"})
    assert Judgment.objects.get().yes == ["cards", "games"]


def test_a_clash_between_implied_labels_stands_beside_them_on_the_page(client: Client, project, alice):
    page(project)
    client.force_login(alice)
    client.get("/p/tree/annotate/")
    slot = Assignment.objects.get()
    response = client.post(f"/p/tree/annotate/{slot.pk}/submit/", {"label.poker": "yes", "label.sports": "yes"})
    html = response.content.decode()
    assert response.status_code == 422 and '<a href="#label-games-yes">Games and News exclude each other.' in html


# ---- on the page --------------------------------------------------------------------------------------------------
def rows(client):
    return {row["key"]: row for row in client.get("/p/tree/annotate/").context["labels"]}


def test_labels_stand_further_in_under_their_parent_in_the_order_of_the_version(client: Client, project, alice):
    page(project)
    client.force_login(alice)
    found = rows(client)
    assert list(found) == list(KEYS)
    assert [row["level"] for row in found.values()] == [0, 1, 2, 0, 1]
    assert (found["poker"]["parent"], found["poker"]["under"]) == ("cards", "Games › Cards")


def test_a_page_that_asks_a_label_without_its_parent_says_where_it_stands(client: Client, project, alice):
    page(project, purpose=Purpose.NEW_LABEL, asked=["poker", "games"])
    client.force_login(alice)
    found = rows(client)
    assert (found["poker"]["parent"], found["poker"]["level"], found["poker"]["is_alone"]) == ("games", 1, True)
    assert "in Games › Cards" in client.get("/p/tree/annotate/").content.decode()


def test_what_a_label_means_shows_where_it_stands_how_grave_it_is_and_pages_like_it(client: Client, project, alice):
    poker = replace(TREE[2], severity=4, examples=("a poker room", "odds of a flush"), near_misses=("a bridge club",))
    publishing.publish(project, Draft((*TREE[:2], poker)), by=None)
    page(project)
    client.force_login(alice)
    html = client.get("/p/tree/annotate/").content.decode()
    meaning = html[html.index('data-about="poker"') :]
    for words in ("Games › Cards", "a poker room", "odds of a flush", "a bridge club", "grave"):
        assert words in meaning
