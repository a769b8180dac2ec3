import numpy as np
import pytest

from active_learning.learner.features import DEFAULT_RECIPE, Page, featurise, text_block
from active_learning.learner.near_duplicates import BatchLimits, text_signatures, url_shape

PARKED = "This domain is for sale. Buy it now from our market place, or make an offer to its owner today. "
NEWS = "The council agreed on Tuesday to rebuild the bridge over the river after two years of debate. "


def text_of(*texts):
    return text_block(featurise([Page("a.example", "a.example", "", text=text) for text in texts]), DEFAULT_RECIPE)


def different_bits(a, b):
    return int(np.bitwise_count(a ^ b).sum())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/item/12", "/item/7"),
        ("/item/12/", "/item/7"),
        ("/p/0f3a9c2b77d1", "/p/99aa31bc00ff"),
        ("/x/550e8400-e29b-41d4-a716-446655440000", "/x/123e4567-e89b-12d3-a456-426614174000"),
    ],
)
def test_urls_that_differ_in_numbers_and_ids_have_one_shape(one, other):
    assert url_shape(Page("a.com", "a.com", one)) == url_shape(Page("www.a.com", "a.com", other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Page("a.com", "a.com", "/cats"), Page("a.com", "a.com", "/dogs")),
        (Page("a.com", "a.com", "/facade"), Page("a.com", "a.com", "/decade")),
        (Page("163.com", "163.com", ""), Page("126.com", "126.com", "")),
        (Page("10.0.0.1", "10.0.0.1", "/x"), Page("10.0.0.2", "10.0.0.2", "/x")),
    ],
)
def test_urls_that_differ_in_words_or_host_have_two(one, other):
    assert url_shape(one) != url_shape(other)


def test_the_share_of_different_bits_is_the_angle_over_pi():
    """Charikar (2002), section 3: Pr[bits differ] = angle / pi."""
    rng = np.random.default_rng(2)
    texts = text_of(*[" ".join(rng.choice(["red", "blue", "green", "tin", "oak", "salt"], 8)) for _ in range(60)])
    cosines = np.clip((texts @ texts.T).toarray(), -1, 1)
    signatures = text_signatures(texts)
    pairs = [(i, j) for i in range(60) for j in range(i)]
    expected = [np.arccos(cosines[i, j]) / np.pi for i, j in pairs]
    found = [different_bits(signatures[i], signatures[j]) / 256 for i, j in pairs]
    assert np.mean(np.array(found) - expected) == pytest.approx(0, abs=0.01)
    assert np.mean(np.abs(np.array(found) - expected)) < 0.03  # 256 coins: a standard error of at most 0.031


def test_of_two_pages_with_nearly_the_same_text_one_joins():
    limits = BatchLimits(text=text_of(PARKED * 5, PARKED * 5 + "Contact us.", NEWS * 5))
    limits.take(0)
    assert not limits.admits(1)
    assert limits.admits(2)


def test_pages_with_hardly_any_text_are_not_called_duplicates():
    limits = BatchLimits(text=text_of("Home", "Home"))
    limits.take(0)
    assert limits.admits(1)


def test_a_domain_gives_no_more_pages_than_its_cap():
    limits = BatchLimits(domains=np.array(["a.com"] * 5 + ["b.com"]), max_per_domain=2)
    assert [limits.take_if_admitted(index) for index in range(6)] == [True, True, False, False, False, True]


def test_a_url_shape_gives_one_page():
    limits = BatchLimits(shapes=np.array(["a.com/item/0", "a.com/item/0", "a.com/about"]))
    assert [limits.take_if_admitted(index) for index in range(3)] == [True, False, True]


def test_without_limits_every_page_joins():
    limits = BatchLimits()
    assert all(limits.take_if_admitted(0) for _ in range(5))
