"""How each person answers, from counts that jobs keep: beside known answers, the others and themself. Never a rank.

- Known answers: pages of the pool, with plain intervals. Decisions are none of it: pages come to be decided because
  people differ on them, and whoever is asked about the hard ones would look bad.
- The others: what they say of a page without the person's own answer, as answers of the label's usual rater
  (quality/others.py). Model-based, with a wider interval; for talking to people, not for deciding about them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from django.db.models import QuerySet

from labeling import schemas, usual_raters, watching
from labeling.models import Label, Project, Rater, RaterCell, RaterWeek
from labeling.quality import drift
from labeling.quality.agreement import nominal_alpha
from labeling.quality.cells import Cells, Floats, Integers
from labeling.quality.intervals import Estimate, proportion, undefined
from labeling.quality.others import N_BINS, Against, Binned, against_others, bin_of
from labeling.quality.repeats import FEWEST_FOR_KAPPA, NO_REPEAT, SelfConsistency
from labeling.quality.speeds import median_seconds
from labeling.quality.usual import Usual

NOTHING_KNOWN = "no known answer yet"
PERIODS = (4, 12, 52)  # weeks that can be asked for
COUNTED = (
    "Known answers: pages whose answer is known, with the Jeffreys interval. The others: what other people say of the "
    "same pages, without the person’s own answer, read by how often the label’s usual rater is right; the interval is "
    "widened by 1.3, because it rests on that model."
)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which answers. weeks: the last so many, all when None. stream: of pages chosen in one way, any when empty."""

    weeks: int | None = None
    stream: str = ""

    def since(self, today: date) -> date | None:
        return None if self.weeks is None else monday_of(today) - timedelta(weeks=self.weeks - 1)


@dataclass(frozen=True, slots=True)
class LabelRates:
    """One person on one label."""

    key: str
    name: str
    known: Against
    others: Against
    again: SelfConsistency


@dataclass(frozen=True, slots=True)
class Person:
    """One person in figures. `n_answers`: of every kind, `n_compared`: beside answers of others."""

    rater_id: int
    code: str
    username: str  # empty for raters of an imported file
    user_id: int | None
    n_answers: int
    n_compared: int
    seconds: Estimate
    again_pages: Estimate
    known_pages: int
    labels: tuple[LabelRates, ...]
    alarms: tuple[date, ...]  # Mondays of the weeks with an alarm of drift
    points: int
    serious: int

    def on(self, key: str) -> LabelRates:
        return next(label for label in self.labels if label.key == key)


@dataclass(frozen=True, slots=True)
class Report:
    people: tuple[Person, ...]  # in the order of the alphabet
    labels: tuple[tuple[str, str], ...]  # key and name, as people see them
    usual: Mapping[str, Usual]


def of_project(
    project: Project, filters: Filters, *, today: date, raters: QuerySet[Rater] | None = None, until: date | None = None
) -> Report:
    """Everybody who answered, or these raters alone. `until`: weeks before this Monday only."""
    schema = schemas.in_force_if_any(project)
    if schema is None:
        return Report((), (), {})
    usual = usual_raters.of_project(project, schema)
    chosen = {rater.pk: rater for rater in _raters(project, raters)}
    weeks = _within(RaterWeek.objects.filter(project=project), filters, today, until)
    cells = _within(usual_raters.whole(RaterCell.objects.filter(project=project), stream=filters.stream),
                    replace(filters, stream=""), today, until)  # fmt: skip
    if raters is not None:
        weeks, cells = weeks.filter(rater__in=chosen), cells.filter(rater__in=chosen)
    found = _tallied(weeks, cells)
    people = _people({pk: chosen[pk] for pk in found if pk in chosen}, found, schema, usual)
    labels = tuple((label.key, label.name) for label in schema.asked)
    return Report(tuple(sorted(people, key=lambda one: (one.username or one.code).lower())), labels, usual)


def _raters(project: Project, raters: QuerySet[Rater] | None) -> QuerySet[Rater]:
    return (Rater.objects.filter(project=project) if raters is None else raters).select_related("user")


def _within(rows: QuerySet, filters: Filters, today: date, until: date | None) -> QuerySet:  # type: ignore[type-arg]
    since = filters.since(today)
    rows = rows.filter(week__gte=since) if since else rows
    rows = rows.filter(week__lt=until) if until else rows
    return rows.filter(stream=filters.stream) if filters.stream else rows


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


# ---- adding up ------------------------------------------------------------------------------------------------------
class _Tally:
    """The weeks of one rater, added up."""

    def __init__(self) -> None:
        self.n_answers = self.n_compared = self.known_pages = self.again_pages = self.again_alike = 0
        self.points = self.serious = 0
        self.speeds: Counter[int] = Counter()
        self.known: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        self.again: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        self.beside: dict[str, Counter[str]] = defaultdict(Counter)  # question -> "n.k.own" -> pages
        self.alarms: set[date] = set()


WEEK = (
    "rater", "week", "n_answers", "speeds", "points", "serious", "known", "known_pages", "again", "again_pages",
    "again_alike", "alarms",
)  # fmt: skip


