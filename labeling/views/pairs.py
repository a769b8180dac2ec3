"""Who agrees with whom: everybody as a matrix and a list, two people label by label, and the pages they differ on."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from labeling import pair_pages, pair_report, pair_sums, permissions, phrases, plots, reports, schemas
from labeling.models import Label, Project, Rater, Stream
from labeling.pair_pages import Difference
from labeling.pair_report import OnLabel, Two
from labeling.quality.intervals import Estimate
from labeling.quality.readings import RELIABLE, TENTATIVE
from labeling.sums import Question
from labeling.views import figures
from labeling.views.csv_files import csv_file, ends
from labeling.views.material import address
from labeling.web import PersonRequest, page

IN_MATRIX = 40  # people: more do not fit a screen, and their list says the same
PAIRS_ON_PAGE = 50
PAGES_ON_PAGE = 25
HARDLY = 0.2
PAIR = re.compile(r"([1-9]\d{0,17})-([1-9]\d{0,17})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an address asks for; what it says amiss is left out. label: of those in force. rater: one person's pairs."""

    stream: str
    label: Label | None
    rater: int | None = None

    @property
    def question(self) -> Question | None:
        return (self.label.key, self.label.revision) if self.label else None

    @property
    def query(self) -> str:
        chosen = {"label": self.label.key if self.label else "", "stream": self.stream, "person": self.rater or ""}
        return urlencode({name: value for name, value in chosen.items() if value})

    @property
    def on(self) -> str:
        return f"on {self.label.name}" if self.label else "over all labels"


@require_GET
@page("agreement.read_per_annotator")
def everybody(request: PersonRequest, project: Project) -> HttpResponse:
    """The matrix of the busiest people, and every pair in a list, those who agree least first."""
    if not _sees_others(request, project):
        return render(request, "labeling/pairs.html", {"is_own": True})
    report = reports.of_project(project, stream=_stream(request))
    codes = dict(zip(report.votes.rater_ids, report.votes.codes, strict=True))
    shown = _shown(request, report.schema, codes)
    found = pair_report.of_everybody(project, stream=shown.stream, question=shown.question, rater=shown.rater)
    leaf = Paginator(range(len(found)), PAIRS_ON_PAGE).get_page(request.GET.get("page"))
    here = found[slice(leaf.start_index() - 1, leaf.end_index())] if len(found) else []
    tables = pair_sums.of_pairs(project, here, stream=shown.stream, question=shown.question)
    matrix = figures.matrix(report, most=IN_MATRIX, key=shown.label.key if shown.label else None)
    context = {
        "headline": _headline(found, shown, codes),
        "matrix": None if shown.rater or not matrix["rows"] else matrix,
        "rows": [
            _pair_row(project, pair, pair_sums.estimated(table), codes, shown)
            for pair, table in zip(here, tables, strict=True)
        ],
        "page_obj": leaf,
        "fewest": pair_sums.FEWEST_IN_COMMON,
        "people": [(rater, code) for rater, code in codes.items() if report.answers_per_rater[_place(report, rater)]],
        "counted": reports.COUNTED,
        **_choices(report.schema, shown),
    }
    return render(request, "labeling/pairs.html", context)


@require_GET
@page("agreement.read_per_annotator")
def two(request: PersonRequest, project: Project, first: int, second: int) -> HttpResponse:
    """Two people on every label, and the pages on which they differ."""
    people = _people(project, first, second)
    if not _sees_others(request, project):
        return render(request, "labeling/pairs.html", {"is_own": True})
    schema = schemas.in_force(project)
    shown = _shown(request, schema, {})
    found = pair_report.of_two(project, schema, first, second, stream=shown.stream)
    may_read_pages = permissions.may(request.user, "consensus.read", project, roles=request.roles)
    context = {
        "people": people,
        "finding": _finding(found, *(person.code for person in people)),
        "found": found,
        "kappa": phrases.estimate(found.kappa),
        "figure": _figure(found),
        "labels": [_label_row(one, shown) for one in found.labels if any(one.table)],
        "back": _everybody(project, first, second, shown),
        "csv_url": reverse("labeling:pair_csv", args=[project.slug, first, second]),
        "may_read_pages": may_read_pages,
        "may_decide": permissions.may(request.user, "adjudication.list", project, roles=request.roles),
        **(_pages(request, project, schema, people, shown) if may_read_pages else {}),
        **_choices(schema, shown),
    }
    return render(request, "labeling/pair.html", context)


