"""The page disagreements are settled on: the worst page first, only its labels in conflict, names hidden."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from labeling import adjudication, permissions, phrases, schemas, second_opinions, waiting_reasons
from labeling.adjudication import Case
from labeling.decisions import VERDICTS, Decision
from labeling.forms.decisions import DecisionForm
from labeling.forms.faults import Fault, marked, unplaced, wrong_fields
from labeling.models import Cause, Consensus, Item, Judgment, Label, Project
from labeling.refusals import Refused, Stale, Unacceptable
from labeling.views import given
from labeling.views.marks import person_mark, require_same_person
from labeling.views.material import label_row, material
from labeling.web import PersonRequest, is_htmx, page, page_or_fragment

NEXT_IN_LINE = 3
WAITING_SHOWN = 20
MAX_LATER = 500  # pages one session may put aside; the oldest come back first
SENT = "Sent back. The page comes here again once it is answered."
ASKED = "One more person is asked. The page comes here again once they have answered."
CHANGED_HEADING = "The answers to this page changed while you decided"
CHANGED_ANSWERS = "What you chose is kept and not recorded yet: look at the votes again, then save."


@require_GET
@page("adjudication.list")
def adjudicate(request: PersonRequest, project: Project) -> HttpResponse:
    if not permissions.may(request.user, "adjudication.decide", project, roles=_roles(request)):
        return _waiting(request, project)
    return _next_case(request, project)


@require_GET
@page("adjudication.decide")
def case(request: PersonRequest, project: Project, public_id: str) -> HttpResponse:
    """One page by its id: what is in conflict, or what was decided before and may be decided again."""
    item = _item(project, public_id)
    found = adjudication.open_case(item, by=request.user)
    kept = found.theirs["verdicts"], found.theirs["cause"], found.theirs["note"]
    return _render(request, project, _context(request, project, found, *kept))


@require_POST
@page("adjudication.decide")
def decide(request: PersonRequest, project: Project, public_id: str) -> HttpResponse:
    """Record the decision and answer with the next page. The same form sent twice is one decision."""
    require_same_person(request)
    item = _item(project, public_id)
    form = DecisionForm(request.POST)
    decision = replace(form.decision(), accepts="accept" in request.POST)
    try:
        adjudication.decide(item, by=request.user, decision=decision, seen_version=request.POST.get("version", ""))
    except Unacceptable as fault:
        found = adjudication.case_of(item)
        faults = form.placed(fault.errors, conflict=_in_conflict(found, schemas.in_force(project)))
        return _again(request, project, found, decision, faults)
    except Stale as stale:
        return _overtaken(request, project, item, decision, stale)
    return _onward(request, project)


@require_POST
@page("adjudication.decide")
def later(request: PersonRequest, project: Project, public_id: str) -> HttpResponse:
    """Put the page at the end of this person's line until they log out. Nothing is recorded about it."""
    item = _item(project, public_id)
    aside = [pk for pk in _put_aside(request, project) if pk != item.pk]
    request.session[_aside_key(project)] = [*aside, item.pk][-MAX_LATER:]
    return _onward(request, project)


@require_POST
@page("adjudication.decide")
def send_back(request: PersonRequest, project: Project, public_id: str) -> HttpResponse:
    """Ask whoever gave one answer once more. What was typed stays in the page where that is refused."""
    require_same_person(request)
    item, message = _item(project, public_id), request.POST.get("message", "")
    judgment = request.POST.get("judgment", "")
    try:
        second_opinions.send_back(
            item, by=request.user, judgment_id=int(judgment) if judgment.isdecimal() and len(judgment) < 19 else 0,
            message=message, seen_version=request.POST.get("version", ""),
        )  # fmt: skip
    except (Unacceptable, Stale, Refused) as fault:
        return _not_asked(request, project, item, fault, message=message, judgment=judgment)
    messages.success(request, SENT)
    return redirect(_address(project, "adjudicate", label=_label(request, project)))


@require_POST
@page("adjudication.decide")
def ask_one_more(request: PersonRequest, project: Project, public_id: str) -> HttpResponse:
    require_same_person(request)
    item = _item(project, public_id)
    try:
        second_opinions.ask_one_more(item, by=request.user, seen_version=request.POST.get("version", ""))
    except (Stale, Refused) as fault:
        return _not_asked(request, project, item, fault)
    messages.success(request, ASKED)
    return redirect(_address(project, "adjudicate", label=_label(request, project)))


def _not_asked(
    request: PersonRequest, project: Project, item: Item, fault: Refused, **typed: str
) -> HttpResponse:  # fmt: skip
    found = adjudication.open_case(item, by=request.user)
    kept = found.theirs["verdicts"], found.theirs["cause"], found.theirs["note"]
    context = _context(request, project, found, *kept, faults=unplaced(fault.sentence)) | {"typed": typed}
    return _render(request, project, context, status=fault.status)


