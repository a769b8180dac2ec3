"""The pages of a project: search, read, withdraw, archive, restore."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from labeling import assigning, item_search, items, permissions, schemas
from labeling.models import Consensus, Item, Project, Stream
from labeling.models.items import ItemState
from labeling.permissions import Sight
from labeling.refusals import Unacceptable
from labeling.views import pairs, trail
from labeling.views.languages import speak_to
from labeling.views.material import address, material
from labeling.web import PersonRequest, page

STATES = {
    "active": "in use",
    "archived": "archived",
    "withdrawn": "withdrawn",
    "pending": "waiting for answers",
    "agreed": "agreed",
    "disputed": "disputed",
    "adjudicated": "adjudicated",
}
WORDS = {"withdraw": "withdrawn", "archive": "archived", "restore": "brought back"}


@require_GET
@page("item.list")
def item_list(request: PersonRequest, project: Project) -> HttpResponse:
    sight = _sight(request)
    wanted = item_search.read_filter(_known(request.GET), project, sight=sight)
    found = item_search.find(project, wanted)
    leaf = item_search.leaf(
        item_search.with_stream(found).select_related("snapshot", "consensus"),
        after=request.GET.get("after", ""), before=request.GET.get("before", ""),
    )  # fmt: skip
    count = item_search.count(found)
    context = {
        "rows": [_row(item, project, sight=sight) for item in leaf.rows],
        "count": count,
        "words": item_search.in_words(wanted, count, project),
        "wanted": wanted,
        "labels": schemas.in_force(project).labels if sight.consensus else (),
        "streams": Stream.choices,
        "states": [(state, word) for state, word in STATES.items() if sight.consensus or state in ItemState.values],
        "earlier": _address(request, before=leaf.earlier),
        "later": _address(request, after=leaf.later),
        "may_change": _may(request, "item.withdraw"),
        **_arranging(request, project),
        "may_import": _may(request, "item.import"),
        "is_first_visit": wanted.is_empty and not count and not Item.objects.filter(project=project).exists(),
    }
    return render(request, "labeling/items.html", context)


@require_GET
@page("item.read_any")
def item(request: PersonRequest, project: Project, public_id: str) -> HttpResponse:
    """One page. Annotators read those they hold or answered, and nothing about how they were chosen or answered."""
    found = Item.objects.filter(project=project, public_id=public_id).select_related("snapshot", "first_import")
    if not _may(request, "item.list"):
        this = get_object_or_404(found.readable_by_annotator(request.user))
        speak_to(request)
        return render(request, "labeling/item.html", {"page": material(this, this.snapshot, project=project)})
    this, sight = get_object_or_404(found), _sight(request)
    context = {
        "item": this,
        "page": material(this, this.snapshot if sight.text else None, project=project),
        "hides_text": not sight.text,
        "metadata": this.metadata if sight.whole else {},
        "snapshots": this.snapshots.order_by("-id"),
        "selections": this.selections.order_by("-id"),
        "opinions": _opinions(this, project) if sight.consensus else None,
        **_decisions(request, this, sight=sight),
        "may_change": _may(request, "item.withdraw"),
        **_arranging(request, project),
        "may_know": _may(request, "honeypot.manage") and this.state == ItemState.ACTIVE,
        "back": pairs.way_back(request, project),
    }
    return render(request, "labeling/item.html", context)


@require_POST
@page("item.withdraw")
def change(request: PersonRequest, project: Project, public_id: str, verb: str) -> HttpResponse:
    """Withdraw, archive or restore one page."""
    this = get_object_or_404(Item, project=project, public_id=public_id)
    _do(request, project, items.Item.objects.filter(pk=this.pk), verb)
    return redirect("labeling:item", project.slug, public_id)


@require_POST
@page("item.withdraw")
def change_all(request: PersonRequest, project: Project, verb: str) -> HttpResponse:
    """Withdraw, archive or restore every page the filter means."""
    wanted = item_search.read_filter(_known(request.POST), project, sight=_sight(request))
    _do(request, project, item_search.find(project, wanted), verb)
    return redirect(f"{reverse('labeling:items', args=[project.slug])}?{urlencode(_filled(_known(request.POST)))}")


def _do(request: PersonRequest, project: Project, found: Any, verb: str) -> None:
    try:
        if verb == "withdraw":
            n = items.withdraw(found, project=project, by=request.user, reason=request.POST.get("reason", ""))
        elif verb == "archive":
            n = items.archive(found, project=project, by=request.user)
        elif verb == "restore":
            n = items.restore(found, project=project, by=request.user)
        else:
            raise Http404
    except Unacceptable as fault:
        messages.error(request, fault.sentence)
        return
    messages.success(request, f"{n:,} {'page' if n == 1 else 'pages'} {WORDS[verb]}.")


def _decisions(request: PersonRequest, item: Item, *, sight: Sight) -> dict[str, Any]:
    """How it was decided, for who may see what people said of it, while nobody is asked about it."""
    if not sight.consensus or not _may(request, "adjudication.list"):
        return {}
    if Consensus.objects.filter(item=item, state=Consensus.State.PENDING).exists():
        return {}
    is_decided = item.adjudications.in_force().exists() and not item.gold_items.exists()
    may_reopen = is_decided and _may(request, "adjudication.reopen")
    return {"trail": trail.rows(item, request.project), "may_reopen": may_reopen}


def _arranging(request: PersonRequest, project: Project) -> dict[str, Any]:
    """What the forms need that give pages to people and move them in the queue."""
    if not _may(request, "queue.set_priority"):
        return {}
    return {"may_arrange": True, "answering": assigning.who_may_answer(project)}


def _may(request: PersonRequest, action: str) -> bool:
    return permissions.may(request.user, action, request.project, roles=request.roles)


def _sight(request: PersonRequest) -> Sight:
    return permissions.sight(request.user, request.project, roles=request.roles)


def _known(params: QueryDict) -> dict[str, str]:
    return {name: params.get(name, "") for name in item_search.NAMES}


def _filled(params: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if value}


def _address(request: PersonRequest, **place: str) -> str:
    """This list from another place on; empty when there is none."""
    return f"?{urlencode(_filled(_known(request.GET)) | place)}" if any(place.values()) else ""


def _row(item: Item, project: Project, *, sight: Sight) -> dict[str, Any]:
    said = getattr(item, "consensus", None) if sight.consensus else None
    stream = item.stream  # type: ignore[attr-defined]  # annotated by item_search.with_stream
    state = item.state if item.state != ItemState.ACTIVE or said is None else said.state
    return {
        "id": item.public_id,
        "address": address(item, project=project),
        "title": item.snapshot.title if item.snapshot and sight.text else "",
        "stream": Stream(stream).label if stream else "",
        "state": "not asked yet" if state == ItemState.ACTIVE else STATES[state],
    }


def _opinions(item: Item, project: Project) -> list[dict[str, Any]] | None:
    """What people said together, once everyone asked has answered: whoever may still judge it learns nothing here."""
    said = Consensus.objects.filter(item=item).exclude(state=Consensus.State.PENDING).first()
    if said is None:
        return None
    named = [label for label in schemas.in_force(project).labels if label.key in said.labels]
    return [{"name": label.name, **said.labels[label.key]} for label in named]
