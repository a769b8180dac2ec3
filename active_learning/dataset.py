"""What the learner learns from: answered pages that no gold sample and no site of one is among."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from django.db.models import Sum
from numpy.typing import NDArray
from scipy import sparse

from active_learning import arm, pages
from active_learning.frame import trainable
from active_learning.learner.estimator import NO, NOT_ASKED, YES
from active_learning.learner.features import Page
from labeling.models import Consensus, Project


def votes_in(project: Project) -> int:
    """Counted answers in the project, one per person and page."""
    total: int | None = Consensus.objects.filter(project=project).aggregate(n=Sum("n_judgments"))["n"]
    return total or 0


@dataclass(frozen=True)
class Dataset:
    """Answered pages in the order of their public ids, the same on every database.

    targets: (n_pages, n_labels) of 1, 0 and -1 = not asked or not known. fair: (n_pages,) True for the random arm.
    """

    labels: tuple[str, ...]
    public_ids: list[str]
    contents: list[str]  # hash of the text of each page, empty without text
    pages: list[Page]
    targets: NDArray[np.int8]
    fair: NDArray[np.bool_]

    @cached_property
    def clusters(self) -> NDArray[Any]:
        return np.array([page.registrable_domain for page in self.pages], dtype=object).astype(str)

    @cached_property
    def X(self) -> sparse.csr_matrix:  # noqa: N802 (the name of the trade)
        return pages.matrix(self.pages)

    @cached_property
    def sha256(self) -> str:
        """Of the canonical rows: which pages, which text, which answers."""
        seal = hashlib.sha256(json.dumps(self.labels).encode())
        for name, content, row, fair in zip(self.public_ids, self.contents, self.targets, self.fair, strict=True):
            seal.update(json.dumps([name, content, row.tolist(), bool(fair)], separators=(",", ":")).encode())
        return seal.hexdigest()

    @property
    def n_random(self) -> int:
        return int(self.fair.sum())

    def count(self, answer: int) -> NDArray[np.int64]:
        """(n_labels,) pages with this answer."""
        return np.asarray((self.targets == answer).sum(axis=0), dtype=np.int64)


def read(project: Project, labels: tuple[str, ...]) -> Dataset:
    """Every trainable page with at least one known answer on these labels."""
    answered = trainable(project).filter(consensus__n_judgments__gt=0).order_by("public_id")
    known = {
        pk: (public_id, content or "", [answer_of(stored.get(label)) for label in labels])
        for pk, public_id, content, stored in answered.values_list(
            "pk", "public_id", "snapshot__content_hash", "consensus__labels"
        )
    }
    rows = [(pk, page) for pk, page in pages.read(answered) if pk in known and set(known[pk][2]) != {NOT_ASKED}]
    ids, in_arm = [pk for pk, _ in rows], arm.counted(project)
    return Dataset(
        labels=labels,
        public_ids=[known[pk][0] for pk in ids],
        contents=[known[pk][1] for pk in ids],
        pages=[page for _, page in rows],
        targets=np.array([known[pk][2] for pk in ids], dtype=np.int8).reshape(len(ids), len(labels)),
        fair=np.array([pk in in_arm for pk in ids], dtype=bool),
    )


def answer_of(label: dict[str, Any] | None) -> int:
    """The verdict in force; where there is none yet, what most people said; a tie and "unsure" are not known."""
    if label is None:
        return NOT_ASKED
    if label["verdict"]:
        return {"yes": YES, "no": NO}.get(label["verdict"], NOT_ASKED)
    if label["yes"] == label["no"]:
        return NOT_ASKED
    return YES if label["yes"] > label["no"] else NO
