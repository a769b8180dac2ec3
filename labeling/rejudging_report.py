"""What came of samples judged again: agreement and share of yes before and after, and the paired difference."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.functions import Now

from labeling import schemas
from labeling.models import Judgment, Project, Purpose, Rejudging
from labeling.quality.agreement import nominal_alpha, prevalence
from labeling.quality.cells import Cells
from labeling.quality.intervals import Estimate
from labeling.quality.paired import Pages, alpha_change, prevalence_change

AT_ONCE = 500  # pages of samples that are counted while somebody waits for the page


@dataclass(frozen=True, slots=True)
class Effect:
    """One label before and after, and the difference on the same pages."""

    key: str
    name: str
    alpha_before: Estimate
    alpha_after: Estimate
    alpha_change: Estimate
    share_before: Estimate
    share_after: Estimate
    share_change: Estimate


def freshen(project: Project) -> list[Rejudging]:
    """The samples, the newest first; the newest that still waits is counted again if it is small, the rest by a job."""
    rows = list(Rejudging.objects.filter(project=project).order_by("-number"))
    waiting = next((row for row in rows if not is_complete(row)), None)
    if waiting is not None and waiting.size <= AT_ONCE:
        _count(waiting)
    return rows


def count(project: Project) -> int:
    """Count the samples that still wait for answers, or were never counted. Returns how many."""
    rows = [row for row in Rejudging.objects.filter(project=project) if not is_complete(row)]
    for row in rows:
        _count(row)
    return len(rows)


def _count(row: Rejudging) -> None:
    found = _counts(row)
    if found != row.counts:
        row.counts = found
        Rejudging.objects.filter(pk=row.pk).update(counts=found, counted_at=Now())


def is_complete(row: Rejudging) -> bool:
    """Whether everybody who was asked has answered on every label, as it was counted last."""
    return bool(row.counts) and all(
        sum(pages for _, _, n, _, pages in groups if n >= row.overlap) >= row.size for groups in row.counts.values()
    )


def n_answered(row: Rejudging) -> int:
    """Pages that as many people as were asked have judged again, on the label where fewest are."""
    done = [sum(pages for _, _, n, _, pages in groups if n >= row.overlap) for groups in row.counts.values()]
    return min(done, default=0)


def effects(row: Rejudging) -> list[Effect]:
    schema = schemas.by_id(row.schema_id)
    return [_effect(key, schema.label(key).name, Pages.of(row.counts.get(key, []))) for key in row.labels]


def _effect(key: str, name: str, pages: Pages) -> Effect:
    once = pages.where((pages.n_before >= 1) & (pages.n_after >= 1))
    twice = pages.where((pages.n_before >= 2) & (pages.n_after >= 2))
    (share_before, share_after), (alpha_before, alpha_after) = (
        [measure(side) for side in _sides(some)] for measure, some in ((prevalence, once), (nominal_alpha, twice))
    )
    return Effect(
        key, name, alpha_before, alpha_after, alpha_change(pages), share_before, share_after, prevalence_change(pages)
    )


def _sides(pages: Pages) -> tuple[Cells, Cells]:
    before, after = (
        Cells.from_rows(list(zip(n.tolist(), k.tolist(), pages.times.tolist(), strict=True)))
        for n, k in ((pages.n_before, pages.k_before), (pages.n_after, pages.k_after))
    )
    return before, after


def _counts(row: Rejudging) -> dict[str, list[list[int]]]:
    """{label: [[answers before, yes before, answers after, yes after, pages]]}. Unsure is no answer."""
    number = schemas.by_id(row.schema_id).number
    here = Judgment.objects.filter(item__in=row.items, outcome=Judgment.Outcome.JUDGED)
    before = here.votes().filter(schema__number__lt=number)
    again = here.current().filter(purpose=Purpose.REJUDGE, assignment__selection__origin=row.origin)
    said = [_said(before), _said(again)]
    return {key: _grouped([pages.get(key, {}) for pages in said], row.items) for key in row.labels}


def _said(answers: QuerySet[Judgment]) -> dict[str, dict[int, list[int]]]:
    """Label -> page -> [answers, yes]; of each person the last answer to a label counts."""
    last: dict[tuple[str, int, int], str] = {}
    for item, rater, verdicts in answers.order_by("round", "pk").values_list("item", "rater", "verdicts"):
        last.update({(key, item, rater): verdict for key, verdict in verdicts.items()})
    found: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for (key, item, _), verdict in last.items():
        if verdict in {"yes", "no"}:
            found[key][item][0] += 1
            found[key][item][1] += verdict == "yes"
    return found


def _grouped(sides: Sequence[dict[int, list[int]]], items: Iterable[int]) -> list[list[int]]:
    before, after = sides
    nothing = [0, 0]
    groups = Counter((*before.get(item, nothing), *after.get(item, nothing)) for item in items)
    return [[*group, pages] for group, pages in sorted(groups.items())]