@require_GET
@page("agreement.read_per_annotator")
def pairs_csv(request: PersonRequest, project: Project) -> HttpResponse:
    """Every two people with pages in common. Annotators, who see their own figures only, get no pair."""
    report = reports.of_project(project, stream=_stream(request))
    shown = _shown(request, report.schema, {})
    people = range(len(report.votes.codes)) if _sees_others(request, project) else range(0)
    rows, pairs = [], report.pairs_on(shown.label.key if shown.label else None)
    for right in people:
        for left in range(right):
            if pairs.n_common(left, right):
                found = pairs.estimate(left, right)
                rows.append([report.votes.codes[left], report.votes.codes[right], *ends(found), found.n])
    return csv_file(f"{project.slug}-pairs", ["person", "other", "kappa", "kappa_low", "kappa_high", "n"], rows)


@require_GET
@page("agreement.read_per_annotator")
def two_csv(request: PersonRequest, project: Project, first: int, second: int) -> HttpResponse:
    """Two people on every label: the table of their answers, and kappa with its interval. Annotators get no row."""
    people = _people(project, first, second)
    schema = schemas.in_force(project)
    found = pair_report.of_two(project, schema, first, second, stream=_stream(request))
    head = ["person", "other", "label", "both_yes", "person_alone", "other_alone", "both_no"]
    head += ["kappa", "kappa_low", "kappa_high", "n", "reason"]
    codes = [person.code for person in people]
    rows = (
        [*codes, one.label.key, *one.table, *ends(one.kappa), one.kappa.n, one.kappa.reason or ""]
        for one in (found.labels if _sees_others(request, project) else ())
    )
    return csv_file(f"{project.slug}-{first}-{second}", head, rows)


def way_back(request: PersonRequest, project: Project) -> dict[str, str] | None:
    """For a page that was opened from two people's list: the address of the list, and its name."""
    asked = PAIR.fullmatch(request.GET.get("pair", ""))
    if asked is None or not _sees_others(request, project):
        return None
    first, second = map(int, asked.groups())
    codes = dict(Rater.objects.filter(project=project, pk__in=[first, second]).values_list("pk", "code"))
    if len(codes) < 2:
        return None
    url = reverse("labeling:pair", args=[project.slug, first, second])
    query = urlencode({name: request.GET[name] for name in ("label", "stream", "page") if request.GET.get(name)})
    return {"url": f"{url}?{query}#pages" if query else f"{url}#pages", "name": f"{codes[first]} and {codes[second]}"}


# ---- who and what ---------------------------------------------------------------------------------------------------
def _sees_others(request: PersonRequest, project: Project) -> bool:
    return permissions.sees_others(request.user, project, roles=request.roles)


def _people(project: Project, first: int, second: int) -> list[Rater]:
    # Each by itself: a number no row can have is then a row that is not there, and no error of the database.
    raters = Rater.objects.filter(Q(pk=first) | Q(pk=second), project=project)
    known = {rater.pk: rater for rater in raters}
    if len(known) < 2:
        raise Http404
    return [known[first], known[second]]


def _stream(request: PersonRequest) -> str:
    stream = request.GET.get("stream", "")
    return stream if stream in Stream.values else ""


def _shown(request: PersonRequest, schema: schemas.Schema, codes: dict[int, str]) -> Wanted:
    key, rater = request.GET.get("label", ""), request.GET.get("person", "")
    number = int(rater) if rater.isascii() and rater.isdigit() and len(rater) < 19 else None
    return Wanted(
        _stream(request), schema.label(key) if key in schema.keys else None, number if number in codes else None
    )


def _choices(schema: schemas.Schema, shown: Wanted) -> dict[str, Any]:
    return {
        "filters": shown,
        "label_names": [(label.key, label.name) for label in schema.asked],
        "streams": Stream.choices,
        "query": f"?{shown.query}" if shown.query else "",
    }


def _place(report: reports.Report, rater: int) -> int:
    return report.votes.rater_ids.index(rater)


# ---- everybody ------------------------------------------------------------------------------------------------------
def _headline(found: pair_report.Everybody, shown: Wanted, codes: dict[int, str]) -> str:
    if not len(found):
        return "No two people have answered enough of the same pages yet"
    pairs = phrases.counted(len(found), "pair")
    of_one = f" of {codes[shown.rater]}" if shown.rater else ""
    middle = pair_report.median(found)
    if not math.isfinite(middle):
        return f"{pairs}{of_one} {shown.on}: all gave one and the same answer throughout"
    return f"{pairs}{of_one} {shown.on}: half of them agree with a kappa of {phrases.number(middle)} or more"


