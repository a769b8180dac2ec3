import numpy as np
import pytest

from labeling.quality.overlap import Collected, Policy, Reason, Step, most_worthwhile, plan

NEWS_AND_SELF_HARM = Policy.for_severities([1, 4])  # stop below .3 and .1


def collected(p, *, n=2, yes=None, answers=None, known=True, audit=None):
    """One item a row of p; n judgments each, everybody answered, votes as the probabilities say."""
    p = np.array(p, dtype=float)
    n = np.broadcast_to(n, len(p)).astype(int)
    answers = np.repeat(n[:, None], p.shape[1], axis=1) if answers is None else np.array(answers)
    yes = np.where(p > 0.5, answers, 0) if yes is None else np.array(yes)
    return Collected(p, n, answers, yes, np.full(len(p), known), audit)


def told(found, item=0):
    return Step(found.step[item]), Reason(found.reason[item]), int(found.label[item])


def test_an_item_with_one_judgment_gets_its_second():
    assert told(plan(collected([[0.01, 0.01]], n=1), NEWS_AND_SELF_HARM)) == (Step.ONE_MORE, Reason.TOO_FEW, -1)


def test_an_item_that_is_clear_on_every_label_is_settled():
    assert told(plan(collected([[0.8, 0.05]]), NEWS_AND_SELF_HARM)) == (Step.SETTLED, Reason.CLEAR, -1)


def test_a_grave_label_wants_to_be_surer():
    """.15 likely to be wrong settles news and leaves self-harm open."""
    found = plan(collected([[0.15, 0.05], [0.05, 0.15]]), NEWS_AND_SELF_HARM)
    assert told(found, 0)[0] == Step.SETTLED
    assert told(found, 1) == (Step.ONE_MORE, Reason.LIKELY_WRONG, 1)


def test_the_label_that_is_named_is_the_one_that_weighs_most():
    assert told(plan(collected([[0.45, 0.3]]), NEWS_AND_SELF_HARM))[2] == 1


def test_an_item_that_stays_open_after_the_most_judgments_goes_to_a_person():
    assert told(plan(collected([[0.4, 0.01]], n=5), NEWS_AND_SELF_HARM)) == (Step.ADJUDICATE, Reason.LIKELY_WRONG, 0)


def test_while_nobody_is_known_votes_decide():
    """The probabilities of unknown raters would settle the first item and leave the second open."""
    seen = collected([[0.05, 0.01], [0.35, 0.01]], yes=[[1, 0], [0, 0]], known=False)
    found = plan(seen, NEWS_AND_SELF_HARM)
    assert told(found, 0) == (Step.ONE_MORE, Reason.VOTES_DIFFER, 0)
    assert told(found, 1) == (Step.SETTLED, Reason.UNANIMOUS, -1)


def test_with_three_judgments_probabilities_decide_even_about_unknown_raters():
    seen = collected([[0.05, 0.01]], n=3, yes=[[1, 0]], known=False)
    assert told(plan(seen, NEWS_AND_SELF_HARM))[0] == Step.SETTLED


def test_a_tie_is_never_broken_by_chance():
    """Two judgments at most and one yes: nobody more to ask, so a person decides."""
    two = Policy.for_severities([1, 4], most=2)
    assert told(plan(collected([[0.5, 0.01]], yes=[[1, 0]], known=False), two))[0] == Step.ADJUDICATE


def test_a_label_everybody_was_unsure_of_is_open_whatever_the_prior_says():
    seen = collected([[0.01, 0.01]], answers=[[2, 0]])
    assert told(plan(seen, NEWS_AND_SELF_HARM)) == (Step.ONE_MORE, Reason.NOBODY_KNEW, 1)


def test_every_yes_on_a_rare_label_goes_to_a_person():
    confirm = np.array([False, True])
    found = plan(collected([[0.9, 0.02], [0.9, 0.02]], yes=[[2, 1], [2, 0]]), NEWS_AND_SELF_HARM, confirm_yes=confirm)
    assert told(found, 0) == (Step.ADJUDICATE, Reason.RARE_YES, 1)
    assert told(found, 1)[0] == Step.SETTLED


def test_a_settled_item_drawn_for_audit_gets_one_more():
    found = plan(collected([[0.01, 0.01], [0.01, 0.01]], audit=np.array([True, False])), NEWS_AND_SELF_HARM)
    assert told(found, 0) == (Step.ONE_MORE, Reason.AUDIT, -1)
    assert told(found, 1)[0] == Step.SETTLED


def test_judgments_go_to_unfinished_starts_and_then_to_the_largest_harm():
    seen = collected([[0.4, 0.01], [0.01, 0.4], [0.01, 0.01], [0.01, 0.01]], n=[2, 2, 1, 2])
    found = plan(seen, NEWS_AND_SELF_HARM)
    assert list(most_worthwhile(found, 5)) == [2, 1, 0]
    assert list(most_worthwhile(found, 2)) == [2, 1]


def test_no_item_needs_no_plan():
    found = plan(collected(np.zeros((0, 2))), NEWS_AND_SELF_HARM)
    assert found.step.shape == found.harm.shape == (0,)
    assert most_worthwhile(found, 3).size == 0


def test_settings_and_shapes_that_make_no_sense_are_refused():
    one = np.array([0.3])
    with pytest.raises(ValueError, match="start"):
        Policy(one, one, start=3, most=2)
    with pytest.raises(ValueError, match="thresholds"):
        Policy(np.array([0.6]), one)
    with pytest.raises(ValueError, match="severity"):
        Policy(one, np.ones(2))
    with pytest.raises(ValueError, match="labels"):
        plan(collected([[0.1]]), NEWS_AND_SELF_HARM)
    with pytest.raises(ValueError, match="counts"):
        collected([[0.1, 0.1]], yes=[[0]])
