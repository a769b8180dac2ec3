"""Skills and consensus fitted together. crowd-kit is no dependency: a plain EM written here is the second opinion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.quality.agreement import NO_ANSWER, NO_PAIR
from labeling.quality.dawid_skene import Votes, fit, without_own
from labeling.quality.skills import Evidence, skills

from .published import anaesthetists, homepages

HARDLY_ANY = 1e-9  # pseudo-counts: as good as the model of 1979


def long_em(items, raters, classes, *, n_classes, prior_worth=0.0, steps=2000):
    """Dawid & Skene's own EM, equations 2.3 to 2.5 and the start 3.1, for any number of classes, without smoothing."""
    counts = np.zeros((items.max() + 1, raters.max() + 1, n_classes))
    np.add.at(counts, (items, raters, classes), 1)
    share = counts.sum(axis=1) / counts.sum(axis=(1, 2))[:, None]
    for _ in range(steps):
        prior = (share.sum(axis=0) + prior_worth / n_classes) / (len(share) + prior_worth)
        errors = np.einsum("ij,ikl->kjl", share, counts)
        errors /= errors.sum(axis=2, keepdims=True)
        likelihood = prior * np.prod(errors[None] ** counts[:, :, None, :], axis=(1, 3))
        before, share = share, likelihood / likelihood.sum(axis=1, keepdims=True)
        if np.abs(share - before).max() < 1e-12:
            break
    return prior, errors, share


def simulated(rng, *, n_items=400, n_raters=8, each=3, prevalence=(0.3, 0.1), sensitivity=0.8, specificity=0.95):
    """Items, raters, verdicts, truth: raters who err independently, each item judged by `each` different ones."""
    truth = rng.random((n_items, len(prevalence))) < prevalence
    raters = np.argsort(rng.random((n_items, n_raters)), axis=1)[:, :each].ravel()
    items = np.repeat(np.arange(n_items), each)
    p_yes = np.where(truth[items], np.broadcast_to(sensitivity, (n_raters, 1))[raters], 1 - specificity)
    return items, raters, (rng.random(p_yes.shape) < p_yes).astype(np.int8), truth


def votes_of(items, raters, verdicts, *, n_items=None, n_raters=None):
    n_items = items.max() + 1 if n_items is None else n_items
    return Votes.of(
        items, raters, verdicts, n_items=n_items, n_raters=raters.max() + 1 if n_raters is None else n_raters
    )


# --- published values


def test_the_reference_used_here_gives_what_dawid_and_skene_published():
    """Dawid & Skene (1979), section 4: prevalences .40 .42 .11 .07, and the error rates of observer 1 in table 2."""
    items, raters, grades = anaesthetists()
    prior, errors, _ = long_em(items, raters, grades - 1, n_classes=4)
    assert prior == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=5e-3)
    observer_1 = [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]]
    assert errors[0] == pytest.approx(np.array(observer_1), abs=6e-3)


@pytest.mark.parametrize("worst_is_yes", [2, 3])
def test_two_classes_of_the_anaesthetists_equal_the_reference(worst_is_yes):
    """Fit for anaesthesia or not, parted at grade 2 and at grade 3: no published values, the same EM in long form."""
    items, raters, grades = anaesthetists()
    yes = (grades >= worst_is_yes).astype(int)
    _, errors, share = long_em(items, raters, yes, n_classes=2, prior_worth=1.0)
    found = fit(votes_of(items, raters, yes[:, None]), pseudo_counts=HARDLY_ANY, tolerance=1e-13, most_steps=5000)
    assert found.p(1.0)[:, 0] == pytest.approx(share[:, 1], abs=1e-6)
    assert found.skills.sensitivity[:, 0] == pytest.approx(errors[:, 1, 1], abs=1e-6)
    assert found.skills.specificity[:, 0] == pytest.approx(errors[:, 0, 0], abs=1e-6)


# --- what it learns