def _pair_row(
    project: Project, pair: tuple[int, int], found: Estimate, codes: dict[int, str], shown: Wanted
) -> dict[str, Any]:
    return {
        "pair": f"{codes[pair[0]]} and {codes[pair[1]]}",
        "url": _url(project, *pair, shown),
        "words": phrases.estimate(found),
        "n": found.n,
    }


def _url(project: Project, first: int, second: int, shown: Wanted) -> str:
    query = Wanted(shown.stream, shown.label).query
    return reverse("labeling:pair", args=[project.slug, first, second]) + (f"?{query}" if query else "")


def _everybody(project: Project, first: int, second: int, shown: Wanted) -> str:
    """Back to the cell of these two."""
    query = f"?{shown.query}" if shown.query else ""
    return f"{reverse('labeling:pairs', args=[project.slug])}{query}#pair-{min(first, second)}-{max(first, second)}"


# ---- two people -----------------------------------------------------------------------------------------------------
def _finding(found: Two, first: str, second: str) -> str:
    """A finding only where the interval supports it."""
    who, kappa = f"{first} and {second}", found.kappa
    if not found.n:
        return f"{who} have no page in common"
    if kappa.low is None or kappa.high is None:
        return f"{who}: how far they agree cannot be told yet"
    if kappa.high < HARDLY:
        return f"{who} hardly agree"
    if kappa.low >= RELIABLE:
        return f"{who} agree reliably"
    if kappa.high < TENTATIVE:
        return f"{who} differ more than a label can bear"
    return f"{who} agree in part"


def _figure(found: Two) -> dict[str, Any]:
    axis = plots.Forest.of([one.kappa for one in found.labels])
    known = [one for one in found.labels if any(one.table)]
    known.sort(key=lambda one: (one.kappa.low is None, -(one.kappa.low or 0), one.label.name))
    return {
        "id": "labels",
        "heading": "Label by label",
        "caption": "Cohen’s kappa on each label with 95 % interval over the pages both answered.",
        "who": "Label",
        "axis": axis,
        "rows": [
            {
                "name": one.label.name,
                "mark": axis.interval(one.kappa),
                "value": phrases.number(one.kappa.value) if one.kappa.value is not None and one.kappa.low is not None
                else "",
                "words": phrases.estimate(one.kappa),
                "n": one.kappa.n,
                "too_few": phrases.too_few(one.kappa),
            }
            for one in known
        ],
    }  # fmt: skip


def _label_row(one: OnLabel, shown: Wanted) -> dict[str, Any]:
    both, first, second, neither = one.table
    query = Wanted(shown.stream, one.label).query
    return {"name": one.label.name, "both": both, "first": first, "second": second, "neither": neither,
            "url": f"?{query}#pages" if one.differ else "", "kappa": phrases.estimate(one.kappa)}  # fmt: skip


def _pages(
    request: PersonRequest, project: Project, schema: schemas.Schema, people: list[Rater], shown: Wanted
) -> dict[str, Any]:
    first, second = (person.pk for person in people)
    keys = [shown.label.key] if shown.label else schema.keys
    found = pair_pages.differing(project, first, second, keys=keys, stream=shown.stream)
    leaf = Paginator(found, PAGES_ON_PAGE).get_page(request.GET.get("page"))
    rows = pair_pages.differences(project, schema, list(leaf), first, second, stream=shown.stream)
    query = urlencode({"pair": f"{first}-{second}", **_here(shown, leaf.number)})
    return {"page_obj": leaf, "pages": [_page_row(project, one, people, shown, query) for one in rows]}


def _here(shown: Wanted, number: int) -> dict[str, str]:
    place = {"label": shown.label.key if shown.label else "", "stream": shown.stream,
             "page": str(number) if number > 1 else ""}  # fmt: skip
    return {name: value for name, value in place.items() if value}


def _page_row(project: Project, one: Difference, people: Iterable[Rater], shown: Wanted, query: str) -> dict[str, Any]:
    labels = [said for said in one.labels if shown.label is None or said[0].key == shown.label.key]
    yes: dict[str, list[str]] = {"first": [], "second": []}
    for label, left, _ in labels:
        yes["first" if left == "yes" else "second"].append(label.name)
    codes = [person.code for person in people]
    said = [f"{code}: {phrases.listed(yes[side])}" for code, side in zip(codes, yes, strict=True) if yes[side]]
    if one.is_open:
        said = [f"one of the two: {phrases.listed([label.name for label, _, _ in labels])}"]
    url = reverse("labeling:item", args=[project.slug, one.item.public_id])
    case = reverse("labeling:case", args=[project.slug, one.item.public_id])
    return {"address": address(one.item, project=project), "url": f"{url}?{query}", "said": said,
            "case": case if one.is_open else ""}  # fmt: skip
