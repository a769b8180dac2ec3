"""Read-only numbers for dashboards, from the sums that summaries.py keeps: no answer is read to show a page."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from django.db.models import Sum

from labeling import counted, schemas, summaries
from labeling.label_reports import LabelReport, of_cells
from labeling.models import AgreementCell, AgreementSummary, Project, Rater, RaterCell
from labeling.pair_sums import Pairs
from labeling.quality import agreement as measures
from labeling.quality.cells import Cells
from labeling.quality.contrast import alpha_rise
from labeling.quality.intervals import Estimate, undefined
from labeling.quality.readings import Reading
from labeling.quality.trend import Week, by_week
from labeling.sums import ANYTHING, Question, named
from labeling.whole_answers import FEWEST_ANSWERS, name_of

COUNTED = counted.WHAT_COUNTS
NOT_NARROWED = "on whole answers only over all weeks and people"


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which answers: to pages chosen in one way, of some weeks (their Mondays), with a suggestion in sight or without;
    or to the pages that one person (by their rater's number) answered."""

    stream: str = ""
    is_aided: bool = False
    since: date | None = None
    until: date | None = None
    rater: int | None = None

    @property
    def is_part(self) -> bool:
        """Whether more than a stream is chosen: what is worked out on whole answers is not known of such a part."""
        return bool(self.since or self.until or self.rater)


EVERYTHING = Narrowed()


@dataclass(frozen=True, slots=True)
class Who:
    """The labels in force and the raters, by index: keys and names of labels, ids and pseudonyms of people."""

    keys: tuple[str, ...]
    names: tuple[str, ...]
    questions: tuple[Question, ...]
    rater_ids: tuple[int, ...]
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Without:
    """Agreement when some people's answers are left out."""

    labels: tuple[LabelReport, ...]


@dataclass(frozen=True)
class TicksMost:
    """People who tick more than half of the labels on an average page, and agreement without them."""

    raters: tuple[int, ...]
    codes: tuple[str, ...]
    ticks: tuple[float, ...]
    others_tick: float
    n_people: int
    n_answers: int
    without: Without
    rises: tuple[Estimate, ...]

    @property
    def risen(self) -> list[int]:
        """Labels on which agreement rises for certain: the interval of the paired difference lies above 0."""
        return [place for place, rise in enumerate(self.rises) if rise.low is not None and rise.low > 0]

    @property
    def matters(self) -> bool:
        return 2 * len(self.risen) > len(self.rises)


class Work(NamedTuple):
    """What one person did: all their votes, those that agreement counts, and the labels ticked in these."""

    n_answers: int
    n_counted: int
    ticks: int


CellRow = tuple[date, int, int, int]  # week, n, k, pages
OwnCells = dict[tuple[int, int, int], int]  # n, k, own verdict -> pages


