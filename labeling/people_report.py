"""How each person answers, from counts that jobs keep: beside known answers, the others and themself. Never a rank.

- Known answers: pages of the pool, with plain intervals. Decisions are none of it: pages come to be decided because
  people differ on them, and whoever is asked about the hard ones would look bad.
- The others: what they say of a page without the person's own answer, as answers of the label's usual rater
  (quality/others.py). Model-based, with a wider interval; for talking to people, not for deciding about them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db.models import QuerySet

from labeling import rater_totals, schemas, usual_raters, watching
from labeling.models import Label, Project, Rater, RaterWeek
from labeling.quality import drift
from labeling.quality.agreement import nominal_alpha
from labeling.quality.cells import Cells, Floats, Integers
from labeling.quality.intervals import Estimate, proportion, undefined
from labeling.quality.others import N_BINS, Against, Binned, against_others
from labeling.quality.repeats import FEWEST_FOR_KAPPA, NO_REPEAT, SelfConsistency
from labeling.quality.speeds import median_seconds
from labeling.quality.usual import Usual
from labeling.rater_tallies import N_AGAIN, N_KNOWN, Parts, Totals, question_of
from labeling.rater_totals import monday_of, since

NOTHING_KNOWN = "no known answer yet"
NOTHING = Parts([0] * N_KNOWN, [0] * N_AGAIN, np.zeros((3, N_BINS)))
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
        return None if self.weeks is None else since(self.weeks, monday_of(today))


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
    """Everybody who answered, or these raters alone, as the job counted them last. `until`: weeks before this Monday
    only, added up now."""
    schema = schemas.in_force_if_any(project)
    if schema is None:
        return Report((), (), {})
    rows = Rater.objects.filter(project=project) if raters is None else raters
    chosen = {rater.pk: rater for rater in rows.select_related("user")}
    if until is None:
        only = None if raters is None else list(chosen)
        found = rater_totals.kept(project, weeks=filters.weeks, stream=filters.stream, raters=only)
    else:
        found = _before(project, schema, chosen, filters, until=until, monday=monday_of(today))
    people = _people({pk: chosen[pk] for pk in found if pk in chosen}, found, schema)
    labels = tuple((label.key, label.name) for label in schema.asked)
    in_order = sorted(people, key=lambda one: (one.username or one.code).lower())
    return Report(tuple(in_order), labels, usual_raters.of_project(project, schema))


def _before(
    project: Project, schema: schemas.Schema, raters: Iterable[int], filters: Filters, *, until: date, monday: date
) -> dict[int, Totals]:
    found = {
        pk: rater_totals.before(
            project, schema, pk, weeks=filters.weeks, stream=filters.stream, until=until, monday=monday
        )
        for pk in raters
    }
    return {pk: totals for pk, totals in found.items() if totals is not None}


def _people(raters: Mapping[int, Rater], found: Mapping[int, Totals], schema: schemas.Schema) -> list[Person]:
    others = _others(raters, found, schema)
    return [
        Person(
            rater_id=pk, code=rater.code, username=rater.user.username if rater.user else "", user_id=rater.user_id,
            n_answers=max(sums["n_answers"], sums["n_compared"]), n_compared=sums["n_compared"],
            seconds=median_seconds(found[pk].speeds),
            again_pages=proportion(sums["again_alike"], sums["again_pages"], nothing=NO_REPEAT),
            known_pages=sums["known_pages"],
            labels=tuple(_rates(label, found[pk], others[pk, label.key]) for label in schema.asked),
            alarms=tuple(found[pk].alarms), points=sums["points"], serious=sums["serious"],
        )
        for pk, rater in raters.items()
        for sums in [found[pk].sums]
    ]  # fmt: skip


def _rates(label: Label, totals: Totals, others: Against) -> LabelRates:
    parts = totals.questions.get(question_of(label.key, label.revision), NOTHING)
    yes, yes_right, no, no_right = parts.known
    known = Against(proportion(yes_right, yes, nothing=NOTHING_KNOWN), proportion(no_right, no, nothing=NOTHING_KNOWN))
    return LabelRates(label.key, label.name, known, others, _consistency(parts.again))


def _consistency(again: Sequence[int]) -> SelfConsistency:
    none, one, both = again
    n = none + one + both
    same = proportion(none + both, n, nothing=NO_REPEAT)
    if n < FEWEST_FOR_KAPPA:
        return SelfConsistency(same, undefined(f"{n} of {FEWEST_FOR_KAPPA} pages asked twice", n=n))
    return SelfConsistency(same, nominal_alpha(Cells.from_rows([(2, k, pages) for k, pages in enumerate(again)])))


def _others(
    raters: Iterable[int], found: Mapping[int, Totals], schema: schemas.Schema
) -> dict[tuple[int, str], Against]:
    """Rater and label key -> rates against the others, all in one fit."""
    places = [(rater, label.key, question_of(label.key, label.revision)) for rater in raters for label in schema.asked]
    tables = [found[rater].questions.get(question, NOTHING).beside for rater, _, question in places]
    n, yes, p = np.array(tables).reshape(len(places), 3, N_BINS).transpose(1, 0, 2)
    rates = against_others(Binned(n, yes, p))
    return {(rater, key): one for (rater, key, _), one in zip(places, rates, strict=True)}


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
    rows, start = RaterWeek.objects.filter(project=project, rater=rater), filters.since(today)
    rows = rows.filter(week__gte=start) if start else rows
    rows = rows.filter(stream=filters.stream) if filters.stream else rows
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
