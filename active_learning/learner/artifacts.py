"""Model files: written whole or not at all, and read only when they are exactly what was written.

The file is a skops archive of plain arrays, strings and numbers. Never a pickle: a model file that is copied between
machines must not be able to run code. The types it may name are fixed here; what a file says about itself is not asked.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from active_learning.learner.features import Recipe
from active_learning.learner.model import LinearModel
from labeling import whole_files

FORMAT = "touchstone-linear-model/1"
# (module, class, skops loader): an archive that names any other triple is refused before skops builds anything from it.
TRUSTED_TYPES = frozenset(
    {
        ("builtins", "dict", "DictNode"),
        ("builtins", "list", "ListNode"),
        ("builtins", "str", "JsonNode"),
        ("builtins", "str", "TypeNode"),
        ("numpy", "ndarray", "NdArrayNode"),
    }
)
MAX_BYTES = 2**30
ARRAYS = {
    "weights": np.float32,
    "intercepts": np.float32,
    "slopes": np.float64,
    "offsets": np.float64,
    "thresholds": np.float64,
}


class UntrustedArtifact(Exception):
    """The file is not a model this product wrote, or not the one that was asked for."""


class Saved(NamedTuple):
    path: Path
    artifact_sha256: str  # of the file: guards loading
    weights_sha256: str  # of the arrays: the model's identity


def save(model: LinearModel, folder: Path) -> Saved:
    """Write `<artifact_sha256>.skops` into the folder; the name appears only when every byte is on the disk."""
    content = _dumps(model)
    artifact_sha256 = hashlib.sha256(content).hexdigest()
    path = folder / f"{artifact_sha256}.skops"
    folder.mkdir(parents=True, exist_ok=True)
    whole_files.write(path, [content])
    return Saved(path, artifact_sha256, model.weights_sha256)


def load(path: Path, *, artifact_sha256: str) -> LinearModel:
    """The model in the file. Raises UntrustedArtifact unless its digest, its types and its shapes are as expected.

    Raises OSError when the file is not there or cannot be read.
    """
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != artifact_sha256:
        raise UntrustedArtifact(
            f"{path.name} has the SHA-256 {found}, but {artifact_sha256} is on record. "
            "Put the recorded file back, or train again."
        )
    return _loads(content, path.name)


def _dumps(model: LinearModel) -> bytes:
    import skops.io

    content: dict[str, Any] = {
        "format": FORMAT,
        "labels": list(model.labels),
        "recipe": json.dumps(model.recipe.as_dict(), sort_keys=True),
        "notes": json.dumps(model.notes, sort_keys=True),
        "weights_sha256": model.weights_sha256,
    }
    content |= {name: np.asarray(getattr(model, name), dtype=kind) for name, kind in ARRAYS.items()}
    return bytes(skops.io.dumps(content, compression=zipfile.ZIP_DEFLATED, compresslevel=1))


def _loads(content: bytes, name: str) -> LinearModel:
    import skops.io

    _refuse_other_types(content, name)
    stored = skops.io.loads(content, trusted=[])
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise UntrustedArtifact(f"{name} is not a model file of the format {FORMAT}.")
    try:
        model = LinearModel(
            labels=tuple(stored["labels"]),
            recipe=Recipe.from_dict(json.loads(stored["recipe"])),
            notes=json.loads(stored["notes"]),
            **{key: _array(stored[key], kind) for key, kind in ARRAYS.items()},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UntrustedArtifact(f"{name} does not hold a whole model: {error}.") from error
    if model.weights_sha256 != stored.get("weights_sha256"):
        raise UntrustedArtifact(f"{name} holds other weights than it says.")
    return model


def _refuse_other_types(content: bytes, name: str) -> None:
    """Look at the archive's table of types before anything is built from it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise UntrustedArtifact(f"{name} would unpack to more than {MAX_BYTES} bytes.")
            schema = json.loads(archive.read("schema.json"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UntrustedArtifact(f"{name} is not a skops archive: {error}.") from error
    others = sorted({".".join(named[:2]) for named in _types(schema) if named not in TRUSTED_TYPES})
    if others:
        raise UntrustedArtifact(f"{name} names types that no model file of ours holds: {', '.join(others)}.")


def _types(node: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(node, dict):
        if "__loader__" in node or "__class__" in node:
            yield str(node.get("__module__")), str(node.get("__class__")), str(node.get("__loader__"))
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from _types(part)


def _array(stored: Any, kind: Any) -> np.ndarray[Any, Any]:
    if not isinstance(stored, np.ndarray) or stored.dtype != kind:
        raise TypeError(f"expected an array of {np.dtype(kind)}, found {type(stored).__name__}")
    return stored