def test_all_labels_at_once_equal_each_label_alone():
    items, raters, verdicts, _ = simulated(np.random.default_rng(1))
    together = fit(votes_of(items, raters, verdicts), tolerance=1e-9)
    for label in range(2):
        alone = fit(votes_of(items, raters, verdicts[:, [label]]), tolerance=1e-9)
        assert together.log_odds[:, label] == pytest.approx(alone.log_odds[:, 0], abs=1e-5)


def test_a_rater_who_finds_half_of_what_is_there_is_found_out():
    rng = np.random.default_rng(2)
    able = np.array([[0.95]] * 7 + [[0.4]])
    items, raters, verdicts, _ = simulated(rng, n_items=1500, each=4, prevalence=(0.4,), sensitivity=able)
    found = fit(votes_of(items, raters, verdicts)).skills.sensitivity[:, 0]
    assert found.argmin() == 7
    assert found[7] == pytest.approx(0.4, abs=0.08)


def test_missed_labels_are_found_where_a_majority_loses_them():
    """Low sensitivity, high specificity: one yes of three is more likely right than wrong."""
    items, raters, verdicts, truth = simulated(
        np.random.default_rng(3), n_items=2000, prevalence=(0.2,), sensitivity=0.5, specificity=0.99
    )
    votes = votes_of(items, raters, verdicts)
    said_yes = fit(votes).p()[:, 0] > 0.5
    majority = votes.n_yes[:, 0] >= 2
    assert said_yes[truth[:, 0]].mean() > majority[truth[:, 0]].mean() + 0.15


def test_looser_and_tighter_stops_come_to_the_same_verdicts():
    items, raters, verdicts, _ = simulated(np.random.default_rng(4), n_items=300)
    votes = votes_of(items, raters, verdicts)
    loose, tight = fit(votes, tolerance=0.01), fit(votes, tolerance=0.0001)
    assert loose.has_converged
    assert loose.n_steps < tight.n_steps
    assert ((loose.log_odds > 0) == (tight.log_odds > 0)).mean() > 0.995


def test_a_fit_that_ran_out_of_steps_says_so():
    items, raters, verdicts, _ = simulated(np.random.default_rng(4))
    assert not fit(votes_of(items, raters, verdicts), most_steps=2).has_converged


# --- traps


def test_yes_and_no_never_change_places():
    """Every rater says yes to most of what is not there: the average rater is worse than chance if nothing holds it."""
    rng = np.random.default_rng(5)
    for share in (0.5, 0.8, 0.95):
        verdicts = (rng.random((600, 1)) < share).astype(int)
        items, raters = np.repeat(np.arange(200), 3), np.tile(np.arange(3), 200)
        found = fit(votes_of(items, raters, verdicts)).skills
        assert found.usual_sensitivity + found.usual_specificity > 1
    turned = Evidence(*(np.array([[float(n)]]) for n in (100, 1, 100, 1)))  # says no to every yes, yes to every no
    held = skills(turned)
    assert held.usual_sensitivity + held.usual_specificity > 1


def test_more_yes_never_make_yes_less_likely():
    items, raters, verdicts, _ = simulated(np.random.default_rng(6), n_items=100)
    votes = votes_of(items, raters, verdicts)
    found, k = fit(votes), votes.n_yes
    for label in range(2):
        means = [found.log_odds[(k[:, label] == ticks), label].mean() for ticks in np.unique(k[:, label])]
        assert means == sorted(means)


