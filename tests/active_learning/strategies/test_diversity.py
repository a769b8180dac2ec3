import numpy as np
import pytest
from scipy import sparse

from active_learning.learner.near_duplicates import BatchLimits
from active_learning.strategies import diversity
from active_learning.strategies.diversity import choose_diverse, fit_components, spread
from tests.active_learning.strategies.pools import pool, scored


def rng(seed=1):
    return np.random.default_rng(seed)


def test_components_are_the_leading_singular_directions():
    scale = np.array([100, 50, 20] + [0.1] * 37)
    dense = (rng().normal(size=(300, 40)) * scale).astype(np.float32)
    components = fit_components(sparse.csr_matrix(dense), rng(), n_dimensions=3)
    exact = np.linalg.svd(dense, full_matrices=False)[2][:3].T
    np.testing.assert_allclose(np.abs(np.sum(components * exact, axis=0)), 1, atol=1e-4)


def test_a_pool_smaller_than_the_projection_keeps_what_it_has():
    X, _ = pool(5)
    assert fit_components(X, rng()).shape == (50, 5)


def test_components_of_a_large_pool_come_from_a_part_of_it(monkeypatch):
    X, _ = pool(300)
    monkeypatch.setattr(diversity, "ROWS_TO_FIT", 100)
    assert np.isfinite(fit_components(X, rng())).all()


def test_far_clusters_are_all_visited_before_one_is_visited_twice():
    centres = np.repeat(np.eye(5) * 1000, 40, axis=0)
    points = centres + rng().normal(size=centres.shape)
    taken = spread(points, 5, rng(), lambda position: True)
    assert sorted(position // 40 for position in taken) == [0, 1, 2, 3, 4]


def test_a_refused_point_is_not_asked_about_again():
    asked = []
    taken = spread(rng().normal(size=(20, 3)), 20, rng(), lambda position: asked.append(position) or position % 2 == 0)
    assert sorted(asked) == list(range(20))
    assert sorted(taken) == list(range(0, 20, 2))


def test_equal_points_can_still_be_taken():
    assert len(spread(np.ones((10, 3)), 4, rng(), lambda position: True)) == 4


def test_diverse_pages_cover_more_groups_than_random_ones():
    groups = np.repeat(np.arange(12), [400, *[10] * 11])
    X = sparse.csr_matrix((np.ones(510, dtype=np.float32), (np.arange(510), groups)), shape=(510, 12))
    classifier = scored(np.zeros((510, 3)))
    everything = np.ones(510, dtype=bool)
    chosen = choose_diverse(classifier, X, 12, rng=rng(), candidates=everything, limits=BatchLimits())
    drawn = rng().choice(510, 12, replace=False)
    assert len({groups[choice.index] for choice in chosen}) >= 10 > len(set(groups[drawn]))


def test_cached_components_give_the_same_choice_as_asked_for():
    X, classifier = pool(100)
    classifier.components = np.eye(50, 4, dtype=np.float32)
    everything = np.ones(100, dtype=bool)
    chosen = choose_diverse(classifier, X, 10, rng=rng(), candidates=everything, limits=BatchLimits())
    assert len(chosen) == 10
    assert classifier.components.shape == (50, 4)


@pytest.mark.parametrize("n_columns", [1, 3])
def test_a_pool_of_few_columns_works(n_columns):
    X = sparse.csr_matrix(np.ones((30, n_columns), dtype=np.float32))
    assert fit_components(X, rng()).shape == (n_columns, n_columns)
