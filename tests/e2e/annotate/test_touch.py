"""Judging with a thumb: a phone of 390 px, no keyboard, a pointer as coarse as a finger."""

import pytest
from playwright.sync_api import expect

from tests.e2e.annotate.screen import WORK, answers, saved, ticks

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
FINGER = 44  # CSS px, WCAG 2.5.5
# What a finger of that size, set down anywhere around the middle of a control, would miss. A label counts as its input;
# links inside a sentence are as small as the sentence (the exception of the criterion).
MISSED = """(finger) => {
  const missed = [];
  const pressable = "a[href], button, input:not([type=hidden]), summary, textarea, select";
  for (const each of document.querySelectorAll(pressable)) {
    if (!each.checkVisibility({visibilityProperty: true})) continue;
    if (each.closest(".skiplink, .find.short, p, li[data-sentence], [aria-hidden=true]")) continue;
    each.scrollIntoView({block: "center"});
    const box = (each.closest("label") ?? each).getBoundingClientRect();
    const [x, y, reach] = [box.x + box.width / 2, box.y + box.height / 2, finger / 2 - 1];
    const hits = [[-reach, 0], [reach, 0], [0, -reach], [0, reach]].filter(([right, down]) => {
      const found = document.elementFromPoint(x + right, y + down);
      return found && (each.contains(found) || found.closest("label")?.control === each);
    });
    if (hits.length < 4) missed.push(`${each.outerHTML.slice(0, 100)} is ${box.width} x ${box.height}, hit ${hits}`);
  }
  return missed;
}"""


@pytest.fixture
def on_the_phone(visit, alice, project, pages):
    project.ask_confidence = True
    project.save()
    visitor = visit(alice, **PHONE)
    visitor.open(WORK)
    return visitor


def test_a_thumb_judges_page_after_page(on_the_phone):
    page = on_the_phone.page
    page.get_by_label("Games: yes").tap()
    page.get_by_label("News: unsure").tap()
    page.get_by_text("High").tap()
    assert ticks(on_the_phone) == {"games": "yes", "news": "unsure"}
    expect(saved(on_the_phone)).to_be_visible()
    page.get_by_role("button", name="Submit and next").tap()
    on_the_phone.sees("Second page")
    assert page.evaluate("scrollY") == 0
    page.get_by_label("None of these topics").tap()
    page.get_by_text("Low").tap()
    page.get_by_role("button", name="Submit and next").tap()
    expect(page.locator("#assignment h1")).not_to_contain_text("Second page")
    assert answers() == [
        {"games": "yes", "news": "unsure", "self_harm": "no"},
        {"games": "no", "news": "no", "self_harm": "no"},
    ]


def test_everything_to_press_is_as_big_as_a_finger(on_the_phone):
    on_the_phone.page.get_by_text("Note", exact=False).first.tap()
    on_the_phone.page.get_by_text("Skip and say why").tap()
    on_the_phone.page.get_by_text("Tell a manager").tap()
    assert "\n".join(on_the_phone.page.evaluate(MISSED, FINGER)) == ""
    for path in ("/p/keys/mine/", "/accounts/preferences/"):
        on_the_phone.open(path)
        assert "\n".join(on_the_phone.page.evaluate(MISSED, FINGER)) == ""


def test_submit_stays_in_reach_of_the_thumb_and_nothing_scrolls_sideways(on_the_phone, project):
    """While a label is in sight the button is, too: at the bottom edge, until the form itself ends above it."""
    page = on_the_phone.page
    rows, button = page.locator(".answer .row[data-label]"), page.get_by_role("button", name="Submit and next")
    for row in rows.all():
        for block in ("start", "center", "end"):
            row.evaluate("(row, block) => row.scrollIntoView({block})", block)
            box, form = button.bounding_box(), page.locator(".answer").bounding_box()
            assert box and form and 0 <= box["y"] and box["y"] + box["height"] <= 844
            assert box["y"] > 844 * 2 / 3 or form["y"] + form["height"] <= 844
    assert not on_the_phone.is_too_wide()
