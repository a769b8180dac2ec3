"""Read-only numbers for dashboards. Answers are read once into arrays and remembered until one is added or voided."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Count, Max

from labeling import schemas, votes
from labeling.models import Judgment, Project
from labeling.quality import agreement as measures
from labeling.quality.annotators import Rates, against_the_others
from labeling.quality.cells import YES, Cells, cells_of
from labeling.quality.contrast import alpha_rise, pooled_kappa
from labeling.quality.intervals import Estimate, proportion, undefined
from labeling.quality.pairs import PairwiseKappa, alpha_without, pairwise_kappa
from labeling.quality.readings import Reading, positives_needed, reading
from labeling.quality.sets import complete_sets, set_alpha
from labeling.votes import Votes

COUNTED = (
    "Counted: current answers, one a person and page. Unsure is no answer; decisions of adjudicators are left out."
)
FEWEST_IN_COMMON = 20  # below, a pair's kappa says nothing
FEWEST_ANSWERS = 20  # below, nothing is said about one person
FEWEST_LABELS = 4  # "more than half of the labels" means something from here on
NOBODY_ELSE = "nobody else answered these pages alike"


@dataclass(frozen=True)
class LabelReport:
    """What is known about agreement on one label."""

    key: str
    name: str
    cells: Cells
    alpha: Estimate
    ac1: Estimate
    positive_agreement: Estimate
    negative_agreement: Estimate
    prevalence: Estimate
    reading: Reading
    positives_needed: int

    @property
    def n_items(self) -> int:
        """Pages with two answers or more."""
        return self.cells.answered_twice().n_items

    @property
    def n_positive(self) -> int:
        """Yes answers on those pages."""
        return self.cells.answered_twice().n_yes

    @property
    def is_paradox(self) -> bool:
        """AC1 calls it good, alpha does not: a rare label whose few ticks are contested."""
        return self.ac1.value is not None and self.alpha.value is not None and self.ac1.value - self.alpha.value > 0.2

    @property
    def two_by_two(self) -> dict[str, float]:
        """Ordered pairs of answers to the same page, pooled: how often both say yes, one does, neither does."""
        cells = self.cells.answered_twice()
        weight = cells.count / (cells.n - 1)
        return {
            "both": float(weight @ (cells.k * (cells.k - 1))),
            "one": float(weight @ (cells.k * (cells.n - cells.k))),
            "neither": float(weight @ ((cells.n - cells.k) * (cells.n - cells.k - 1))),
        }

    def pages_with_yes(self, most: int = 3) -> list[int]:
        """Pages with one, two, ... yes; the last number holds all with more."""
        yes = np.minimum(self.cells.k, most)
        return [int(self.cells.count[yes == k].sum()) for k in range(1, most + 1)]


@dataclass(frozen=True)
class TicksMost:
    """People who tick more than half of the labels on an average page, and agreement without them."""

    raters: tuple[int, ...]
    codes: tuple[str, ...]
    ticks: tuple[float, ...]
    others_tick: float
    n_people: int
    n_answers: int
    without: "Report"
    rises: tuple[Estimate, ...]

    @property
    def risen(self) -> list[int]:
        """Labels on which agreement rises for certain: the interval of the paired difference lies above 0."""
        return [place for place, rise in enumerate(self.rises) if rise.low is not None and rise.low > 0]

    @property
    def matters(self) -> bool:
        return 2 * len(self.risen) > len(self.rises)


@dataclass(frozen=True, eq=False)
class Report:
    """Everything the agreement pages say, worked out from the votes at first need."""

    votes: Votes

    @property
    def n_answers(self) -> int:
        return int(self.votes.items.size)

    @cached_property
    def answers_per_rater(self) -> npt.NDArray[np.int64]:
        return np.bincount(self.votes.raters, minlength=len(self.votes.codes))

    @property
    def n_people(self) -> int:
        return int((self.answers_per_rater > 0).sum())

    @cached_property
    def labels(self) -> tuple[LabelReport, ...]:
        """Every label, in the order people see them."""
        votes = self.votes
        cells = cells_of(votes.items, votes.verdicts)
        return tuple(_label(*row) for row in zip(votes.keys, votes.names, cells, strict=True))

    @property
    def by_lower_end(self) -> list[LabelReport]:
        """The surest first; labels about which nothing can be told at the end."""
        return sorted(self.labels, key=lambda label: (label.alpha.low is None, -(label.alpha.low or 0), label.name))

    @cached_property
    def readings(self) -> Counter[Reading]:
        return Counter(label.reading for label in self.labels)

    @cached_property
    def set_alphas(self) -> dict[str, Estimate]:
        items, sets = complete_sets(self.votes.items, self.votes.verdicts)
        return {"masi": set_alpha(items, sets, distance="masi"), "jaccard": set_alpha(items, sets, distance="jaccard")}

    @cached_property
    def answers_per_page(self) -> tuple[int, int]:
        """The fewest and the most people who answered one page."""
        n = np.bincount(self.votes.items, minlength=1)
        n = n[n > 0]
        return (int(n.min()), int(n.max())) if n.size else (0, 0)

    # ---- people -----------------------------------------------------------------------------------------------------
    @cached_property
    def pairs(self) -> PairwiseKappa:
        return self.pairs_on(None)

    def pairs_on(self, key: str | None) -> PairwiseKappa:
        """Kappa of every two people, on one label or pooled over all."""
        votes = self.votes
        columns = votes.verdicts if key is None else votes.verdicts[:, [votes.keys.index(key)]]
        found = pairwise_kappa(votes.items, votes.raters, columns)
        missing = len(votes.codes) - found.kappa.shape[0]
        return PairwiseKappa(
            np.pad(found.kappa, (0, missing), constant_values=np.nan), np.pad(found.n_common, (0, missing))
        )

    def pair(self, left: int, right: int, key: str | None = None) -> Estimate:
        """Kappa of two people with its interval; undefined under 20 pages in common."""
        votes = self.votes
        label = slice(None) if key is None else [votes.keys.index(key)]
        mine, yours = (self._answers_of(rater) for rater in (left, right))
        common = np.intersect1d(votes.items[mine], votes.items[yours], assume_unique=True, return_indices=True)
        if common[0].size < FEWEST_IN_COMMON:
            return undefined(f"too few pages in common: {FEWEST_IN_COMMON} are needed", n=int(common[0].size))
        return pooled_kappa(votes.verdicts[mine[common[1]]][:, label], votes.verdicts[yours[common[2]]][:, label])

    def busiest(self, most: int) -> list[int]:
        """The people with the most answers, ordered by how much they agree with the others shown."""
        by_work = np.argsort(-self.answers_per_rater, kind="stable")[:most]
        chosen = [int(rater) for rater in by_work if self.answers_per_rater[rater] >= FEWEST_ANSWERS]
        kappa, n_common = self.pairs
        known = np.where(n_common >= FEWEST_IN_COMMON, kappa, np.nan)[np.ix_(chosen, chosen)]
        mean = [float(np.nanmean(row)) if np.isfinite(row).any() else -np.inf for row in known]
        return [rater for _, rater in sorted(zip(mean, chosen, strict=True), key=lambda pair: -pair[0])]

    @cached_property
    def ticks(self) -> npt.NDArray[np.float64]:
        """Labels ticked on an average page, per person: (n_raters,); NaN without an answer."""
        ticked = (self.votes.verdicts == YES).sum(axis=1)
        summed = np.bincount(self.votes.raters, weights=ticked, minlength=len(self.votes.codes))
        with np.errstate(invalid="ignore"):
            return summed / self.answers_per_rater

    @cached_property
    def alpha_without_each(self) -> npt.NDArray[np.float64]:
        """Alpha of every label if one person's answers were left out: (n_raters, n_labels), NaN where undefined."""
        return alpha_without(self.votes.items, self.votes.raters, self.votes.verdicts)

    @cached_property
    def rates(self) -> Rates:
        return against_the_others(self.votes.items, self.votes.raters, self.votes.verdicts)

    def rates_of(self, rater: int) -> list[dict[str, Any]]:
        """Sensitivity and specificity of one person on each label, against the majority of the others."""
        yes, with_yes, no, with_no = (table[rater].tolist() for table in self.rates)
        return [
            {
                "label": key,
                "sensitivity": proportion(with_yes[place], yes[place], nothing=NOBODY_ELSE),
                "specificity": proportion(with_no[place], no[place], nothing=NOBODY_ELSE),
            }
            for place, key in enumerate(self.votes.keys)
        ]

    @cached_property
    def ticks_most(self) -> TicksMost | None:
        """People of 20 answers or more who surely tick more than half of the labels of an average page."""
        votes = self.votes
        ticked = (votes.verdicts == YES).sum(axis=1)
        half = len(votes.keys) / 2
        if len(votes.keys) < FEWEST_LABELS:
            return None
        found = [rater for rater in range(len(votes.codes)) if _lower_end(ticked[self._answers_of(rater)]) > half]
        if not found or 2 * len(found) >= self.n_people:
            return None
        rest = votes.where(~np.isin(votes.raters, found))
        n, k = votes.counts()
        n_rest, k_rest = rest.counts()
        return TicksMost(
            raters=tuple(found),
            codes=tuple(votes.codes[rater] for rater in found),
            ticks=tuple(float(self.ticks[rater]) for rater in found),
            others_tick=float(np.nanmedian(np.delete(self.ticks, found))),
            n_people=self.n_people,
            n_answers=int(self.answers_per_rater[found].sum()),
            without=Report(rest),
            rises=tuple(
                alpha_rise(n[:, label], k[:, label], n_rest[:, label], k_rest[:, label])
                for label in range(len(votes.keys))
            ),
        )

    def _answers_of(self, rater: int) -> npt.NDArray[np.int64]:
        return np.flatnonzero(self.votes.raters == rater)

    # ---- time -------------------------------------------------------------------------------------------------------
    @cached_property
    def answers_by_day(self) -> dict[date, int]:
        """Answers given here; imported ones came all at once."""
        days, counts = np.unique(self.votes.days[~np.isnat(self.votes.days)], return_counts=True)
        return dict(zip(days.tolist(), counts.tolist(), strict=True))

    @property
    def median_seconds(self) -> float | None:
        known = self.votes.seconds[np.isfinite(self.votes.seconds)]
        return float(np.median(known)) if known.size else None