def test_somebody_who_never_missed_in_three_answers_has_no_veto():
    """Without smoothing the rater's no would make any yes impossible (observer 1 never took a 1 for a 4)."""
    perfect = Evidence(*(np.array([[float(n)]]) for n in (3, 3, 3, 3)))
    weights = skills(perfect).weights()
    assert -4 < weights.no[0, 0] < 0 < weights.yes[0, 0] < 6
    with pytest.raises(ValueError, match="veto"):
        skills(perfect, pseudo_counts=0)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(-1, 1), st.integers(-1, 1)), max_size=12),
    st.sampled_from([HARDLY_ANY, 0.1, 5.0]),
)
def test_nothing_is_ever_nan_or_certain(rows, pseudo_counts):
    columns = np.array(rows, dtype=int).reshape(-1, 4)
    found = fit(
        Votes.of(columns[:, 0], columns[:, 1], columns[:, 2:], n_items=4, n_raters=3), pseudo_counts=pseudo_counts
    )
    assert np.isfinite(found.log_odds).all()
    for share in (found.p(), found.prior, found.skills.sensitivity, found.skills.specificity):
        assert ((share > 0) & (share < 1)).all()
    counts = found.evidence
    assert (counts.yes_on_yes <= counts.on_yes + 1e-9).all() and (counts.no_on_no <= counts.on_no).all()


# --- partial answers, labels without answers


def test_an_unsure_label_is_as_if_that_label_had_not_been_asked():
    items, raters, verdicts, _ = simulated(np.random.default_rng(7), n_items=80)
    partial = verdicts.copy()
    partial[::5, 0] = -1
    asked = partial[:, 0] >= 0
    found = fit(votes_of(items, raters, partial), tolerance=1e-9)
    alone = fit(votes_of(items[asked], raters[asked], verdicts[asked][:, [0]], n_items=80, n_raters=8), tolerance=1e-9)
    assert found.log_odds[:, 0] == pytest.approx(alone.log_odds[:, 0], abs=1e-6)
    assert fit(votes_of(items, raters, verdicts)).n_answers[:, 1] == pytest.approx(found.n_answers[:, 1])


def test_an_item_nobody_answered_stands_at_the_prior_with_no_answers():
    verdicts = np.array([[1], [1], [0], [0], [-1], [-1]])
    found = fit(votes_of(np.repeat([0, 1, 2], 2), np.tile([0, 1], 3), verdicts), prior=np.array([0.2]))
    assert found.p(1.0)[2, 0] == pytest.approx(0.2)
    assert found.n_answers[2, 0] == 0


def test_a_label_without_answers_and_one_without_a_pair_say_so():
    verdicts = np.array([[1, -1, 0], [0, -1, -1]])
    found = fit(votes_of(np.array([0, 0]), np.array([0, 1]), verdicts))
    assert found.unlearned == (None, NO_ANSWER, NO_PAIR)


def test_without_any_judgment_there_is_still_an_answer():
    nothing = np.zeros(0, dtype=int)
    found = fit(Votes.of(nothing, nothing, np.zeros((0, 2), dtype=int), n_items=0, n_raters=0))
    assert found.log_odds.shape == (0, 2)
    assert found.has_converged and found.unlearned == (NO_ANSWER, NO_ANSWER)


# --- history and prior


def test_a_declared_prior_is_held():
    items, raters, verdicts, _ = simulated(np.random.default_rng(8), n_items=60)
    declared = np.array([0.01, 0.02])
    assert fit(votes_of(items, raters, verdicts), prior=declared).prior == pytest.approx(declared)


def test_history_tells_apart_two_raters_who_contradict_each_other():
    """Ten items, two raters, no agreement: nothing in the votes says who is right; the history does."""
    items, raters = np.repeat(np.arange(10), 2), np.tile([0, 1], 10)
    verdicts = np.tile([1, 0], 10)[:, None]
    good, bad = (95, 100), (55, 100)
    past = Evidence(*(np.array([[a], [b]], dtype=float) for a, b in zip(
        (good[1], good[0], good[1], good[0]), (bad[1], bad[0], bad[1], bad[0]), strict=True)))  # fmt: skip
    votes, half = votes_of(items, raters, verdicts), np.array([0.5])
    assert fit(votes, history=past, prior=half).p().min() > 0.6
    turned = Evidence(*(part[::-1] for part in (past.on_yes, past.yes_on_yes, past.on_no, past.no_on_no)))
    assert fit(votes, history=turned, prior=half).p().max() < 0.4


