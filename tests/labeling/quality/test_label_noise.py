import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from labeling.quality.label_noise import Evidence, fit_stack, label_quality, self_confidence, wrong_label_risk


def simulated(seed, *, n_items=800, n_labels=3, n_judgments=3):
    """Evidence, the labels recorded by majority, and the truth: judges right four times in five, a weak model."""
    rng = np.random.default_rng(seed)
    truth = (rng.random((n_items, n_labels)) < 0.3).astype(int)
    right = rng.random((n_judgments, n_items, n_labels)) < 0.8
    k = np.where(right, truth, 1 - truth).sum(axis=0)
    n = np.full(truth.shape, n_judgments)
    p_consensus = expit(logit(0.3) + (2 * k - n) * logit(0.8))
    p_model = expit(rng.normal(1.2 * (2 * truth - 1), 1.5))
    return Evidence(p_consensus, p_model, n, k), (2 * k > n).astype(int), truth


def test_self_confidence_is_what_the_model_gives_the_recorded_label():
    found = self_confidence(np.array([[0.9, 0.9, 0.9]]), np.array([[1, 0, -1]]))
    assert found == pytest.approx(np.array([[0.9, 0.1, 1.0]]))


def test_the_quality_of_an_item_ends_on_its_least_believed_label():
    """Thyagarajan et al. (2022): from the best to the worst, S = .8 s + .2 S."""
    confidence = np.array([[0.2, 0.9, 0.6]])
    expected = 0.8 * 0.2 + 0.2 * (0.8 * 0.6 + 0.2 * 0.9)
    assert label_quality(confidence, np.ones((1, 3), dtype=int)) == pytest.approx([expected])


def test_missing_labels_change_nothing():
    p, labels = np.array([[0.7, 0.4, 0.3]]), np.array([[1, 0, -1]])
    whole = label_quality(self_confidence(p, labels), labels)
    without = label_quality(self_confidence(p[:, :2], labels[:, :2]), labels[:, :2])
    assert whole == pytest.approx(without)
    assert label_quality(np.ones((1, 2)), np.full((1, 2), -1)) == pytest.approx([1.0])


def test_the_stack_is_a_ridge_logistic_regression():
    evidence, _, truth = simulated(1)
    stack = fit_stack(evidence, truth)
    columns = np.column_stack(
        [logit(evidence.p_consensus).ravel(), logit(evidence.p_model).ravel(), evidence.k.ravel()]
    )
    columns = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    other = LogisticRegression(C=1.0, tol=1e-12, solver="newton-cholesky").fit(columns, truth.ravel())
    assert stack.weights[[1, 2, 4]] == pytest.approx(other.coef_[0], abs=1e-6)
    assert stack.weights[0] == pytest.approx(other.intercept_[0], abs=1e-6)
    assert stack.weights[3] == 0  # every item has three answers
    assert stack.p_yes(evidence).ravel() == pytest.approx(other.predict_proba(columns)[:, 1], abs=1e-6)


def test_no_stack_before_200_adjudications_nor_without_both_answers():
    evidence, _, truth = simulated(2)
    assert fit_stack(evidence.rows(np.arange(199)), truth[:199]) is None
    assert fit_stack(evidence.rows(np.arange(200)), truth[:200]).n == 200
    assert fit_stack(evidence, np.zeros_like(truth)) is None
    undecided = np.where(np.arange(800)[:, None] < 150, truth, -1)
    assert fit_stack(evidence, undecided) is None


def test_answers_that_the_evidence_parts_perfectly_still_give_finite_weights():
    evidence, _, _ = simulated(3)
    stack = fit_stack(evidence, (evidence.p_model > 0.5).astype(int))
    assert np.isfinite(stack.weights).all()


def test_the_stack_finds_more_wrong_labels_than_the_judgments_alone():
    evidence, labels, truth = simulated(4)
    adjudicated, rest = np.arange(300), np.arange(300, 800)
    stack = fit_stack(evidence.rows(adjudicated), truth[:300])
    wrong = (labels != truth).sum(axis=1)[rest]

    def found(risk):
        return wrong[np.argsort(-risk, kind="stable")[:50]].sum()

    left = evidence.rows(rest)
    plain, stacked = (wrong_label_risk(left, labels[rest], stack=each) for each in (None, stack))
    assert found(stacked) > found(plain) > 50 * wrong.mean()


def test_one_judgment_cannot_doubt_itself_so_the_model_does():
    evidence = Evidence(
        np.array([[0.9], [0.9]]), np.array([[0.05], [0.95]]), np.array([[1], [1]]), np.array([[1], [1]])
    )
    assert wrong_label_risk(evidence, np.array([[1], [1]])) == pytest.approx([0.95, 0.05])
    twice = evidence._replace(n=np.array([[2], [2]]))
    assert wrong_label_risk(twice, np.array([[1], [1]])) == pytest.approx([0.1, 0.1])


def test_shapes_that_do_not_match_are_refused():
    evidence, labels, truth = simulated(5)
    for attempt in (
        lambda: wrong_label_risk(evidence, labels[:5]),
        lambda: fit_stack(evidence, truth[:5]),
        lambda: self_confidence(evidence.p_model, labels[:5]),
        lambda: label_quality(evidence.p_model, labels[:5]),
    ):
        with pytest.raises(ValueError, match=r"match|fit"):
            attempt()