def of_project(project: Project, *, stream: str = "") -> Report:
    """The report of a project, or of one stream of it. One cheap query tells whether the remembered one still holds."""
    newest = Judgment.objects.votes().filter(rater__project=project).aggregate(last=Max("id"), n=Count("id"))
    schema = schemas.in_force(project)
    return _report(project.pk, project.created_at, schema.id, newest["last"], newest["n"], stream)


@lru_cache(maxsize=16)
def _report(project_id: int, made: datetime, schema_id: int, last: int | None, n: int, stream: str) -> Report:
    counted = votes.remembered((project_id, made, schema_id), last, n)
    return Report(counted.of_stream(stream) if stream else counted.overall())


def _label(key: str, name: str, cells: Cells) -> LabelReport:
    alpha = measures.nominal_alpha(cells)
    return LabelReport(
        key=key, name=name, cells=cells, alpha=alpha, ac1=measures.ac1(cells),
        positive_agreement=measures.positive_agreement(cells), negative_agreement=measures.negative_agreement(cells),
        prevalence=measures.prevalence(cells), reading=reading(alpha), positives_needed=positives_needed(alpha, cells),
    )  # fmt: skip


def _lower_end(ticked: npt.NDArray[np.int64]) -> float:
    """Lower end of the 95 % interval of a mean; minus infinity below 20 answers."""
    if ticked.size < FEWEST_ANSWERS:
        return -np.inf
    return float(ticked.mean() - 1.96 * ticked.std(ddof=1) / np.sqrt(ticked.size))