def test_gold_is_evidence_in_whole_numbers():
    votes = votes_of(np.array([0, 1, 2]), np.array([0, 0, 0]), np.array([[1], [0], [1]]))
    found = votes.evidence(np.array([[1.0], [1.0], [0.0]]))
    parts = (found.on_yes, found.yes_on_yes, found.on_no, found.no_on_no)
    assert [part[0, 0] for part in parts] == [2, 1, 1, 0]


def test_evidence_of_two_halves_is_evidence_of_the_whole():
    items, raters, verdicts, truth = simulated(np.random.default_rng(9), n_items=40)
    verdicts[::4, 1] = -1
    whole = votes_of(items, raters, verdicts, n_raters=8).evidence(truth.astype(float))
    early = items < 20
    halves = [
        votes_of(items[half], raters[half], verdicts[half], n_items=40, n_raters=8).evidence(truth.astype(float))
        for half in (early, ~early)
    ]
    added = halves[0] + halves[1]
    for name in ("on_yes", "yes_on_yes", "on_no", "no_on_no"):
        assert getattr(added, name) == pytest.approx(getattr(whole, name))
    assert added.n_answers.sum() == (verdicts >= 0).sum()


# --- without one's own vote


def test_without_ones_own_vote_only_the_others_speak():
    """The same as leaving the judgment out and keeping everybody's skills."""
    items, raters, verdicts, _ = simulated(np.random.default_rng(10), n_items=30)
    verdicts[4] = [-1, 1]
    votes = votes_of(items, raters, verdicts)
    found = fit(votes)
    others = without_own(found.log_odds, items, raters, verdicts, found.skills.weights())
    for judgment in (0, 4, 17):
        left = np.arange(items.size) != judgment
        rest = votes_of(items[left], raters[left], verdicts[left], n_items=30, n_raters=8)
        expected = rest.log_odds(found.skills.weights(), found.prior)[items[judgment]]
        assert others[judgment] == pytest.approx(expected, abs=1e-9)


# --- real judgments, and refusals


def test_on_real_home_pages_a_yes_of_somebody_who_ticks_everything_weighs_less():
    """Two of the busy raters tick more than half of all topics, the others one or two in ten."""
    items, raters, names, verdicts, _ = homepages()
    _, items = np.unique(items, return_inverse=True)
    found = fit(votes_of(items, raters, verdicts))
    share = np.array([verdicts[raters == rater].mean() for rater in range(len(names))])
    busy = np.bincount(raters) > 100
    yes = found.skills.weights().yes.mean(axis=1)
    assert found.has_converged
    assert (found.prior < verdicts.mean(axis=0)).all()
    assert yes[busy & (share > 0.5)].max() < yes[busy & (share < 0.2)].min()


def test_shapes_codes_and_priors_that_do_not_fit_are_refused():
    one, verdicts = np.array([0]), np.array([[1]])
    votes = Votes.of(one, one, verdicts, n_items=1, n_raters=1)
    with pytest.raises(ValueError, match="indices"):
        Votes.of(one + 1, one, verdicts, n_items=1, n_raters=1)
    with pytest.raises(ValueError, match="raters"):
        Votes.of(one, np.array([0, 1]), verdicts, n_items=1, n_raters=2)
    with pytest.raises(ValueError, match="p_yes"):
        votes.evidence(np.zeros((2, 1)))
    with pytest.raises(ValueError, match="history"):
        fit(votes, history=Evidence.none(2, 1))
    for prior in (0.0, 1.0):
        with pytest.raises(ValueError, match="strictly between"):
            fit(votes, prior=np.array([prior]))
    with pytest.raises(ValueError, match="four equal tables"):
        Evidence(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((1, 2)))
