"""Fifty pages judged by keyboard alone, as somebody does in a morning: one key a label, one to submit, nothing else."""

from collections import Counter

import pytest
from playwright.sync_api import Request, expect

from labeling import slots
from labeling.models import Draft, Judgment, Selection, Skip
from tests.e2e.annotate.screen import WORK, note, saved, ticks
from tests.factories import make_item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

N_PAGES = 52  # two are skipped
SKIPPED = {7, 31}
NOTED, TAKEN_BACK, UNDONE = 11, 20, 30
# What is pressed in turn, and what is recorded of it; Enter comes after.
WAYS = (
    (("g",), {"games": "yes"}),
    (("n", "Shift+S"), {"news": "yes", "self_harm": "unsure"}),
    (("0",), {}),
    (("Shift+G",), {"games": "unsure"}),
    (("g", "n", "s"), {"games": "yes", "news": "yes", "self_harm": "yes"}),
)
ALL_NO = {"games": "no", "news": "no", "self_harm": "no"}


@pytest.fixture
def many_pages(project):
    for number in range(N_PAGES):
        item = make_item(project, title=f"Page {number}", text="Words of the page.")
        selection = Selection.objects.create(item=item, stream="import")
        slots.open_up(project, [selection], overlap=1, priority=N_PAGES - number)


def kind_of(request: Request) -> str:
    if request.is_navigation_request():
        return "navigation"
    return request.url.rstrip("/").rsplit("/", 1)[-1]


def test_fifty_pages_are_judged_by_keyboard_alone(visit, alice, project, many_pages):
    visitor = visit(alice)
    page = visitor.open(WORK)
    asked: Counter[str] = Counter()
    page.on("request", lambda request: "/static/" in request.url or asked.update([kind_of(request)]))
    expected = {}
    for number in range(N_PAGES):
        expect(page.locator("#page-title .words")).to_have_text(f"Page {number}")
        assert ticks(visitor) == {}
        visitor.awake()
        if number in SKIPPED:
            visitor.press("5")
            continue
        keys, said = WAYS[number % len(WAYS)]
        visitor.press(*keys)
        if number == NOTED:
            visitor.press("4")
            expect(note(visitor)).to_be_focused()
            page.keyboard.type("a game, or news of one?")
            visitor.press("Escape")
        if number == TAKEN_BACK:  # a slip of the hand: the same letter takes it back
            visitor.press("n", "n")
        assert ticks(visitor) == said
        if number % 10 == 0:  # whoever is faster than the line submits before the draft is sent
            expect(saved(visitor)).to_be_visible()
        visitor.press("Enter")
        expected[f"Page {number}"] = ALL_NO | said
        if number == UNDONE:
            expect(page.locator("#page-title .words")).to_have_text(f"Page {number + 1}")
            undo_the_last(visitor, f"Page {number}")
            expected[f"Page {number}"] = ALL_NO | {"news": "unsure"}
    visitor.sees("Nothing left for you")

    judged = Judgment.objects.current().select_related("item__snapshot")
    assert {judgment.item.snapshot.title: judgment.verdicts for judgment in judged} == expected
    assert [judgment.note for judgment in judged if judgment.note] == ["a game, or news of one?"]
    assert Skip.objects.filter(annotator=alice).count() == len(SKIPPED)
    assert not Draft.objects.exists()
    # Every next page came in the answer to the last: one request a judgment, and whole pages only for the undoing.
    assert asked.pop("draft") >= N_PAGES / 10
    navigations = asked.pop("navigation")
    assert navigations <= 6
    assert asked == {"submit": len(expected), "skip": len(SKIPPED)}


def undo_the_last(visitor, title: str) -> None:
    """Back to the answer given a moment ago, another one in its place, and on with the page that was waiting."""
    visitor.awake()
    visitor.press("6")
    expect(visitor.page.locator("#page-title .words")).to_have_text(title)
    visitor.page.wait_for_load_state()
    visitor.awake()
    visitor.press(*WAYS[UNDONE % len(WAYS)][0])  # the same letter again: no
    visitor.press("Shift+N", "Enter")
    expect(visitor.page.locator("#page-title .words")).not_to_have_text(title)
    visitor.page.wait_for_load_state()