@dataclass(frozen=True, eq=False)
class Report:
    """Everything the agreement pages say, read from the sums at first need."""

    project: Project
    schema: schemas.Schema
    narrowed: Narrowed = EVERYTHING
    n_waiting: int = 0  # pages whose answers changed and are not counted yet
    _pairs: dict[str | None, Pairs] = field(default_factory=dict)

    # ---- what is read -----------------------------------------------------------------------------------------------
    @cached_property
    def votes(self) -> Who:
        """Labels and people by index."""
        raters = dict(Rater.objects.filter(project=self.project).order_by("code").values_list("pk", "code"))
        asked = self.schema.asked
        return Who(self.schema.keys, tuple(label.name for label in asked), summaries.asked_in(self.schema),
                   tuple(raters), tuple(raters.values()))  # fmt: skip

    @cached_property
    def summary(self) -> AgreementSummary | None:
        return AgreementSummary.objects.filter(project=self.project).first()

    @property
    def counted_at(self) -> datetime | None:
        """When the sums were last brought up to date."""
        return self.summary.counted_at if self.summary else None

    @property
    def whole(self) -> dict[str, Any]:
        """What the job worked out on whole answers."""
        views = self.summary.views if self.summary and not self.narrowed.is_part else {}
        found: dict[str, Any] = views.get(name_of(self.narrowed.stream, is_aided=self.narrowed.is_aided), {})
        return found

    @cached_property
    def rows(self) -> dict[Question, list[CellRow]]:
        """The cells of every question, week by week."""
        return self._rows_of_pages_of(self.narrowed.rater) if self.narrowed.rater else self._rows_of_all()

    def _rows_of_all(self) -> dict[Question, list[CellRow]]:
        summed = (
            AgreementCell.objects.of(self.project, stream=self.narrowed.stream, is_aided=self.narrowed.is_aided)
            .between(self.narrowed.since, self.narrowed.until)
            .values_list("label", "revision", "week", "n", "k")
            .annotate(pages=Sum("count"))
            .order_by()
        )
        found: dict[Question, list[CellRow]] = defaultdict(list)
        for label, revision, *row in summed:
            found[label, revision].append(tuple(row))
        return found

    def _rows_of_pages_of(self, rater: int) -> dict[Question, list[CellRow]]:
        found: dict[Question, list[CellRow]] = defaultdict(list)
        for week, labels in self._rater_rows([rater]).values_list("week", "labels"):
            for question in self.votes.questions:
                for (n, k, _), pages in own_cells(labels.get(named(question), {})):
                    found[question].append((week, n, k, pages))
        return found

    def _rater_rows(self, raters: Iterable[int] | None = None) -> Any:
        rows = RaterCell.objects.of(self.project, stream=self.narrowed.stream, is_aided=self.narrowed.is_aided)
        rows = rows.between(self.narrowed.since, self.narrowed.until)
        return rows if raters is None else rows.filter(rater__in=list(raters))

    @cached_property
    def work(self) -> dict[int, Work]:
        """By index of the rater: what everyone did here."""
        summed = (
            self._rater_rows().values_list("rater")
            .annotate(answers=Sum("n_answers"), counted=Sum("n_counted"), ticked=Sum("ticks")).order_by()
        )  # fmt: skip
        place = {rater: index for index, rater in enumerate(self.votes.rater_ids)}
        return {place[rater]: Work(*numbers) for rater, *numbers in summed if rater in place}

    # ---- all together -----------------------------------------------------------------------------------------------
    @cached_property
    def n_answers(self) -> int:
        return sum(work.n_answers for work in self.work.values())

    @cached_property
    def n_counted(self) -> int:
        """Answers that agreement rests on."""
        return sum(work.n_counted for work in self.work.values())

    @cached_property
    def answers_per_rater(self) -> npt.NDArray[np.int64]:
        found = np.zeros(len(self.votes.codes), dtype=np.int64)
        for rater, work in self.work.items():
            found[rater] = work.n_counted
        return found

    @property
    def n_people(self) -> int:
        return int((self.answers_per_rater > 0).sum())

    @cached_property
    def labels(self) -> tuple[LabelReport, ...]:
        """Every label, in the order people see them."""
        votes = self.votes
        return tuple(
            of_cells(key, name, Cells.from_rows(row[1:] for row in self.rows.get(question, ())))
            for key, name, question in zip(votes.keys, votes.names, votes.questions, strict=True)
        )

    @property
    def by_lower_end(self) -> list[LabelReport]:
        """The surest first; labels about which nothing can be told at the end."""
        return sorted(self.labels, key=lambda label: (label.alpha.low is None, -(label.alpha.low or 0), label.name))

    @cached_property
    def readings(self) -> Counter[Reading]:
        return Counter(label.reading for label in self.labels)

    @cached_property
    def set_alphas(self) -> dict[str, Estimate]:
        """Agreement on whole answers, MASI and Jaccard."""
        nothing = undefined(NOT_NARROWED if self.narrowed.is_part else measures.NO_PAIR).as_dict()
        return {name: Estimate(**self.whole.get(name, nothing)) for name in ("masi", "jaccard")}

    @cached_property
    def answers_per_page(self) -> tuple[int, int]:
        """The fewest and the most people who answered one page."""
        n = [row[1] for row in self.rows.get(ANYTHING, ())]
        return (min(n), max(n)) if n else (0, 0)

    @cached_property
    def n_pages(self) -> int:
        return sum(row[3] for row in self.rows.get(ANYTHING, ()))

    def weeks(self, key: str) -> list[Week]:
        """Alpha of one label on the pages of each week."""
        question = self.votes.questions[self.votes.keys.index(key)]
        return by_week(self.rows.get(question, ()))

    # ---- people -----------------------------------------------------------------------------------------------------
    @property
    def pairs(self) -> Pairs:
        return self.pairs_on(None)

    def pairs_on(self, key: str | None) -> Pairs:
        """Kappa of every two people, on one label or pooled over all."""
        return self._read_pairs(key, None)

    def pair(self, left: int, right: int, key: str | None = None) -> Estimate:
        """Kappa of two people with its interval; undefined under 20 pages in common."""
        known = self._pairs.get(key)
        if known is None or not known.covers(left, right):
            known = self._read_pairs(key, [left, right])
        return known.estimate(left, right)

    def _read_pairs(self, key: str | None, raters: list[int] | None) -> Pairs:
        question = self.votes.questions[self.votes.keys.index(key)] if key is not None else None
        self._pairs[key] = Pairs.read(
            self.project, self.votes.rater_ids, raters, stream=self.narrowed.stream, is_aided=self.narrowed.is_aided,
            question=question,
        )  # fmt: skip
        return self._pairs[key]

    def busiest(self, most: int, *, key: str | None = None, among: Iterable[int] | None = None) -> list[int]:
        """The people with the most answers, ordered by how much they agree with the others shown."""
        by_work = np.argsort(-self.answers_per_rater, kind="stable")
        asked = None if among is None else set(among)
        chosen = [
            int(rater)
            for rater in by_work
            if self.answers_per_rater[rater] >= FEWEST_ANSWERS and (asked is None or int(rater) in asked)
        ][:most]
        return self._read_pairs(key, chosen).by_agreement(chosen)

    @cached_property
    def ticks(self) -> npt.NDArray[np.float64]:
        """Labels ticked on an average page, per person: (n_raters,); NaN without an answer."""
        found = np.full(len(self.votes.codes), np.nan)
        for rater, work in self.work.items():
            if work.n_counted:
                found[rater] = work.ticks / work.n_counted
        return found

    def own_cells_of(self, raters: Iterable[int]) -> dict[int, dict[Question, OwnCells]]:
        """By index of the rater and question: pages by answers, yes among them and what this person said."""
        place = {self.votes.rater_ids[rater]: rater for rater in raters}
        found: dict[int, dict[Question, OwnCells]] = {rater: defaultdict(dict) for rater in place.values()}
        for rater_id, labels in self._rater_rows(place).values_list("rater", "labels"):
            for question in self.votes.questions:
                into = found[place[rater_id]][question]
                for cell, pages in own_cells(labels.get(named(question), {})):
                    into[cell] = into.get(cell, 0) + pages
        return found

    def rises_without(self, raters: Iterable[int]) -> dict[int, tuple[Estimate, ...]]:
        """By how much alpha of each label rises if one person's answers are left out, for each of these people."""
        own = self.own_cells_of(raters)
        return {
            rater: tuple(
                _rise_without(label.cells, of[question])
                for label, question in zip(self.labels, self.votes.questions, strict=True)
            )
            for rater, of in own.items()
        }

    @cached_property
    def ticks_most(self) -> TicksMost | None:
        """People of 20 answers or more who surely tick more than half of the labels of an average page."""
        known = self.whole.get("ticks_most")
        place = {rater: index for index, rater in enumerate(self.votes.rater_ids)}
        if not known or any(rater not in place for rater in known["raters"]):
            return None
        found = [place[rater] for rater in known["raters"]]
        rest = Without(
            tuple(
                of_cells(key, name, Cells.from_rows(tuple(row) for row in rows))
                for key, name, rows in zip(self.votes.keys, self.votes.names, known["without"], strict=True)
            )
        )
        return TicksMost(
            raters=tuple(found),
            codes=tuple(self.votes.codes[rater] for rater in found),
            ticks=tuple(float(self.ticks[rater]) for rater in found),
            others_tick=float(np.nanmedian(np.delete(self.ticks, found))),
            n_people=self.n_people,
            n_answers=int(self.answers_per_rater[found].sum()),
            without=rest,
            rises=tuple(Estimate(**rise) for rise in known["rises"]),
        )


