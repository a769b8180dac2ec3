import numpy as np
import pytest

from labeling.quality.overlap import Policy
from labeling.quality.overlap_forecast import Pilot, forecast
from labeling.quality.skills import Evidence, skills

NEWS_AND_SELF_HARM = Policy.for_severities([1, 4])  # stop below .3 and .1
RATERS = skills(Evidence(*(np.full((4, 2), n) for n in (1000.0, 850.0, 5000.0, 4750.0))))


def pilot(*, n_items=3000, seed=1):
    """After two judgments by these raters, of labels that a fifth and a twentieth of the items carry."""
    rng, prior, weights = np.random.default_rng(seed), np.array([0.2, 0.05]), RATERS.weights()
    truth = rng.random((n_items, 2)) < prior
    said = rng.random((2, n_items, 2)) < np.where(truth, RATERS.sensitivity[0], 1 - RATERS.specificity[0])
    odds = np.log(prior / (1 - prior)) + np.where(said, weights.yes[0], weights.no[0]).sum(axis=0)
    return Pilot(odds, said.any(axis=0), (~said).any(axis=0), RATERS)


def told(found=None, policy=NEWS_AND_SELF_HARM, *, seed=2, **options):
    return forecast(found or pilot(), policy, rng=np.random.default_rng(seed), **options)


def test_a_pilot_that_is_clear_costs_what_every_item_gets():
    found = told(Pilot(np.full((50, 2), -9.0), *2 * [np.zeros((50, 2), dtype=bool)], RATERS))
    assert (found.judgments.value, found.adjudicated.value) == (2, 0)
    assert found.label_errors == pytest.approx([0.011, 0.011], abs=1e-3)
    assert found.wrong.value == pytest.approx(found.label_errors.sum())


def test_a_stricter_stop_costs_more_and_errs_less():
    loose, strict = (told(policy=Policy(np.full(2, tau), np.ones(2))) for tau in (0.3, 0.1))
    assert loose.judgments.high < strict.judgments.low
    assert (loose.label_errors > strict.label_errors).all()


def test_more_judgments_leave_less_to_adjudicate():
    short, long = (told(policy=Policy.for_severities([1, 4], most=most)) for most in (2, 6))
    assert short.judgments.value == 2
    assert short.adjudicated.low > long.adjudicated.high


def test_a_budget_is_not_exceeded_and_nearly_spent():
    free = told()
    for budget in (2.0, 2.05, 2.2):
        found = told(budget=budget)
        assert found.judgments.value <= budget < free.judgments.value
        assert found.judgments.value > budget - 0.01
    assert told(budget=1.0).judgments.value == 2  # the first judgments are given whatever the budget
    assert told(budget=19.0).judgments.value == free.judgments.value


def test_every_yes_on_a_confirmed_label_goes_to_a_person_and_to_nobody_else():
    plain = told()
    found = told(confirm_yes=np.array([False, True]))
    said = pilot().said_yes[:, 1]
    assert found.is_adjudicated[said].all()
    assert (found.n_judgments[said] == 2).all()
    assert (found.error[said] == 0).all()
    assert found.judgments.value < plain.judgments.value


def test_a_person_decides_what_people_differ_on_where_that_is_wanted():
    plain, found = told(), told(decides_splits=True)
    split = (pilot().said_yes & pilot().said_no).any(axis=1)
    assert found.is_adjudicated[split].all()
    assert (found.n_judgments == plain.n_judgments).all()
    assert found.adjudicated.value > plain.adjudicated.value


def test_the_forecast_of_a_seed_is_always_the_same():
    assert told(seed=3).judgments == told(seed=3).judgments


def test_what_is_forecast_is_what_comes():
    """Played with other raters' answers of the same skills, a policy costs what was said, within the interval."""
    found, other = told(seed=4), told(pilot(seed=9), seed=5)
    assert other.judgments.low < found.judgments.value < other.judgments.high
    assert other.adjudicated.low < found.adjudicated.value < other.adjudicated.high


def test_shapes_that_make_no_sense_are_refused():
    nothing = np.zeros((0, 2))
    with pytest.raises(ValueError, match="pilot"):
        Pilot(nothing, *2 * [nothing.astype(bool)], RATERS)
    with pytest.raises(ValueError, match="answers"):
        Pilot(np.zeros((3, 2)), *2 * [np.zeros((2, 2), dtype=bool)], RATERS)
    with pytest.raises(ValueError, match="different labels"):
        Pilot(np.zeros((3, 1)), *2 * [np.zeros((3, 1), dtype=bool)], RATERS)
    with pytest.raises(ValueError, match="labels"):
        told(policy=Policy(np.array([0.3]), np.ones(1)))
