"""Find items: what a filter means, a page of the list, how many there are and what was asked for in words.

Filters are read from a fixed list of names; no name or path of a request ever reaches the ORM.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.db.models import Exists, FloatField, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from labeling import schemas
from labeling.models import Consensus, Import, Item, Project, Selection, Stream
from labeling.models.items import ItemState
from labeling.permissions import Sight
from labeling.refusals import Forbidden, Refused

NAMES = ("q", "host", "stream", "state", "label", "min_probability", "import")
COUNT_CAP = 100_000  # beyond this a count is "more than": nobody reads the digits, and counting millions takes seconds
OPINIONS = frozenset({"pending", "agreed", "disputed", "adjudicated"})


class BadFilter(Refused):
    """A filter that says nothing sensible (400)."""

    status = 400
    code = "bad_filter"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items are meant; empty means all that are not archived."""

    q: str = ""
    host: str = ""
    stream: str = ""
    state: str = ""
    label: str = ""
    min_probability: float | None = None
    run: Import | None = None
    # Where `q` looks: what the searcher may not read is not searched either, or a search would read it for them.
    searched: tuple[str, ...] = field(default=("url_display",), compare=False)

    @property
    def is_empty(self) -> bool:
        return self == Filter()

    @property
    def needs_consensus(self) -> bool:
        return bool(self.label) or self.state in OPINIONS


# ---- reading a filter -----------------------------------------------------------------------------------------------
def read_filter(params: Mapping[str, str], project: Project, *, sight: Sight) -> Filter:
    """The filter that query parameters spell. Raises BadFilter, or Forbidden where answers would show through it."""
    label = params.get("label", "")
    if label and label not in {known.key for known in schemas.in_force(project).labels}:
        raise BadFilter("“label” names no label of this project.")
    found = Filter(
        q=_bounded(params, "q"),
        host=_bounded(params, "host").lower(),
        stream=_one_of(params, "stream", Stream.values),
        state=_one_of(params, "state", [*ItemState.values, *sorted(OPINIONS)]),
        label=label,
        min_probability=_probability(params.get("min_probability", ""), label),
        run=_import(params.get("import", ""), project),
        searched=_searched(project, sight),
    )
    if found.needs_consensus and not sight.consensus:
        raise Forbidden(
            "Only adjudicators and managers may search by what people answered, and not while they annotate here."
        )
    return found


def _searched(project: Project, sight: Sight) -> tuple[str, ...]:
    address = "url_key" if sight.whole or project.show_queries else "url_display"
    return (address, "snapshot__title") if sight.text else (address,)


def _bounded(params: Mapping[str, str], name: str) -> str:
    value = params.get(name, "").strip()
    if len(value) > 500 or "\x00" in value:
        raise BadFilter(f"“{name}” holds at most 500 characters.")
    return value


def _one_of(params: Mapping[str, str], name: str, known: list[str]) -> str:
    value = params.get(name, "")
    if value and value not in known:
        raise BadFilter(f"“{name}” is one of: {', '.join(known)}.")
    return value


def _probability(raw: str, label: str) -> float | None:
    if not raw:
        return None
    try:
        share = float(raw)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise BadFilter("“min_probability” is a number from 0 to 1.")
    if not label:
        raise BadFilter("“min_probability” needs “label”: the probability of which label?")
    return share


def _import(raw: str, project: Project) -> Import | None:
    if not raw:
        return None
    try:
        run = Import.objects.filter(project=project, pk=uuid.UUID(raw)).first()
    except ValueError:
        run = None
    if run is None:
        raise BadFilter("“import” names no import of this project.")
    return run


# ---- finding --------------------------------------------------------------------------------------------------------
def find(project: Project, wanted: Filter) -> QuerySet[Item]:
    """The items a filter means, in no particular order."""
    items = Item.objects.filter(project=project)
    if wanted.state in ItemState.values:
        items = items.filter(state=wanted.state)
    else:
        items = items.exclude(state=ItemState.ARCHIVED)
    if wanted.q:
        items = items.filter(_words(wanted))
    if wanted.host:
        items = items.filter(_host(wanted.host))
    if wanted.stream:
        items = items.filter(Exists(Selection.objects.filter(item=OuterRef("pk"), stream=wanted.stream)))
    if wanted.run:
        items = items.filter(first_import=wanted.run)
    if wanted.needs_consensus:
        items = items.filter(pk__in=_opinions(project, wanted).values("item"))
    return items


