"""Find items, and take them out: withdrawn with a reason, archived, and back.

Filters are read from a fixed list of names; no name or path of a request ever reaches the ORM.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Exists, FloatField, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from labeling import consensus, queue, schemas
from labeling.models import Consensus, Event, Import, Item, Project, Selection, Stream, User
from labeling.models.items import ItemState
from labeling.permissions import Sight
from labeling.refusals import Forbidden, Refused, Unacceptable

NAMES = ("q", "host", "stream", "state", "label", "min_probability", "import")
COUNT_CAP = 100_000  # beyond this a count is "more than": nobody reads the digits, and counting millions takes seconds
CHUNK = 2_000
MAX_REASON = 500
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


# ---- taking out and putting back ------------------------------------------------------------------------------------
def withdraw(items: QuerySet[Item], *, project: Project, by: User, reason: str) -> int:
    """Take items out for good, with a reason; unanswered slots go, answers and old releases stay."""
    reason = reason.strip()
    if not reason:
        raise Unacceptable("Say why the pages are withdrawn; the reason stays with them.",
                           [{"pointer": "/reason", "detail": "A reason is needed."}])  # fmt: skip
    if len(reason) > MAX_REASON:
        raise Unacceptable(f"A reason holds {MAX_REASON} characters.", [{"pointer": "/reason", "detail": "Too long."}])
    wanted = items.exclude(state=ItemState.WITHDRAWN)
    return _change(wanted, project, by, "withdrawn", reason, then=queue.withdraw_slots)


def archive(items: QuerySet[Item], *, project: Project, by: User) -> int:
    """Put items out of sight and out of the queue; their slots wait until they are restored."""
    return _change(items.filter(state=ItemState.ACTIVE), project, by, "archived", "")


def restore(items: QuerySet[Item], *, project: Project, by: User) -> int:
    """Bring archived or withdrawn items back; slots that a withdrawal closed are open again."""
    wanted = items.exclude(state=ItemState.ACTIVE)
    return _change(wanted, project, by, "active", "", then=queue.bring_back_slots)


def _change(
    items: QuerySet[Item],
    project: Project,
    by: User,
    state: str,
    reason: str,
    *,
    then: Callable[[QuerySet[Item]], Any] | None = None,
) -> int:
    changed = 0
    # The rows change what the filter finds, so each round asks again until it finds none.
    while ids := list(items.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        with transaction.atomic():
            held = Item.objects.filter(pk__in=ids).order_by("pk").select_for_update()
            these = Item.objects.filter(pk__in=[item.pk for item in held.only("pk")])
            these.update(state=state, state_reason=reason)
            if then is not None:
                then(these)
                _count_again(these, project)
            word = "restored" if state == ItemState.ACTIVE else state
            Event.objects.bulk_create(
                [Event(kind=f"item.{word}", actor=by, project=project, about=f"item:{pk}", data={"reason": reason})
                 for pk in ids], batch_size=200,
            )  # fmt: skip
        changed += len(ids)
    return changed


def _count_again(items: QuerySet[Item], project: Project) -> None:
    """What people said together is open while slots wait and stands when they are gone: both have just changed."""
    answered = Consensus.objects.filter(item__in=items).order_by("item").values_list("item", flat=True)
    consensus.refresh_many(list(answered), project=project)
