"""What can be read off the annotate page, and what a person does with it."""

from playwright.sync_api import Locator, expect

from labeling.models import Judgment
from tests.e2e.visitor import Visitor

WORK = "/p/keys/annotate/"
PASSWORD = "correct horse battery"


def ticks(visitor: Visitor) -> dict[str, str]:
    checked = visitor.page.locator(".row[data-label] input:checked")
    return {box["name"].removeprefix("label."): box["value"] for box in checked.evaluate_all(
        "boxes => boxes.map(({name, value}) => ({name, value}))") if box["value"] != "no"}  # fmt: skip


def words(visitor: Visitor) -> str:
    return visitor.page.locator("[data-answer] .say").inner_text()


def bar(visitor: Visitor) -> Locator:
    """The bar that says what was not saved."""
    return visitor.page.locator(".stay.refused:not([hidden])")


def question(visitor: Visitor) -> Locator:
    """The bar that asks whether the person is still there."""
    return visitor.page.locator(".stay.ask:not([hidden])")


def note(visitor: Visitor) -> Locator:
    return visitor.page.locator("[name=note]")


def saved(visitor: Visitor) -> Locator:
    return visitor.page.locator("[data-draft]")


def write_note(visitor: Visitor, text: str) -> None:
    visitor.press("4")
    expect(note(visitor)).to_be_focused()
    visitor.page.keyboard.type(text)
    visitor.press("Escape")


def hold_the_clock(visitor: Visitor) -> None:
    """Nothing is tried again by itself: on a busy machine the count of 5 seconds is over before the next key."""
    clock = visitor.page.clock
    clock.install()
    visitor.open(WORK)
    clock.pause_at(visitor.page.evaluate("Date.now() + 1000"))


def try_now(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Try now").click()


def answers() -> list[dict[str, str]]:
    return [judgment.verdicts for judgment in Judgment.objects.order_by("id")]


def assert_lists_every_key(visitor: Visitor) -> None:
    """The open sheet of keys names what the page's controls announce to a screen reader, and nothing else."""
    announced = visitor.page.locator("[aria-keyshortcuts]:not([hidden])").evaluate_all(
        "all => all.map((each) => each.getAttribute('aria-keyshortcuts'))"
    )
    listed = visitor.page.locator("#keys dt").evaluate_all("all => all.map((each) => each.textContent.trim())")
    plain = {key for key in announced if not key.startswith("Shift+")}
    assert {*listed} == plain | {"Esc"} | ({"Shift letter"} if plain != {*announced} else set())
    assert len(listed) == len({*listed})
    assert all(visitor.page.locator("#keys dd").evaluate_all("all => all.map((each) => each.textContent.trim())"))
