"""Schema versions: what a draft becomes when it is published."""

from dataclasses import replace

import pytest

from labeling import label_changes, publishing
from labeling.publishing import Draft, LabelDraft
from labeling.refusals import Stale, Unacceptable
from tests.factories import make_project

pytestmark = pytest.mark.django_db

GAMES, NEWS = LabelDraft("games", "Games"), LabelDraft("news", "News")


@pytest.fixture
def project():
    project = make_project(labels=())
    publishing.publish(project, Draft((GAMES, NEWS)), by=None)
    return project


def in_force(project):
    return {label.key: label for label in publishing.in_force(project).labels.all()}


def publish(project, *labels, **fields):
    return publishing.publish(project, Draft(tuple(labels), **fields), by=None)


def test_labels_without_a_letter_get_the_first_free_one_of_their_name(project):
    publish(project, LabelDraft("gambling", "Gambling"), GAMES, NEWS)
    assert {key: label.shortcut for key, label in in_force(project).items()} == {
        "games": "g",  # the letter people know stays
        "news": "n",
        "gambling": "a",
    }


def test_two_labels_cannot_have_one_letter(project):
    with pytest.raises(Unacceptable) as refused:
        publish(project, replace(GAMES, shortcut="x"), replace(NEWS, shortcut="x"))
    assert "both want the letter x" in refused.value.errors[0]["detail"]


def test_more_labels_than_letters_leaves_the_last_without_one(project):
    many = [LabelDraft(f"label_{number}", "Same name") for number in range(28)]
    publish(project, *many)
    letters = [label.shortcut for label in in_force(project).values() if label.shortcut]
    assert len(letters) == len(set(letters)) == 26


def test_a_label_left_out_is_retired_and_kept(project):
    publish(project, NEWS)
    assert in_force(project)["games"].retired
    assert publishing.in_force(project).asked_keys() == ["news"]


def test_a_changed_definition_is_a_new_question_unless_the_manager_says_otherwise(project):
    reworded = replace(GAMES, definition="The page offers games.")
    publish(project, reworded, NEWS)
    assert (in_force(project)["games"].revision, in_force(project)["news"].revision) == (2, 1)
    publish(project, replace(reworded, definition="It offers games.", meaning_unchanged=True), NEWS)
    assert in_force(project)["games"].revision == 2


def test_publishing_what_is_in_force_makes_no_version(project):
    before = publishing.in_force(project)
    assert publish(project, GAMES, NEWS) == before


def test_a_published_version_keeps_its_labels(project):
    first = publishing.in_force(project)
    publish(project, replace(GAMES, name="Play"), NEWS)
    assert [label.name for label in first.labels.all()] == ["Games", "News"]


def test_a_draft_of_an_older_version_is_refused(project):
    publish(project, GAMES)
    with pytest.raises(Stale) as stale:
        publishing.publish(project, Draft((NEWS,)), by=None, expected=1)
    assert stale.value.extra == {"current_version": 3, "your_version": 1}


@pytest.mark.parametrize(
    ("labels", "fields", "sentence"),
    [
        ((LabelDraft("Games", "Games"),), {}, "A key is a small letter"),
        ((GAMES, GAMES), {}, "Two labels have the key"),
        ((replace(GAMES, parent="nowhere"),), {}, "which is not a label"),
        ((replace(GAMES, parent="news"), replace(NEWS, parent="games")), {}, "under itself"),
        ((replace(GAMES, severity=5),), {}, "Severity is 1"),
        ((replace(GAMES, parent="games"),), {}, "under itself"),
        (
            (
                GAMES,
                replace(NEWS, parent="games", retired=False),
                replace(GAMES, key="chess", parent="news"),
                replace(GAMES, key="blitz", parent="chess"),
            ),
            {},
            "three levels deep at most",
        ),
        ((replace(GAMES, retired=True), replace(NEWS, parent="games")), {}, "“Games”, which is retired. Retire both"),
        (
            (GAMES, replace(NEWS, parent="games")),
            {"exclusive_groups": (("games", "news"),)},
            "cannot exclude each other",
        ),
        (
            (GAMES, replace(NEWS, parent="games"), LabelDraft("chess", "Chess", parent="news")),
            {"exclusive_groups": (("chess", "games"),)},
            "says yes to both",
        ),
        ((replace(GAMES, name=""),), {}, "needs a name"),
        ((GAMES, NEWS), {"exclusive_groups": (("games", "maps"),)}, "not a label in use"),
        ((GAMES, NEWS), {"exclusive_groups": (("games",),)}, "names two or more"),
    ],
)
def test_a_draft_that_cannot_be_asked_is_refused_with_a_sentence(project, labels, fields, sentence):
    with pytest.raises(Unacceptable) as refused:
        publish(project, *labels, **fields)
    assert any(sentence in error["detail"] for error in refused.value.errors)


