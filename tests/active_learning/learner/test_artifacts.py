import hashlib
import zipfile

import numpy as np
import pytest
import skops.io

from active_learning.learner import artifacts
from active_learning.learner.artifacts import UntrustedArtifact, load, save
from active_learning.learner.features import Page, Recipe, featurise
from active_learning.learner.model import LinearModel
from labeling import whole_files

RECIPE = Recipe(columns=2**8)


@pytest.fixture
def model():
    rng = np.random.default_rng(1)
    return LinearModel(
        labels=("adult", "gambling"),
        weights=rng.normal(size=(RECIPE.n_columns, 2)).astype(np.float32),
        intercepts=np.array([0.5, np.nan], dtype=np.float32),
        slopes=np.array([0.7, 1.0]),
        offsets=np.array([-1.5, 0.0]),
        thresholds=np.array([0.3, 0.5]),
        recipe=RECIPE,
        notes={"adult": [], "gambling": ["Not fitted: 0 pages with this label so far, 3 are needed."]},
    )


def put(folder, content):
    path = folder / "other.skops"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def refusal(folder, content):
    path, digest = put(folder, content)
    with pytest.raises(UntrustedArtifact) as refused:
        load(path, artifact_sha256=digest)
    return str(refused.value)


def test_a_model_comes_back_as_it_was_saved(model, tmp_path):
    saved = save(model, tmp_path)
    loaded = load(saved.path, artifact_sha256=saved.artifact_sha256)
    X = featurise([Page("a.example", "a.example", "/b")], RECIPE)
    np.testing.assert_array_equal(loaded.p_label(X), model.p_label(X))
    np.testing.assert_array_equal(loaded.thresholds, model.thresholds)
    assert (loaded.labels, loaded.recipe, loaded.notes) == (model.labels, model.recipe, model.notes)
    assert loaded.weights_sha256 == saved.weights_sha256 == model.weights_sha256


def test_the_file_is_named_by_its_digest(model, tmp_path):
    saved = save(model, tmp_path)
    assert saved.path.name == f"{hashlib.sha256(saved.path.read_bytes()).hexdigest()}.skops"


def test_one_changed_byte_is_refused(model, tmp_path):
    saved = save(model, tmp_path)
    content = bytearray(saved.path.read_bytes())
    content[len(content) // 2] ^= 1
    saved.path.write_bytes(content)
    with pytest.raises(UntrustedArtifact, match="is on record"):
        load(saved.path, artifact_sha256=saved.artifact_sha256)


def test_another_run_s_model_is_refused(model, tmp_path):
    with pytest.raises(UntrustedArtifact, match="is on record"):
        load(save(model, tmp_path).path, artifact_sha256="0" * 64)


def test_a_pickle_is_refused(tmp_path):
    assert "not a skops archive" in refusal(tmp_path, b"\x80\x04\x95cos\nsystem\n(S'true'\ntR.")


def test_a_zip_that_is_no_skops_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "not a skops archive" in refusal(tmp_path, (tmp_path / "a.zip").read_bytes())


def test_a_type_that_skops_itself_would_trust_is_refused(tmp_path):
    from sklearn.linear_model import LogisticRegression

    assert "sklearn.linear_model" in refusal(tmp_path, skops.io.dumps({"format": LogisticRegression()}))


def test_a_function_in_the_archive_is_refused(tmp_path):
    import os

    assert "system" in refusal(tmp_path, skops.io.dumps({"format": os.system}))


def test_an_archive_of_something_else_is_refused(tmp_path):
    assert "format" in refusal(tmp_path, skops.io.dumps({"labels": ["a"]}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weights", np.zeros((3, 2), dtype=np.float32)),
        ("weights", "not an array"),
        ("slopes", np.zeros(2, dtype=np.float32)),
        ("recipe", "{}"),
    ],
)
def test_a_model_with_a_broken_part_is_refused(model, tmp_path, monkeypatch, name, value):
    dumps = skops.io.dumps
    monkeypatch.setattr(skops.io, "dumps", lambda content, **given: dumps({**content, name: value}, **given))
    saved = save(model, tmp_path)
    with pytest.raises(UntrustedArtifact, match="does not hold a whole model"):
        load(saved.path, artifact_sha256=saved.artifact_sha256)


def test_weights_that_are_not_those_the_file_names_are_refused(model, tmp_path, monkeypatch):
    dumps = skops.io.dumps
    other = {"weights_sha256": "0" * 64}
    monkeypatch.setattr(skops.io, "dumps", lambda content, **given: dumps({**content, **other}, **given))
    saved = save(model, tmp_path)
    with pytest.raises(UntrustedArtifact, match="other weights"):
        load(saved.path, artifact_sha256=saved.artifact_sha256)


def test_an_archive_that_would_fill_the_memory_is_refused(model, tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "MAX_BYTES", 1_000)
    saved = save(model, tmp_path)
    with pytest.raises(UntrustedArtifact, match="unpack"):
        load(saved.path, artifact_sha256=saved.artifact_sha256)


def test_a_write_that_fails_leaves_nothing_behind(model, tmp_path, monkeypatch):
    def no_space(handle):
        raise OSError("no space left")

    monkeypatch.setattr(whole_files.os, "fsync", no_space)
    with pytest.raises(OSError, match="no space"):
        save(model, tmp_path)
    assert list(tmp_path.iterdir()) == []
