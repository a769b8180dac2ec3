import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from active_learning.learner import features
from active_learning.learner.features import Page, Recipe, featurise, text_block
from tests.active_learning.real_urls import read_urls

BARE = Page("shop.example.co.uk", "example.co.uk", "/cheap/shoes")
WITH_TEXT = BARE._replace(title="Cheap shoes", text="We sell shoes of every size.")


def row(page, recipe=features.DEFAULT_RECIPE):
    return featurise([page], recipe).toarray()[0]


def cosine(a, b):
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def test_a_row_is_float32_sorted_and_as_wide_as_the_recipe_says():
    matrix = featurise([BARE, WITH_TEXT])
    assert matrix.shape == (2, features.DEFAULT_RECIPE.n_columns)
    assert matrix.dtype == np.float32
    assert matrix.indices.dtype == np.int32
    assert matrix.has_sorted_indices


def test_no_pages_give_no_rows():
    assert featurise([]).shape == (0, features.DEFAULT_RECIPE.n_columns)


def test_a_page_without_title_and_text_has_an_empty_text_block():
    assert text_block(featurise([BARE, WITH_TEXT]), features.DEFAULT_RECIPE).getnnz(axis=1).tolist()[0] == 0


def test_url_and_text_block_have_the_lengths_their_weights_say():
    recipe = Recipe(url_weight=0.5, text_weight=2.0)
    values = row(WITH_TEXT, recipe)
    assert np.linalg.norm(values[: recipe.columns]) == pytest.approx(0.5, abs=1e-6)
    assert np.linalg.norm(values[recipe.columns :]) == pytest.approx(2.0, abs=1e-6)


def test_a_page_gets_the_same_row_whatever_stands_around_it(monkeypatch):
    pages = read_urls().pages[:60]
    together = featurise([*pages, WITH_TEXT, Page("", "", "")])
    monkeypatch.setattr(features, "PAGES_AT_ONCE", 7)
    in_parts = featurise([*pages, WITH_TEXT, Page("", "", "")])
    assert (together != in_parts).nnz == 0
    for number in (0, 30, 60):
        assert (together[number] != featurise([[*pages, WITH_TEXT][number]])).nnz == 0


def test_the_same_page_gives_the_same_bytes_in_another_process():
    code = (
        "from active_learning.learner.features import Page, featurise\n"
        "import hashlib\n"
        "m = featurise([Page('shop.example.co.uk', 'example.co.uk', '/cheap/shoes', 'Cheap shoes', 'We sell shoes')])\n"
        "print(hashlib.sha256(m.indices.tobytes() + m.data.tobytes()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_word_parts_make_hosts_alike_that_share_them():
    casino, casinos, garden = (
        row(Page(host, host, "")) for host in ("casino-king.com", "kingcasinos.net", "garden.org")
    )
    assert cosine(casino, casinos) > cosine(casino, garden) + 0.1


def test_the_same_word_in_host_and_path_is_not_one_word_only():
    assert cosine(row(Page("shoes.com", "shoes.com", "/")), row(Page("x.com", "x.com", "/shoes"))) < 0.9


def test_separators_part_hosts_that_have_the_same_letters():
    assert not np.array_equal(row(Page("a-b.com", "b.com", "")), row(Page("a.b.com", "b.com", "")))


def test_letter_case_does_not_matter():
    assert np.array_equal(row(WITH_TEXT), row(WITH_TEXT._replace(title="CHEAP shoes", path="/CHEAP/shoes")))


def test_word_order_matters_in_text():
    assert not np.array_equal(row(BARE._replace(text="dog bites man")), row(BARE._replace(text="man bites dog")))


def test_text_beyond_the_limit_is_not_read():
    recipe = Recipe(max_text_chars=10)
    assert np.array_equal(
        row(BARE._replace(text="0123456789"), recipe), row(BARE._replace(text="0123456789 more"), recipe)
    )


ANY_TEXT = st.text(st.characters(), max_size=30)  # lone surrogates, controls and astral characters included


@given(st.lists(st.builds(Page, ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT), max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_strings_give_finite_rows_each_its_own(pages):
    matrix = featurise(pages)
    assert np.isfinite(matrix.data).all()
    for number, page in enumerate(pages):
        assert (matrix[number] != featurise([page])).nnz == 0


def test_a_recipe_is_known_by_everything_that_changes_the_matrix():
    recipes = [
        Recipe(),
        Recipe(columns=2**14),
        Recipe(gram_sizes=(3, 4)),
        Recipe(url_weight=2.0),
        Recipe(max_text_chars=9),
    ]
    assert len({recipe.sha256 for recipe in recipes}) == len(recipes)
    assert Recipe().sha256 == Recipe().sha256


def test_a_recipe_survives_being_stored():
    recipe = Recipe(columns=2**12, gram_sizes=(3, 5))
    assert Recipe.from_dict(recipe.as_dict()) == recipe


@pytest.mark.parametrize("stored", [{}, {**Recipe().as_dict(), "surprise": 1}])
def test_half_a_recipe_is_refused(stored):
    with pytest.raises(ValueError, match="a recipe has the keys"):
        Recipe.from_dict(stored)


@pytest.mark.parametrize("wrong", [{"columns": 1000}, {"columns": 1}, {"gram_sizes": ()}, {"gram_sizes": (2, 3)}])
def test_a_recipe_that_cannot_work_is_refused(wrong):
    with pytest.raises(ValueError, match=r"columns|gram_sizes"):
        Recipe(**wrong)