def of_project(project: Project, narrowed: Narrowed = EVERYTHING, *, stream: str = "") -> Report:
    """The report of a project, or of a part of it. What changed just now is counted first, if it is little."""
    if stream:
        narrowed = Narrowed(stream=stream)
    waiting = summaries.freshen(project)
    return Report(project, schemas.in_force(project), narrowed, waiting)


def own_cells(stored: Mapping[str, int]) -> Iterable[tuple[tuple[int, int, int], int]]:
    """What RaterCell holds of one label, as numbers."""
    for cell, pages in stored.items():
        n, k, own = map(int, cell.split("."))
        yield (n, k, own), pages


def _rise_without(whole: Cells, own: OwnCells) -> Estimate:
    """Pages the person did not answer stay as they are; of the others their answer is taken out."""
    left = dict(zip(zip(whole.n.tolist(), whole.k.tolist(), strict=True), whole.count.tolist(), strict=True))
    rows = []
    for (n, k, said), pages in own.items():
        left[n, k] = left.get((n, k), 0) - pages
        rows.append((n, k, n - 1, k - said, pages))
    rows += [(n, k, n, k, pages) for (n, k), pages in left.items() if pages > 0]
    before_n, before_k, after_n, after_k, count = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    return alpha_rise(before_n, before_k, after_n, after_k, count=count)
