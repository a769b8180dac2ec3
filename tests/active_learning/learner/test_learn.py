import numpy as np
import pytest
from scipy.special import expit

from active_learning.learner.estimator import NOT_ASKED
from active_learning.learner.features import featurise
from active_learning.learner.learn import learn
from tests.active_learning.real_urls import read_urls, split_by_cluster

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def urls():
    return read_urls()


@pytest.fixture(scope="module")
def matrix(urls):
    return featurise(urls.pages)


@pytest.fixture(scope="module")
def train_rows(urls):
    return np.flatnonzero(~split_by_cluster(urls.clusters, 0.5, seed=1))[:2_000]


@pytest.fixture(scope="module")
def test_rows(urls):
    return np.flatnonzero(split_by_cluster(urls.clusters, 0.5, seed=1))


@pytest.fixture(scope="module")
def model(urls, matrix, train_rows):
    return learn(
        matrix[train_rows], urls.targets[train_rows], labels=urls.labels, clusters=urls.clusters[train_rows], seed=7
    )


def average_precision(p, answers):
    from sklearn.metrics import average_precision_score

    return average_precision_score(answers, p)


def test_two_thousand_real_urls_teach_far_more_than_the_base_rate(urls, matrix, model, test_rows):
    p = model.p_label(matrix[test_rows])
    answers = urls.targets[test_rows]
    common = np.flatnonzero(model.fitted & (answers.sum(axis=0) >= 30))
    assert len(common) >= 10
    gained = [average_precision(p[:, k], answers[:, k]) - answers[:, k].mean() for k in common]
    assert np.mean(gained) > 0.25
    assert min(gained) > 0


def test_calibrated_probabilities_come_nearer_to_the_number_of_pages(urls, matrix, model, test_rows):
    """Balanced weights pretend that every label holds for half the pages; calibration takes that back."""
    decisions, answers = model.decision(matrix[test_rows]), urls.targets[test_rows]
    common = np.flatnonzero(answers.sum(axis=0) >= 200)
    assert len(common) >= 3

    def wrong_by(p):
        return np.abs(p[:, common].sum(axis=0) / answers[:, common].sum(axis=0) - 1).mean()

    assert wrong_by(model.probabilities(decisions)) < 0.15 < wrong_by(expit(decisions))


def test_the_same_seed_gives_the_same_weights(urls, matrix, train_rows, model):
    again = learn(
        matrix[train_rows], urls.targets[train_rows], labels=urls.labels, clusters=urls.clusters[train_rows], seed=7
    )
    assert again.weights_sha256 == model.weights_sha256
    assert np.array_equal(again.thresholds, model.thresholds)


def test_other_answers_give_other_weights(urls, matrix, train_rows, model):
    rows = train_rows[:-1]
    fewer = learn(matrix[rows], urls.targets[rows], labels=urls.labels, clusters=urls.clusters[rows], seed=7)
    assert fewer.weights_sha256 != model.weights_sha256


def test_a_rare_label_says_what_it_lacks(urls, model):
    k = urls.labels.index("cheating")
    assert not model.fitted[k]
    assert model.thresholds[k] == 0.5
    assert model.notes["cheating"][0].startswith("Not fitted:")


def test_a_probability_meets_its_threshold_on_the_line(model):
    k = np.flatnonzero(model.fitted)[0]
    decisions = np.full((1, len(model.labels)), model.lines()[k])
    assert model.probabilities(decisions)[0, k] == pytest.approx(model.thresholds[k], abs=1e-6)


def test_rows_a_model_picked_do_not_set_the_calibration(urls, matrix, train_rows):
    """The picked half has gambling in every second row; the fair half shows how often it really occurs."""
    k = urls.labels.index("gambling")
    yes, no = (np.flatnonzero(urls.targets[:, k] == answer) for answer in (1, 0))
    fair_rows, picked = train_rows, np.concatenate([yes[:250], no[:250]])
    rows = np.concatenate([fair_rows, picked])
    fair = np.arange(len(rows)) < len(fair_rows)
    given = {"labels": ["gambling"], "clusters": urls.clusters[rows], "seed": 1}
    naive = learn(matrix[rows], urls.targets[rows, k : k + 1], **given)
    careful = learn(matrix[rows], urls.targets[rows, k : k + 1], fair=fair, **given)
    assert careful.weights_sha256 == naive.weights_sha256
    assert careful.p_label(matrix).mean() < naive.p_label(matrix).mean()


def test_labels_asked_of_some_pages_only_are_learnt_from_those(urls, matrix, train_rows):
    k = urls.labels.index("adult")
    targets = urls.targets[train_rows, k : k + 1].copy()
    targets[::2] = NOT_ASKED
    half = train_rows[1::2]
    partial = learn(matrix[train_rows], targets, labels=["adult"], clusters=urls.clusters[train_rows], seed=1)
    alone = learn(matrix[half], targets[1::2], labels=["adult"], clusters=urls.clusters[half], seed=1)
    assert partial.weights_sha256 == alone.weights_sha256


def test_shapes_that_do_not_match_are_refused(urls, matrix):
    with pytest.raises(ValueError, match="do not match"):
        learn(matrix[:10], urls.targets[:9], labels=urls.labels, clusters=urls.clusters[:10], seed=1)
    with pytest.raises(ValueError, match="do not match"):
        learn(matrix[:10], urls.targets[:10], labels=["one"], clusters=urls.clusters[:10], seed=1)


def test_rows_of_another_recipe_are_refused(matrix, model):
    with pytest.raises(ValueError, match="columns"):
        model.decision(matrix[:, :100])
