"""The fit of a project in force, as the transaction of an answer needs it: read once a process, for it never changes.

Probabilities come from votes until the raters of a label are known or three of them have answered it: what a model says
of two people nobody knows ranks worse than their votes do (quality/overlap.py). A label that means something else since
the fit has none either.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from django.db.models import OuterRef, Subquery

from labeling.models import ConsensusFit, Label, Project
from labeling.quality.cells import MISSING, NO, YES, Floats
from labeling.quality.intervals import Estimate
from labeling.quality.overlap import ENOUGH_TO_KNOW
from labeling.quality.skills import Evidence, Skills, Weights, item_probabilities, skills
from labeling.tallies import JUDGED, Vote

KNOWN_FROM = 20  # answers behind what is known of a rater
DIGITS = 6  # of a stored probability, so that it is the same on every machine
CODES = {"yes": YES, "no": NO, "unsure": MISSING}


@dataclass(frozen=True, eq=False, slots=True)
class Fitted:
    """Raters are rows of `weights`, labels columns; the last row is somebody nothing is known of."""

    id: int
    keys: tuple[str, ...]
    revisions: Mapping[str, int]
    prevalence: Mapping[str, float]  # where pages drawn by chance tell it
    rows: Mapping[int, int]
    known: frozenset[int]
    skills: Skills
    weights: Weights
    prior: Floats
    temperature: float

    def answers(self, label: Label) -> bool:
        """Whether it learned from answers to the question this label asks."""
        return self.revisions.get(label.key) == label.revision

    def chances(self, votes: Sequence[Vote], labels: Iterable[Label]) -> dict[str, float]:
        """P(yes) of the labels of one page that this fit can speak of. `votes`: one a rater."""
        judged = [vote for vote in votes if vote.outcome == JUDGED]
        verdicts = np.array(
            [[CODES[vote.verdicts[key]] if key in vote.verdicts else MISSING for key in self.keys] for vote in judged],
            dtype=np.int8,
        ).reshape(len(judged), len(self.keys))
        said = verdicts != MISSING
        strangers = np.array([vote.rater not in self.known for vote in judged], dtype=bool)
        n, n_strangers = said.sum(axis=0), said[strangers].sum(axis=0)
        trusted = (n > 0) & ((n >= ENOUGH_TO_KNOW) | (n_strangers == 0))
        if not trusted.any():
            return {}
        rows = [self.rows.get(vote.rater, -1) for vote in judged]
        p = item_probabilities(verdicts, self.weights.of(rows), self.prior, temperature=self.temperature)
        asked = {label.key for label in labels if self.answers(label)}
        least = 10.0**-DIGITS
        return {
            key: min(max(round(float(chance), DIGITS), least), 1 - least)
            for key, chance, is_trusted in zip(self.keys, p, trusted, strict=True)
            if is_trusted and key in asked
        }


@lru_cache(maxsize=64)
def by_id(fit_id: int) -> Fitted:
    return read(fit_id)


def read(fit_id: int) -> Fitted:
    """As `by_id`, but remembers nothing: for the transaction that makes a fit and may yet be rolled back."""
    row = ConsensusFit.objects.get(pk=fit_id)
    evidence = evidence_of(row)
    learned = skills(evidence)
    usual, known = learned.usual_weights(), learned.weights()
    raters = row.evidence["raters"]
    most = evidence.n_answers.max(axis=1, initial=0)
    return Fitted(
        id=row.pk,
        keys=tuple(label["label"] for label in row.labels),
        revisions={label["label"]: label["revision"] for label in row.labels},
        prevalence={
            label["label"]: label["prevalence"]["value"]
            for label in row.labels
            if label["prevalence"]["value"] is not None
        },
        rows={rater: place for place, rater in enumerate(raters)},
        known=frozenset(rater for rater, n in zip(raters, most, strict=True) if n >= KNOWN_FROM),
        skills=learned,
        weights=Weights(np.vstack([known.yes, usual.yes]), np.vstack([known.no, usual.no])),
        prior=np.array([label["prior"] for label in row.labels]),
        temperature=row.temperature,
    )


def evidence_of(row: ConsensusFit) -> Evidence:
    shape = (len(row.evidence["raters"]), len(row.labels))
    parts = (row.evidence[name] for name in ("on_yes", "yes_on_yes", "on_no", "no_on_no"))
    return Evidence(*(np.array(part, dtype=np.float64).reshape(shape) for part in parts))


def newest_of(project: str) -> Subquery:
    """The id of the fit in force, inside a query about something else; `project` is its path to the project."""
    return Subquery(ConsensusFit.objects.filter(project=OuterRef(project)).newest_first().values("pk")[:1])


def newest(project: Project | int) -> ConsensusFit | None:
    """The record of the fit in force."""
    return ConsensusFit.objects.filter(project=project).newest_first().first()


def prevalences(project: Project) -> dict[tuple[str, int], Estimate]:
    """On which share of all pages each label holds, by pages drawn by chance: label key and revision -> estimate."""
    labels = ConsensusFit.objects.filter(project=project).newest_first().values_list("labels", flat=True).first()
    return {(row["label"], row["revision"]): Estimate(**row["prevalence"]) for row in labels or ()}


def in_force(project: Project | int) -> Fitted | None:
    found = ConsensusFit.objects.filter(project=project).newest_first().values_list("pk", flat=True).first()
    return None if found is None else by_id(found)


def if_any(fit_id: int | None) -> Fitted | None:
    return None if fit_id is None else by_id(fit_id)
