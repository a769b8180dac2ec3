"""The usual rater of a label comes back from how often all, some and none of a page's answers say yes."""

import numpy as np
import pytest

from labeling.quality.cells import Cells
from labeling.quality.usual import usual_rater


def drawn(rng, *, n_items=20_000, n=3, share=0.1, sensitivity=0.8, specificity=0.97) -> Cells:
    truth = rng.random(n_items) < share
    k = rng.binomial(n, np.where(truth, sensitivity, 1 - specificity))
    return Cells.from_rows([(n, int(yes), int((k == yes).sum())) for yes in range(n + 1)])


def test_three_answers_a_page_tell_how_good_the_usual_rater_is():
    found = usual_rater(drawn(np.random.default_rng(3)))
    assert found.share == pytest.approx(0.1, abs=0.01)
    assert (found.sensitivity, found.specificity) == pytest.approx((0.8, 0.97), abs=0.02)


def test_more_yes_make_yes_likelier_and_no_answer_leaves_the_share():
    found = usual_rater(drawn(np.random.default_rng(3)))
    p = found.p_yes(np.array([0, 2, 2, 2]), np.array([0, 0, 1, 2]))
    assert p[0] == pytest.approx(found.share) and p[1] < p[0] < p[2] < p[3]


def test_nobody_has_answered_anything_twice():
    found = usual_rater(Cells.from_rows([]))
    assert (found.sensitivity, found.specificity) == pytest.approx((0.75, 0.95)) and found.share == 0.5


def test_pages_answered_once_tell_how_often_a_label_holds_where_there_are_no_others():
    found = usual_rater(Cells.from_rows([(1, 0, 95), (1, 1, 4)]))
    assert found.share == pytest.approx(0.045) and found.sensitivity == pytest.approx(0.75)
