"""What opening the annotate page costs a browser that has nothing of it yet."""

import pytest

from benchmarks import page_weight

pytestmark = [pytest.mark.browser, pytest.mark.django_db]


def test_a_cold_browser_opens_the_page_with_few_requests_and_little_on_the_wire(browser):
    """Thirty labels, each explained in full, beside a long text."""
    figures = list(page_weight.weigh(browser, page_weight.prepare()))
    print(figures)
    assert [figure for figure in figures if figure.is_reached is False] == []