# ---- what is shown next ---------------------------------------------------------------------------------------------
def _onward(request: PersonRequest, project: Project) -> HttpResponse:
    """htmx swaps the next page in; a plain form is sent on, so that reload does not decide again."""
    if is_htmx(request):
        return _next_case(request, project)
    return redirect(_address(project, "adjudicate", label=_label(request, project)))


def _next_case(request: PersonRequest, project: Project) -> HttpResponse:
    line = _line(request, project)
    if not line:
        return _render(request, project, {"case": None, "reason": _nothing_open(request, project)})
    [found] = adjudication.open_cases(line[:1], by=request.user)
    return _render(request, project, _context(request, project, found, {}, None, "", line=line[1:]))


def _line(request: PersonRequest, project: Project) -> list[Consensus]:
    """The first few pages for this person: worst first, then those they put aside, in the order they did."""
    waiting = adjudication.queue(project, adjudicator=request.user, label=_label(request, project))
    aside = _put_aside(request, project)
    line = list(waiting.exclude(item__in=aside)[: NEXT_IN_LINE + 1])
    if len(line) <= NEXT_IN_LINE and aside:
        back = {row.item_id: row for row in waiting.filter(item__in=aside)}
        line += [back[pk] for pk in aside if pk in back]
    return line[: NEXT_IN_LINE + 1]


def _nothing_open(request: PersonRequest, project: Project) -> str:
    others = adjudication.progress(project)
    n_open = others["total"] - others["decided"]
    if not n_open or _label(request, project):
        return ""
    pages = "1 page is" if n_open == 1 else f"{n_open:,} pages are"
    return f"{pages} in dispute that you answered yourself: someone else decides those."


def _again(
    request: PersonRequest, project: Project, found: Case, decision: Decision, faults: Sequence[Fault], *,
    heading: str = "", status: int = 422,
) -> HttpResponse:  # fmt: skip
    """The same page with what was chosen kept, the sentences on top and each beside what it is about."""
    context = _context(request, project, found, decision.verdicts, decision.cause, decision.note, faults=faults)
    return _render(request, project, context | {"errors_heading": heading}, status=status)


def _overtaken(request: PersonRequest, project: Project, item: Item, decision: Decision, stale: Stale) -> HttpResponse:
    """Both versions side by side when someone else decided; when only the answers changed, the page once more."""
    theirs = cast(dict[str, Any], stale.extra["theirs"])
    if not theirs["verdicts"]:
        faults = unplaced(CHANGED_ANSWERS)
        found = adjudication.case_of(item)
        return _again(request, project, found, decision, faults, heading=CHANGED_HEADING, status=stale.status)
    name_of = _names(project)
    both = theirs["verdicts"].keys() | decision.verdicts.keys()
    keys = [*(key for key in name_of if key in both), *sorted(both - name_of.keys())]
    context = {
        "rows": [
            {
                "name": name_of.get(key, key),
                "theirs": theirs["verdicts"].get(key, "not decided"),
                "mine": decision.verdicts.get(key, "not decided"),
            }
            for key in keys
        ],
        "theirs": {"cause": _cause_in_words(theirs["cause"]), "note": theirs["note"]},
        "mine": {"cause": _cause_in_words(decision.cause), "note": decision.note},
        "urls": {"next": _address(project, "adjudicate", label=_label(request, project))},
        "progress": adjudication.progress(project),
        "comfort": request.user,
        "person": person_mark(request.user),
    }
    return page_or_fragment(
        request, "labeling/adjudicate_conflict.html", "labeling/_conflict.html", context, status=412
    )


