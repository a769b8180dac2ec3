"""Drift: what each answer given here says of whether its rater has begun to differ more than their pages explain."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import transaction

from labeling import schemas
from labeling.models import Consensus, Judgment, RaterWeek
from labeling.quality import drift
from labeling.quality.cells import MISSING, NO, YES, Floats, Integers
from labeling.quality.usual import Usual

THOUSAND = 1_000
CODES = {"yes": YES, "no": NO}
Weeks = Mapping[tuple[int, str], RaterWeek]  # by rater and stream


@dataclass(slots=True)
class Answer:
    """One answer, as it is read."""

    item: int
    rater: int
    schema: int
    said: dict[str, str]
    at: datetime
    seconds: float | None
    source: str
    purpose: str
    outcome: str
    stream: str


def judged(rows: Iterable[Answer]) -> list[Answer]:
    return [row for row in rows if row.outcome == Judgment.Outcome.JUDGED]


@dataclass(slots=True)
class _Watched:
    """Answers with what the others said of their pages, as rows of arrays."""

    rows: list[Answer] = field(default_factory=list)
    n: list[list[int]] = field(default_factory=list)
    k: list[list[int]] = field(default_factory=list)
    said: list[list[int]] = field(default_factory=list)


def add(weeks: Weeks, rows: list[Answer], schema: schemas.Schema, usual: Mapping[str, Usual]) -> None:
    """Answers given here to pages that others answered too. Imported ones came all at once."""
    given = [row for row in judged(rows) if row.source != Judgment.Source.IMPORT]
    counted = dict(
        Consensus.objects.filter(item__in={row.item for row in given}).values_list("item", "labels")
    ) if given else {}  # fmt: skip
    found, questions = _Watched(), schemas.Questions(schema)
    for row in given:
        said = questions.answered_by(row.said, under=row.schema)
        own = [CODES.get(said.get(key, ""), MISSING) for key in schema.keys]
        n, k = _others(counted.get(row.item, {}), schema.keys, own)
        own = [code if others else MISSING for code, others in zip(own, n, strict=True)]
        if any(code != MISSING for code in own):
            found.rows.append(row)
            found.n.append(n)
            found.k.append(k)
            found.said.append(own)
    if not found.rows:
        return
    for row, (chance, differs) in zip(found.rows, _expected(found, schema.keys, usual), strict=True):
        # At least one thousandth: its sign says whether they differed.
        worth = max(round(THOUSAND * chance), 1)
        minute = int((row.at - _monday_of(row.at)).total_seconds() // 60)
        weeks[row.rater, row.stream].watched.append([minute, worth if differs else -worth])


def _others(labels: dict[str, Any], keys: Sequence[str], own: Sequence[int]) -> tuple[list[int], list[int]]:
    """Yes and no answers of the others to each label, and yes among them."""
    n, k = [], []
    for key, code in zip(keys, own, strict=True):
        counts = labels.get(key, {"yes": 0, "no": 0})
        n.append(max(counts["yes"] + counts["no"] - (code != MISSING), 0))
        k.append(max(counts["yes"] - (code == YES), 0))
    return n, k


def _expected(found: _Watched, keys: Sequence[str], usual: Mapping[str, Usual]) -> list[tuple[float, int]]:
    n, k, said = (np.array(part) for part in (found.n, found.k, found.said))
    p = np.column_stack([usual[key].p_yes(n[:, place], k[:, place]) for place, key in enumerate(keys)])
    rates = (np.array([getattr(usual[key], name) for key in keys]) for name in ("sensitivity", "specificity"))
    chance, differs = drift.on_any_label(drift.expected_disagreement(p, *rates), said, p)
    return list(zip(chance.tolist(), differs.tolist(), strict=True))


def _monday_of(at: datetime) -> datetime:
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


@transaction.atomic
def walk(rater: int) -> None:
    """Walk through everything this rater answered, and note in each week how many alarms it holds."""
    rows = list(RaterWeek.objects.filter(rater=rater).select_for_update().order_by("week", "stream"))
    seen = watched(rows)
    alarms: dict[int, int] = defaultdict(int)
    for place in drift.cusum(*as_arrays(seen)).alarms:
        alarms[seen[place].week_id] += 1
    for row in rows:
        if row.alarms != alarms[row.pk]:
            RaterWeek.objects.filter(pk=row.pk).update(alarms=alarms[row.pk])


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer that is watched for drift: when, how likely an ordinary person differs, whether this one did."""

    week_id: int
    week: date
    minute: int
    expected: float
    differs: bool


def watched(rows: Collection[RaterWeek]) -> list[Seen]:
    """The answers of one rater in the order they were given."""
    found = [
        Seen(row.pk, row.week, minute, abs(worth) / THOUSAND, worth > 0)
        for row in rows
        for minute, worth in row.watched
    ]
    return sorted(found, key=lambda one: (one.week, one.minute))


def as_arrays(seen: Sequence[Seen]) -> tuple[Floats, Integers]:
    """What one lets expect of this person, and whether they differed, as `quality.drift.cusum` takes it."""
    differs = np.array([one.differs for one in seen], dtype=np.int64)
    return drift.own_level(np.array([one.expected for one in seen], dtype=np.float64), differs), differs