def _tallied(weeks: QuerySet[RaterWeek], cells: QuerySet[RaterCell]) -> dict[int, _Tally]:
    found: dict[int, _Tally] = defaultdict(_Tally)
    for rater, week, n, speeds, points, serious, known, known_pages, again, pages, alike, alarms in weeks.values_list(
        *WEEK
    ):
        into = found[rater]
        into.n_answers += n
        into.points += points
        into.serious += serious
        into.known_pages += known_pages
        into.again_pages += pages
        into.again_alike += alike
        for which, count in speeds.items():
            into.speeds[int(which)] += count
        for counts, total in ((known, into.known), (again, into.again)):
            for question, parts in counts.items():
                total[question] = [a + b for a, b in zip(total[question], parts, strict=True)]
        if alarms:
            into.alarms.add(week)
    for rater, n_counted, labels in cells.values_list("rater", "n_counted", "labels"):
        into = found[rater]
        into.n_compared += n_counted
        for question, pages_of in labels.items():
            into.beside[question].update(pages_of)
    return found


def _people(
    raters: Mapping[int, Rater], found: Mapping[int, _Tally], schema: schemas.Schema, usual: Mapping[str, Usual]
) -> list[Person]:
    others = _others(raters, found, schema, usual)
    return [
        Person(
            rater_id=pk, code=rater.code, username=rater.user.username if rater.user else "", user_id=rater.user_id,
            n_answers=max(tally.n_answers, tally.n_compared), n_compared=tally.n_compared,
            seconds=median_seconds(tally.speeds),
            again_pages=proportion(tally.again_alike, tally.again_pages, nothing=NO_REPEAT),
            known_pages=tally.known_pages,
            labels=tuple(_rates(label, tally, others[pk, label.key]) for label in schema.asked),
            alarms=tuple(sorted(tally.alarms)), points=tally.points, serious=tally.serious,
        )
        for pk, rater in raters.items()
        for tally in [found[pk]]
    ]  # fmt: skip


def _question(label: Label) -> str:
    return f"{label.key}:{label.revision}"


def _rates(label: Label, tally: _Tally, others: Against) -> LabelRates:
    yes, yes_right, no, no_right = tally.known.get(_question(label), (0, 0, 0, 0))
    known = Against(proportion(yes_right, yes, nothing=NOTHING_KNOWN), proportion(no_right, no, nothing=NOTHING_KNOWN))
    return LabelRates(label.key, label.name, known, others, _consistency(tally.again.get(_question(label), (0, 0, 0))))


def _consistency(again: Sequence[int]) -> SelfConsistency:
    none, one, both = again
    n = none + one + both
    same = proportion(none + both, n, nothing=NO_REPEAT)
    if n < FEWEST_FOR_KAPPA:
        return SelfConsistency(same, undefined(f"{n} of {FEWEST_FOR_KAPPA} pages asked twice", n=n))
    return SelfConsistency(same, nominal_alpha(Cells.from_rows([(2, k, pages) for k, pages in enumerate(again)])))


def _others(
    raters: Iterable[int], found: Mapping[int, _Tally], schema: schemas.Schema, usual: Mapping[str, Usual]
) -> dict[tuple[int, str], Against]:
    """Rater and label key -> rates against the others, all in one fit."""
    places = [(rater, label) for rater in raters for label in schema.asked]
    n, yes, p = (np.zeros((len(places), N_BINS)) for _ in range(3))
    for row, (rater, label) in enumerate(places):
        counts = found[rater].beside.get(_question(label))
        if not counts:
            continue
        answers, ticks, own, pages = np.array([(*map(int, key.split(".")), c) for key, c in counts.items()]).T
        with_others = answers > 1
        answers, ticks, own, pages = (part[with_others] for part in (answers, ticks, own, pages))
        chance = usual[label.key].p_yes(answers - 1, ticks - own)
        which = bin_of(chance)
        for table, weight in ((n, pages), (yes, pages * own), (p, pages * chance)):
            np.add.at(table[row], which, weight)
    rates = against_others(Binned(n, yes, p))
    return {(rater, label.key): one for (rater, label), one in zip(places, rates, strict=True)}


# ---- drift of one person --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class DriftWeek:
    """A week of answers beside those of others: share that differs, and the limits of what the pages explain."""

    monday: date
    differs: Estimate
    low: float
    high: float
    alarms: int


def drift_of(project: Project, rater: Rater, filters: Filters, *, today: date) -> list[DriftWeek]:
    """Week by week, in order; weeks without such an answer are not there."""
    rows = _within(RaterWeek.objects.filter(project=project, rater=rater), filters, today, None)
    seen = watching.watched(list(rows.order_by("week", "stream")))
    expected, differs = watching.as_arrays(seen)
    alarms = Counter(seen[place].week for place in drift.cusum(expected, differs).alarms)
    weeks: dict[date, list[int]] = defaultdict(list)
    for place, one in enumerate(seen):
        weeks[one.week].append(place)
    return [_drift_week(monday, expected[places], differs[places], alarms[monday]) for monday, places in weeks.items()]


def _drift_week(monday: date, expected: Floats, differs: Integers, alarms: int) -> DriftWeek:
    n, middle = expected.size, float(expected.mean())
    reach = 1.96 * float(np.sqrt((expected * (1 - expected)).sum())) / n
    share = proportion(int(differs.sum()), n)
    return DriftWeek(monday, share, max(middle - reach, 0.0), min(middle + reach, 1.0), alarms)
