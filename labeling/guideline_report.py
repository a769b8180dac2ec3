"""Where the guideline fails: labels people mix up or differ on, and the pages that show it. Read from kept counts."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Sum

from labeling import flags, schemas, usual_raters
from labeling.models import AgreementCell, ConfusionCell, Consensus, Counted, Dispute, Flag, FlagKind, Label, Project
from labeling.quality.intervals import Estimate, proportion
from labeling.quality.label_pairs import NO_DISPUTE

FEWEST_PAGES = 20  # on which people differ about either label: below, a share says nothing
LOOKED_AT = 300  # pages looked at for those to show
SHOWN = 30
NO_TWO_ANSWERS = "no page with two answers yet"
COUNTED = (
    "Of the pages on which people differ about one of the two labels, those on which one person says the first and not "
    "the second and another the second and not the first. With its Jeffreys interval over pages."
)


@dataclass(frozen=True, slots=True)
class Confusion:
    """Two labels, and how often people swap them. `pages` of the share's n; `swaps`: pairs of answers that do."""

    left: Label
    right: Label
    pages: int
    swaps: int
    share: Estimate

    @property
    def is_known(self) -> bool:
        return self.share.n >= FEWEST_PAGES

    def other(self, key: str) -> Label:
        return self.right if self.left.key == key else self.left


@dataclass(frozen=True, slots=True)
class Contested:
    """One label: the share of pages answered twice on which people differ, and what people miss in its definition."""

    label: Label
    differs: Estimate
    flags: int  # open ones that say that the guideline does not say
    confusions: tuple[Confusion, ...]  # the most swaps first


@dataclass(frozen=True, slots=True)
class Report:
    labels: tuple[Contested, ...]  # the surest to be contested first
    confusions: tuple[Confusion, ...]  # the surest to be mixed up first

    def label(self, key: str) -> Contested:
        return next(one for one in self.labels if one.label.key == key)


def of_project(project: Project, *, stream: str = "") -> Report:
    schema = schemas.in_force_if_any(project)
    if schema is None:
        return Report((), ())
    confusions = _confusions(project, schema, stream)
    differing, n_flags = _differing(project, stream), _flags(project)
    labels = [
        Contested(
            label, differing.get((label.key, label.revision), proportion(0, 0, nothing=NO_TWO_ANSWERS)),
            n_flags[label.key], tuple(one for one in confusions if label in (one.left, one.right) and one.pages),
        )
        for label in schema.asked
    ]  # fmt: skip
    return Report(tuple(sorted(labels, key=lambda one: -(one.differs.low or 0))), confusions)


def _confusions(project: Project, schema: schemas.Schema, stream: str) -> tuple[Confusion, ...]:
    """Those somebody swapped or could have; a pair people know apart comes last, one of few pages after that."""
    rows = usual_raters.whole(ConfusionCell.objects.filter(project=project), stream=stream).order_by()
    sums = rows.values_list("label_a", "revision_a", "label_b", "revision_b").annotate(Sum("n"), Sum("k"), Sum("swaps"))
    places = {(label.key, label.revision): place for place, label in enumerate(schema.asked)}
    found = []
    for key_a, revision_a, key_b, revision_b, n, k, swaps in sums:
        pair = places.get((key_a, revision_a)), places.get((key_b, revision_b))
        if None in pair:
            continue
        left, right = sorted(place for place in pair if place is not None)
        found.append(Confusion(schema.asked[left], schema.asked[right], k, swaps, proportion(k, n, nothing=NO_DISPUTE)))
    return tuple(sorted(found, key=lambda one: (not one.is_known, -(one.share.low or 0), -one.swaps)))


def _differing(project: Project, stream: str) -> Mapping[tuple[str, int], Estimate]:
    """Label and revision -> the share of pages with two answers on which not all say the same."""
    rows = usual_raters.whole(AgreementCell.objects.filter(project=project, n__gte=2), stream=stream).order_by()
    split = Sum("count", filter=Q(k__gt=0) & Q(k__lt=F("n")), default=0)
    sums = rows.values_list("label", "revision").annotate(split=split, pages=Sum("count"))
    return {(key, revision): proportion(differ, n) for key, revision, differ, n in sums}


def _flags(project: Project) -> Counter[str]:
    """Label key -> open flags that say that the guideline does not say."""
    gaps = Flag.objects.open().filter(project=project, kind=FlagKind.GUIDELINE).order_by()
    return Counter(dict(gaps.values_list("label").annotate(Count("pk"))))


# ---- the pages behind it --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Page:
    """A page on which people differ: how many say what of the label, and of the other one where two are compared."""

    dispute: Dispute
    yes: int
    no: int
    other_yes: int
    other_no: int
    swaps: int


def pages_of(project: Project, key: str, *, other: str = "") -> list[Page]:
    """The newest pages on which people differ about a label, those it splits most evenly first; with `other`, pages on
    which they differ about both, most swaps first. Only pages nobody can be given any more."""
    done = Consensus.objects.filter(project=project).of_finished_items()
    found = Dispute.objects.filter(project=project, label=key, item__consensus__in=done)
    if other:
        found = found.filter(item__disputes__label=other)
    rows = list(found.select_related("item", "item__consensus", "item__project").order_by("-opened_at")[:LOOKED_AT])
    swaps = _swaps(rows, project, key, other) if other else {}
    pages = [_page(row, key, other, swaps.get(row.item_id, 0)) for row in rows]
    if other:
        pages = [page for page in pages if page.swaps]
    return sorted(pages, key=lambda page: (-page.swaps, -min(page.yes, page.no), -page.yes - page.no))[:SHOWN]


def _page(row: Dispute, key: str, other: str, swaps: int) -> Page:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: {"yes": 0, "no": 0})
    counts.update(row.item.consensus.labels)
    return Page(row, counts[key]["yes"], counts[key]["no"], counts[other]["yes"], counts[other]["no"], swaps)


def _swaps(rows: list[Dispute], project: Project, key: str, other: str) -> dict[int, int]:
    """Page -> pairs of its counted answers that swap the two labels."""
    found = {}
    for row in Counted.objects.filter(item__in=[row.item_id for row in rows]):
        keys = schemas.by_id(row.schema_id).keys
        if key in keys and other in keys:
            left, right = keys.index(key), keys.index(other)
            views = {(stream, mixed, aided): answers for stream, mixed, aided, _, answers, _ in row.views}
            found[row.item_id] = max(
                (_swapped([letters for _, letters in answers], left, right) for answers in views.values()), default=0
            )
    return found


def _swapped(letters: list[str], left: int, right: int) -> int:
    said = Counter((one[left], one[right]) for one in letters)
    return said["y", "n"] * said["n", "y"]


def gaps(project: Project, reader: flags.Reader, key: str) -> QuerySet[Flag]:
    """Open flags that say that the guideline does not say what this label is, the newest first: those this person may
    read without learning what is said of a page they may be given."""
    found = flags.listed(project, reader).filter(kind=FlagKind.GUIDELINE, label=key, resolved_at=None)
    found = found.exclude(Q(veiled=True)) if reader.is_given_pages else found
    return found.prefetch_related("comments").order_by("-pk")[:SHOWN]
