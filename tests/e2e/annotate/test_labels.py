"""Labels under labels, and labels that exclude each other, under a person's hands."""

import pytest
from playwright.sync_api import expect

from labeling import own_letters, publishing
from labeling.publishing import Draft, LabelDraft
from tests.e2e.annotate.screen import WORK, answers, assert_lists_every_key, ticks, words

pytestmark = pytest.mark.browser
TREE = (
    LabelDraft("games", "Games"),
    LabelDraft("cards", "Cards", parent="games"),
    LabelDraft("poker", "Poker", parent="cards"),
    LabelDraft("news", "News"),
    LabelDraft("sports", "Sports", parent="news"),
)


@pytest.fixture
def at_tree(visit, alice, project, pages):
    publishing.publish(project, Draft(TREE, exclusive_groups=(("games", "news"),)), by=None)
    visitor = visit(alice)
    visitor.open(WORK)
    return visitor


def test_a_tick_brings_those_above_it_and_takes_away_what_they_exclude(at_tree):
    at_tree.awake()
    at_tree.press("p")
    assert ticks(at_tree) == {"games": "yes", "cards": "yes", "poker": "yes"}
    assert "Cards and Games ticked too, as Poker is part of it." in words(at_tree)
    at_tree.press("s")
    assert ticks(at_tree) == {"news": "yes", "sports": "yes"}
    assert "Games and News exclude each other: Games is taken away." in words(at_tree)
    at_tree.press("n")
    assert ticks(at_tree) == {} and "Sports went with News." in words(at_tree)
    at_tree.press("Shift+P", "g", "Enter")
    at_tree.sees("Second page")
    expect(at_tree.page.locator(".row.level-2")).to_have_count(1)
    assert answers() == [{"games": "yes", "cards": "unsure", "poker": "unsure", "news": "no", "sports": "no"}]


def test_many_labels_are_found_by_typing_a_part_of_their_name(visit, alice, project, pages):
    many = [LabelDraft(f"label_{number:02}", f"Topic {number:02}") for number in range(28)]
    publishing.publish(project, Draft((*many, LabelDraft("zebra", "Zebras of the plain"))), by=None)
    visitor = visit(alice)
    visitor.open(WORK)
    visitor.awake()
    field, rows = visitor.page.locator("[data-filter]"), visitor.page.locator(".row[data-label]:visible")
    expect(field).to_be_in_viewport()
    expect(rows).to_have_count(29)
    visitor.press("/")
    expect(field).to_be_focused()
    visitor.page.keyboard.type("PLAIN")
    expect(rows).to_have_count(1)
    visitor.press("Enter")
    expect(rows).to_have_count(29)
    expect(visitor.page.locator('[name="label.zebra"][value="no"]')).to_be_focused()
    visitor.press("ArrowLeft", "ArrowLeft")
    assert ticks(visitor) == {"zebra": "yes"}
    visitor.press("Enter")
    visitor.sees("Second page")


def test_a_person_answers_with_their_own_letters(visit, alice, project, pages):
    own_letters.choose(project, by=alice, wanted={"games": "n", "news": "g"})
    visitor = visit(alice)
    visitor.open(WORK)
    visitor.awake()
    visitor.press("n", "Shift+G")
    assert ticks(visitor) == {"games": "yes", "news": "unsure"}
    visitor.press("?")
    assert_lists_every_key(visitor)
    listed = dict(
        zip(
            visitor.page.locator("#keys dt").all_inner_texts(),
            visitor.page.locator("#keys dd").all_inner_texts(),
            strict=True,
        )
    )
    assert (listed["N"].strip(), listed["G"].strip()) == ("Games", "News")
    visitor.press("Escape")
