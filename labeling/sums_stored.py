"""Sums added to what the tables hold. The caller holds the project's lock, so that nobody else reads, adds and writes.

Rows that come to nothing are deleted: what is stored then equals a count of everything, row by row.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Model, QuerySet

from labeling.counted import Whose
from labeling.models import AgreementCell, ConfusionCell, PairCell, Project, RaterCell
from labeling.sums import (
    N_PRODUCTS,
    CellKey,
    ConfusionKey,
    ConfusionSum,
    PairKey,
    PairSum,
    Question,
    RaterKey,
    RaterSum,
    Sums,
    named,
)

WHOSE = ("stream", "is_mixed", "is_aided")
PAIR_STEP = 2**31
BATCH = 2_000


def pair_number(rater_a: int, rater_b: int) -> int:
    """Two raters in one number, the smaller first."""
    return rater_a * PAIR_STEP + rater_b


def add(project: Project, sums: Sums) -> None:
    """Add these sums to those of a project."""
    _add_cells(project, sums)
    _add_raters(project, sums)
    _add_pairs(project, sums)
    _add_confusions(project, sums)


def stored(project: Project) -> Sums:
    """All that the tables hold of a project."""
    sums = Sums()
    for cell in AgreementCell.objects.filter(project=project).iterator():
        sums.cells[_cell_key(cell)] = cell.count
    for rater in RaterCell.objects.filter(project=project).iterator():
        sums.raters[_rater_key(rater)] = _rater_sum(rater)
    for pair in PairCell.objects.filter(project=project).iterator():
        sums.pairs[_pair_key(pair)] = _pair_sum(pair)
    for both in ConfusionCell.objects.filter(project=project).iterator():
        sums.confusions[_confusion_key(both)] = ConfusionSum(both.n, both.k, both.swaps)
    return sums


# ---- one table each -------------------------------------------------------------------------------------------------
def _add_cells(project: Project, sums: Sums) -> None:
    changes = {key: times for key, times in sums.cells.items() if times}
    known = {_cell_key(row): row for row in _of_weeks(AgreementCell.objects.all(), project, changes)}
    rows = []
    for key, times in changes.items():
        row = known.get(key) or AgreementCell(
            project=project, **_whose(key.whose), label=key.question[0], revision=key.question[1], week=key.week,
            n=key.n, k=key.k, count=0,
        )  # fmt: skip
        row.count += times
        rows.append(row)
    _write(AgreementCell, rows, ("count",), is_nothing=lambda row: row.count == 0)


def _add_raters(project: Project, sums: Sums) -> None:
    known = {_rater_key(row): row for row in _of_weeks(RaterCell.objects.all(), project, sums.raters)}
    rows = []
    for key, change in sums.raters.items():
        row = known.get(key) or RaterCell(
            project=project, **_whose(key.whose), rater_id=key.rater, week=key.week, labels={}
        )
        row.n_answers += change.n_answers
        row.n_counted += change.n_counted
        row.ticks += change.ticks
        row.ticks_squared += change.ticks_squared
        labels = {name: dict(cells) for name, cells in row.labels.items()}
        for question, cells in change.labels.items():
            into = labels.setdefault(named(question), {})
            for cell, times in cells.items():
                name = ".".join(map(str, cell))
                into[name] = into.get(name, 0) + times
        row.labels = _without_nothing(labels)
        rows.append(row)
    fields = ("n_answers", "n_counted", "ticks", "ticks_squared", "labels")
    _write(RaterCell, rows, fields, is_nothing=lambda row: row.n_answers == 0)


def _without_nothing(labels: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    left = {name: {cell: n for cell, n in sorted(cells.items()) if n} for name, cells in sorted(labels.items())}
    return {name: cells for name, cells in left.items() if cells}


def _add_pairs(project: Project, sums: Sums) -> None:
    known: dict[PairKey, PairCell] = {}
    for chunk in _batches(sorted({pair_number(key.rater_a, key.rater_b) for key in sums.pairs})):
        known |= {_pair_key(row): row for row in PairCell.objects.filter(pair__in=chunk)}
    rows = []
    for key, change in sums.pairs.items():
        row = known.get(key) or PairCell(
            project=project, **_whose(key.whose), rater_a_id=key.rater_a, rater_b_id=key.rater_b,
            pair=pair_number(key.rater_a, key.rater_b), labels={},
        )  # fmt: skip
        row.n += change.n
        row.products = [old + new for old, new in zip(row.products or [0] * N_PRODUCTS, change.products, strict=True)]
        labels = dict(row.labels)
        for question, table in change.labels.items():
            before = labels.get(named(question), [0, 0, 0, 0])
            labels[named(question)] = [old + new for old, new in zip(before, table, strict=True)]
        row.labels = {name: table for name, table in sorted(labels.items()) if any(table)}
        row.n11, row.n10, row.n01, row.n00 = (sum(table[place] for table in row.labels.values()) for place in range(4))
        rows.append(row)
    fields = ("n", "n11", "n10", "n01", "n00", "products", "labels")
    _write(PairCell, rows, fields, is_nothing=lambda row: row.n == 0)


def _add_confusions(project: Project, sums: Sums) -> None:
    known = {_confusion_key(row): row for row in _of_weeks(ConfusionCell.objects.all(), project, sums.confusions)}
    rows = []
    for key, change in sums.confusions.items():
        row = known.get(key) or ConfusionCell(
            project=project, **_whose(key.whose), label_a=key.left[0], revision_a=key.left[1], label_b=key.right[0],
            revision_b=key.right[1], week=key.week, n=0, k=0, swaps=0,
        )  # fmt: skip
        row.n += change.n
        row.k += change.k
        row.swaps += change.swaps
        rows.append(row)
    _write(ConfusionCell, rows, ("n", "k", "swaps"), is_nothing=lambda row: row.n == 0)


# ---- rows and keys --------------------------------------------------------------------------------------------------
def _whose(whose: Whose) -> dict[str, Any]:
    return dict(zip(WHOSE, whose, strict=True))


def _whose_of(row: Any) -> Whose:
    return Whose(row.stream, row.is_mixed, row.is_aided)


def _cell_key(row: AgreementCell) -> CellKey:
    return CellKey(_whose_of(row), (row.label, row.revision), row.week, row.n, row.k)


def _rater_key(row: RaterCell) -> RaterKey:
    return RaterKey(_whose_of(row), row.rater_id, row.week)


def _pair_key(row: PairCell) -> PairKey:
    return PairKey(_whose_of(row), row.rater_a_id, row.rater_b_id)


def _confusion_key(row: ConfusionCell) -> ConfusionKey:
    return ConfusionKey(_whose_of(row), (row.label_a, row.revision_a), (row.label_b, row.revision_b), row.week)


def _rater_sum(row: RaterCell) -> RaterSum:
    found = RaterSum(row.n_answers, row.n_counted, row.ticks, row.ticks_squared)
    for name, cells in row.labels.items():
        for cell, times in cells.items():
            n, k, own = map(int, cell.split("."))
            found.labels[question_of(name)][n, k, own] = times
    return found


def _pair_sum(row: PairCell) -> PairSum:
    found = PairSum(row.n, list(row.products))
    for name, table in row.labels.items():
        found.labels[question_of(name)] = list(table)
    return found


def question_of(name: str) -> Question:
    key, revision = name.rsplit(":", 1)
    return key, int(revision)


def _of_weeks(rows: "QuerySet[Any]", project: Project, changes: Iterable[Any]) -> "QuerySet[Any]":
    return rows.filter(project=project, week__in=sorted({key.week for key in changes}))


def _batches(numbers: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), BATCH):
        yield numbers[start : start + BATCH]


def _write(model: type[Model], rows: list[Any], fields: tuple[str, ...], *, is_nothing: Any) -> None:
    """One statement a batch: a row that is there already is overwritten."""
    manager: Any = model._default_manager
    over = [row.pk for row in rows if is_nothing(row) and row.pk]
    left = [row for row in rows if not is_nothing(row)]
    for row in left:
        row.pk = None  # what they are told apart by is their key
    unique: Any = model._meta.constraints[0]
    manager.bulk_create(
        left, batch_size=BATCH, update_conflicts=True, unique_fields=list(unique.fields), update_fields=list(fields)
    )
    for chunk in _batches(over):
        manager.filter(pk__in=chunk).delete()