def test_labels_stand_right_after_the_one_they_are_under(project):
    chess, cup = LabelDraft("chess", "Chess", parent="games"), LabelDraft("cup", "Cups", parent="chess")
    publish(project, cup, GAMES, NEWS, chess, LabelDraft("poker", "Poker", parent="games"))
    assert publishing.in_force(project).asked_keys() == ["games", "chess", "cup", "poker", "news"]


def test_a_label_left_out_takes_those_left_out_with_it_wherever_they_stood(project):
    chess = LabelDraft("chess", "Chess", parent="games")
    publish(project, GAMES, chess, NEWS)
    publish(project, NEWS)
    assert publishing.in_force(project).asked_keys() == ["news"]
    assert in_force(project)["chess"].parent == "games"


def test_a_parent_cannot_be_left_out_while_a_label_under_it_is_in_use(project):
    chess = LabelDraft("chess", "Chess", parent="games")
    publish(project, GAMES, chess, NEWS)
    with pytest.raises(Unacceptable) as refused:
        publish(project, chess, NEWS)
    assert refused.value.errors[0]["pointer"] == "/labels/0/parent"


def test_branches_that_exclude_each_other_may_have_labels_under_them(project):
    chess = LabelDraft("chess", "Chess", parent="games")
    schema = publish(project, GAMES, chess, NEWS, exclusive_groups=(("games", "news"),))
    assert schema.exclusive_groups == [["games", "news"]]


def test_a_retired_label_holds_no_letter_even_if_the_draft_gives_it_one(project):
    publish(project, replace(GAMES, shortcut="x"), NEWS, LabelDraft("old", "Old", shortcut="x", retired=True))
    assert (in_force(project)["games"].shortcut, in_force(project)["old"].shortcut) == ("x", "")


def test_where_a_label_goes_and_how_grave_it_is_are_said_in_words():
    before = publishing.completed(Draft((GAMES, NEWS)), Draft())
    poker = LabelDraft("poker", "Poker", parent="games")
    after = publishing.completed(Draft((GAMES, replace(NEWS, parent="games", severity=3), poker)), before)
    assert label_changes.differences(before, after) == [
        "“News” goes under “Games”: from now on yes to it is yes to that as well.",
        "“News” is serious now, and was without a severity.",
        "“Poker” is added, under “Games”, on the letter p.",
    ]
    back = publishing.completed(Draft((GAMES, NEWS)), after)
    assert "“News” is under no label any more." in label_changes.differences(after, back)


def test_what_a_draft_changes_is_said_in_words():
    before = publishing.completed(Draft((GAMES, NEWS)), Draft())
    maps = LabelDraft("maps", "Maps")
    after = publishing.completed(Draft((replace(GAMES, definition="Other words"), maps), "New."), before)
    assert label_changes.differences(before, after) == [
        "“Games” has another definition: it is a new question, so earlier answers do not pool.",
        "“Maps” is added, on the letter m.",
        "“News” is retired: nobody is asked it any more, and its answers stay.",
        "The guideline has another text.",
    ]


def test_examples_are_part_of_what_a_label_asks(project):
    publish(project, replace(GAMES, examples=("a chess club", "an online casino")), NEWS)
    games = in_force(project)["games"]
    assert (games.examples, games.revision) == (["a chess club", "an online casino"], 2)
    assert publishing.draft_of(publishing.in_force(project)).labels[0].examples == ("a chess club", "an online casino")
