"""Back through one's last answers with the keyboard alone, and on with the page that was left."""

import pytest
from playwright.sync_api import expect

from labeling.models import Judgment
from tests.e2e.annotate.screen import answers, saved, ticks

SPENT = """() => Object.entries(sessionStorage)
    .filter(([name]) => name.startsWith("touchstone.spent.")).map(([, seconds]) => Number(seconds))"""
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def step(visitor, key, title):
    visitor.press(key)
    visitor.sees(title)
    visitor.awake()


def test_an_earlier_answer_is_mended_and_the_page_at_hand_goes_on_by_keys_alone(at_work, project, alice):
    at_work.press("g", "Enter")
    at_work.sees("Second page")
    at_work.awake()
    at_work.press("n")
    expect(saved(at_work)).to_be_visible()
    at_work.page.wait_for_timeout(1_500)  # a second of the clock that counts
    step(at_work, "6", "First page")
    assert ticks(at_work) == {"games": "yes"}
    [spent] = at_work.page.evaluate(SPENT)
    step(at_work, "5", "Second page")
    assert ticks(at_work) == {"news": "yes"}
    step(at_work, "6", "First page")
    at_work.press("g", "s", "Enter")
    at_work.sees("Second page")
    at_work.awake()
    expect(at_work.page.get_by_role("status").filter(has_text="Your corrected answer is saved.")).to_be_visible()
    assert ticks(at_work) == {"news": "yes"}
    at_work.press("Enter")
    at_work.sees("Nothing left for you")
    assert [said["self_harm"] for said in answers()] == ["no", "yes", "no"]
    assert Judgment.objects.current().count() == 2
    assert 1 < spent <= Judgment.objects.get(snapshot__title="Second page").active_seconds + 0.1  # sent in tenths