def _words(wanted: Filter) -> Q:
    found = Q()
    for name in wanted.searched:
        found |= Q((f"{name}__icontains", wanted.q))
    return found


def _host(host: str) -> Q:
    """ ".org" means every host that ends so; "example.org" means it and the hosts under it."""
    if host.startswith("."):
        return Q(host__endswith=host)
    return Q(host=host) | Q(host__endswith=f".{host}")


def _opinions(project: Project, wanted: Filter) -> QuerySet[Consensus]:
    """What people answered, once everyone asked has: an open item tells nothing to those who may still judge it."""
    said = Consensus.objects.filter(project=project)
    if wanted.state in OPINIONS:
        said = said.filter(state=wanted.state)
    if wanted.label:
        of_label = KeyTransform(wanted.label, "labels")
        said = said.exclude(state="pending")
        if wanted.min_probability is None:
            verdict = Cast(KeyTextTransform("verdict", of_label), TextField())
            said = said.annotate(verdict=verdict).filter(verdict="yes")
        else:
            share = Cast(KeyTextTransform("probability", of_label), FloatField())
            said = said.annotate(share=share).filter(share__gte=wanted.min_probability)
    return said


def with_stream(items: QuerySet[Item]) -> QuerySet[Item]:
    """Each item with how it was chosen last, as `stream`."""
    last = Selection.objects.filter(item=OuterRef("pk")).order_by("-id").values("stream")[:1]
    return items.annotate(stream=Subquery(last))


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page of a list, newest first, and where its neighbours start."""

    rows: list[Item]
    earlier: str = ""
    later: str = ""


def leaf(items: QuerySet[Item], *, after: str = "", before: str = "", size: int = 50) -> Leaf:
    """A page of the list by public ids: it costs the same wherever it stands."""
    mark = (
        items.model.objects.filter(public_id=after or before, project__in=items.values("project")[:1])
        .values_list("pk", flat=True)
        .first()
        if after or before
        else None
    )
    if mark is None:
        rows = list(items.order_by("-pk")[: size + 1])
        return Leaf(rows[:size], later=rows[size - 1].public_id if len(rows) > size else "")
    if after:
        rows = list(items.filter(pk__lt=mark).order_by("-pk")[: size + 1])
        more = rows[size - 1].public_id if len(rows) > size else ""
        return Leaf(rows[:size], earlier=rows[0].public_id if rows else "", later=more)
    rows = list(items.filter(pk__gt=mark).order_by("pk")[: size + 1])
    goes_on = len(rows) > size
    rows = rows[:size][::-1]
    return Leaf(rows, earlier=rows[0].public_id if goes_on else "", later=rows[-1].public_id if rows else "")


def count(items: QuerySet[Item]) -> int:
    """How many, up to COUNT_CAP + 1."""
    return items.order_by()[: COUNT_CAP + 1].count()


def in_words(wanted: Filter, found: int, project: Project) -> str:
    """ "1,204 pages, disputed, host ends in .org" """
    pages = "1 page" if found == 1 else f"more than {COUNT_CAP:,} pages" if found > COUNT_CAP else f"{found:,} pages"
    return ", ".join([pages, *_conditions(wanted, project)])


def _conditions(wanted: Filter, project: Project) -> Iterator[str]:
    if wanted.state:
        yield wanted.state
    if wanted.stream:
        yield f"chosen by {Stream(wanted.stream).label.lower()}"
    if wanted.label:
        name = schemas.in_force(project).label(wanted.label).name
        share = wanted.min_probability
        yield f"{name} holds" if share is None else f"{name} with a probability of at least {share:g}"
    if wanted.host:
        yield f"host ends in {wanted.host}" if wanted.host.startswith(".") else f"host is or is under {wanted.host}"
    if wanted.q:
        yield f"with “{wanted.q}” in the address or title"
    if wanted.run:
        yield f"from {wanted.run}"
