"""Labels under labels, and labels that exclude each other, under a person's hands."""

import pytest
from playwright.sync_api import expect

from labeling import publishing
from labeling.publishing import Draft, LabelDraft
from tests.e2e.annotate.screen import WORK, answers, ticks, words

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