def _render(request: PersonRequest, project: Project, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    label = _label(request, project)
    context |= {
        "progress": adjudication.progress(project),
        "focus": True,
        "comfort": request.user,
        "person": person_mark(request.user),
        "label_name": _names(project)[label] if label else "",
        "again": _address(project, "adjudicate", label=label),
    }
    return page_or_fragment(request, "labeling/adjudicate.html", "labeling/_case.html", context, status=status)


def _context(
    request: PersonRequest,
    project: Project,
    found: Case,
    chosen: Any,
    cause: str | None,
    note: str,
    *,
    line: Sequence[Consensus] = (),
    faults: Sequence[Fault] = (),
) -> dict[str, Any]:
    # A page that is decided unseen shows nothing of what was answered.
    answers = [] if found.is_unseen else adjudication.votes_on(found.item, salt=str(request.session.session_key))
    schema = schemas.in_force(project)
    by_key = {label.key: label for label in schema.labels}
    notes = [answer.note for answer in answers if answer.note and answer.outcome == Judgment.Outcome.JUDGED]
    label = _label(request, project)
    rows = [
        label_row(by_key.get(key, Label(key=key, name=key)), value=chosen.get(key, ""))
        | {"votes": [a.verdicts[key] for a in answers if key in a.verdicts], "note_list": notes}
        for key in _in_conflict(found, schema)
    ]
    return {
        "case": {
            "page": material(found.item, found.item.snapshot, project=project),
            "labels": marked(rows, faults),
            "agreed": _could_not_judge(answers) + agreed_sentence(found, {key: by_key[key].name for key in by_key}),
            "reason": waiting_reasons.reason(found, schema),
            "is_unseen": found.is_unseen,
            "answers": given.rows(answers, found),
            "people": phrases.sentence_start(phrases.count(found.n_judgments)),
            "version": found.version,
            "causes": Cause.choices,
            "next_in_line": [_in_line(row) for row in line],
            "urls": {
                "save": _address(project, "decide", found.item.public_id, label=label),
                "later": _address(project, "later", found.item.public_id, label=label),
                "send_back": _address(project, "send_back", found.item.public_id, label=label),
                "ask_one_more": _address(project, "ask_one_more", found.item.public_id, label=label),
            },
        },
        "guideline_number": schema.number,
        "public_id": found.item.public_id,
        "may_remove": permissions.may(request.user, "item.withdraw", project, roles=_roles(request)),
        "cause": cause,
        "note": note,
        "errors": faults,
        "wrong": wrong_fields(faults),
    }


def _in_conflict(found: Case, schema: schemas.Schema) -> list[str]:
    """The labels to decide in the order people know them; keys the version in force does not have come last."""
    known = [label.key for label in schema.labels if label.key in found.conflict]
    return [*known, *sorted(set(found.conflict).difference(known))]


def agreed_sentence(found: Case, name_of: dict[str, str]) -> str:
    """What people did agree on: "All agree on yes for News, and on no for Games and Sports."."""
    agreed: dict[str, list[str]] = {}
    for key, name in name_of.items():
        said = found.labels.get(key)
        if said and said["state"] == Consensus.State.AGREED:
            agreed.setdefault(said["verdict"], []).append(name)
    parts = [f"on {verdict} for {_listed(agreed[verdict])}" for verdict in VERDICTS if verdict in agreed]
    return f"All agree {', and '.join(parts)}." if parts else ""


def _could_not_judge(answers: list[Judgment]) -> str:
    n = sum(answer.outcome == Judgment.Outcome.NOT_ASSESSABLE for answer in answers)
    people = phrases.sentence_start(phrases.count(n))
    return f"{people} {'person' if n == 1 else 'people'} could not judge this page. " if n else ""


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _in_line(row: Consensus) -> dict[str, Any]:
    open_labels = [label for label in row.labels.values() if label["state"] == Consensus.State.DISPUTED]
    return {"host": row.item.host, "n_labels": len(open_labels)}


def _waiting(request: PersonRequest, project: Project) -> HttpResponse:
    """What a manager sees: how many pages wait, all or on one label, and why the worst of them do."""
    label, name_of, schema = _label(request, project), _names(project), schemas.in_force(project)
    waiting = adjudication.queue(project, adjudicator=request.user, label=label)
    rows = [
        {"host": found.item.host, "public_id": found.item.public_id, "why": waiting_reasons.reason(found, schema),
         "people": found.n_judgments, "errors": found.expected_error}
        for found in adjudication.open_cases(list(waiting[:WAITING_SHOWN]), by=request.user)
    ]  # fmt: skip
    context = {
        "rows": rows,
        "n_waiting": waiting.count(),
        "label_name": name_of.get(label, ""),
        "progress": adjudication.progress(project),
    }
    return render(request, "labeling/adjudicate_waiting.html", context)


# ---- what the request says ------------------------------------------------------------------------------------------
def _item(project: Project, public_id: str) -> Item:
    return get_object_or_404(Item.objects.select_related("project", "snapshot"), project=project, public_id=public_id)


def _label(request: PersonRequest, project: Project) -> str:
    """The label whose disputes alone are wanted, if the address names one that exists."""
    label = request.GET.get("label", "")
    return label if label and label in _names(project) else ""


def _address(project: Project, name: str, *args: str, label: str = "") -> str:
    address = reverse(f"labeling:{name}", args=[project.slug, *args])
    return f"{address}?{urlencode({'label': label})}" if label else address


def _put_aside(request: PersonRequest, project: Project) -> list[int]:
    return request.session.get(_aside_key(project), [])


def _aside_key(project: Project) -> str:
    return f"later:{project.pk}"


def _names(project: Project) -> dict[str, str]:
    return {label.key: label.name for label in schemas.in_force(project).labels}


def _cause_in_words(cause: str | None) -> str:
    return str(Cause(cause).label) if cause in Cause.values else ""


def _roles(request: PersonRequest) -> frozenset[str]:
    return request.roles
