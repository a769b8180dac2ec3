"""How each person answers: dots with intervals beside known answers and the others, never a rank or one score."""

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from labeling import conduct, people_report, permissions, phrases, rater_totals, summaries
from labeling.models import Project, Rater, Stream
from labeling.people_report import Filters, LabelRates, Person, Report
from labeling.plots import Forest, Scale
from labeling.quality.intervals import Estimate
from labeling.views.csv_files import csv_file
from labeling.views.figures import TICKS_OF_SHARES
from labeling.web import PersonRequest, page

AXIS = Forest(Scale(0.0, 1.0))
RATES = ("sensitivity", "specificity")
AGAINST = ("known", "others")
FEWEST_SHOWN = 20  # answers beside those of others: who has fewer stands in the table and not in the figure
MINUTES_FROM = 180  # seconds


@require_GET
@page("agreement.read_per_annotator")
def annotators(request: PersonRequest, project: Project) -> HttpResponse:
    """Everybody on one label, and each with their time, repeats and drift."""
    summaries.freshen(project)
    counted_at = conduct.freshen(project)
    filters = _filters(request)
    report = _report(request, project, filters)
    sees_all = _sees_all(request, project)
    keys = dict(report.labels)
    label = request.GET.get("label", "")
    label = label if label in keys else _most_known(report)
    context = {
        "headline": _headline(report, sees_all=sees_all),
        "sees_all": sees_all,
        "rows": [_row(request, project, person) for person in report.people],
        "label": label,
        "labels": report.labels,
        "figures": [_figure(request, project, report, label, rate) for rate in RATES] if report.people else [],
        "counted": people_report.COUNTED,
        "counted_at": counted_at,
        "shows_exposure": permissions.may(request.user, "exposure.read_project", project, roles=request.roles),
        **_choices(filters),
    }
    return render(request, "labeling/annotators.html", context)


@require_GET
@page("agreement.read_per_annotator")
def annotator(request: PersonRequest, project: Project, rater_id: int) -> HttpResponse:
    """One person on every label. Annotators: themself alone, and of weeks that are over."""
    rater = _rater(request, project, rater_id)
    summaries.freshen(project)
    conduct.freshen(project)
    filters = _filters(request)
    report = _report(request, project, filters, rater=rater)
    if not report.people:
        return render(request, "labeling/annotator.html", {"name": _name(request, project, rater), **_choices(filters)})
    [person] = report.people
    sees_all = _sees_all(request, project)
    drift = people_report.drift_of(project, rater, filters, today=_today()) if sees_all else []
    context = {
        "name": _name(request, project, rater),
        "person": person,
        "seconds": _seconds(person.seconds),
        "figures": [_own_figure(report, person, rate, shows_known=sees_all) for rate in RATES],
        "again": phrases.estimate(person.again_pages) if person.again_pages.n else "",
        "again_labels": [_again_row(one) for one in person.labels] if person.again_pages.n else [],
        "drift": [_drift_row(week) for week in drift],
        "drift_heading": _drift_heading(drift),
        "ticks": TICKS_OF_SHARES,
        "counted": people_report.COUNTED,
        "sees_all": sees_all,
        "shows_exposure": permissions.may(request.user, "exposure.read_project", project, roles=request.roles),
        **_choices(filters),
    }
    return render(request, "labeling/annotator.html", context)


@require_GET
@page("agreement.read_per_annotator")
def annotators_csv(request: PersonRequest, project: Project) -> HttpResponse:
    """Every person on every label, each number with its interval; an empty cell where undefined."""
    report = _report(request, project, _filters(request))
    shows_known = _sees_all(request, project)
    head = ["person", "label", "answers", "seconds", "same_answer_twice", "same_answer_twice_n"]
    head += [f"{against}_{rate}{end}" for against in AGAINST for rate in RATES for end in ("", "_low", "_high", "_n")]
    rows = []
    for person in report.people:
        for one in person.labels:
            numbers: list[Any] = [person.n_answers, person.seconds.value, one.again.same.value, one.again.same.n]
            for against in AGAINST:
                for rate in RATES:
                    found: Estimate = getattr(getattr(one, against), rate)
                    is_told = against == "others" or shows_known
                    numbers += [found.value, found.low, found.high, found.n] if is_told else [None] * 4
            named = [_name_of(request, project, person), one.key]
            rows.append(["" if part is None else part for part in [*named, *numbers]])
    return csv_file(f"{project.slug}-annotators", head, rows)


# ---- who sees whom --------------------------------------------------------------------------------------------------
def _sees_all(request: PersonRequest, project: Project) -> bool:
    return permissions.sees_others(request.user, project, roles=request.roles)


def _report(request: PersonRequest, project: Project, filters: Filters, *, rater: Rater | None = None) -> Report:
    """Of everybody, or of one. A person's own figures are told when a week is over: one that moved with the page just
    answered would tell what others said of it."""
    today = _today()
    if _sees_all(request, project):
        chosen = Rater.objects.filter(pk=rater.pk) if rater else None
        return people_report.of_project(project, filters, today=today, raters=chosen)
    own = Rater.objects.filter(project=project, user=request.user)
    return people_report.of_project(project, filters, today=today, raters=own, until=rater_totals.monday_of(today))


def _rater(request: PersonRequest, project: Project, rater_id: int) -> Rater:
    raters = Rater.objects.filter(project=project).select_related("user")
    if not _sees_all(request, project):
        raters = raters.filter(user=request.user)
    found = raters.filter(pk=rater_id).first()
    if found is None:
        raise Http404
    return found


def _knows_names(request: PersonRequest, project: Project) -> bool:
    return permissions.may(request.user, "judgment.read_identified", project, roles=request.roles)


def _name(request: PersonRequest, project: Project, rater: Rater) -> str:
    is_named = rater.user is not None and (_knows_names(request, project) or rater.user_id == request.user.pk)
    return rater.user.username if is_named and rater.user else rater.code


def _name_of(request: PersonRequest, project: Project, person: Person) -> str:
    is_named = person.username and (_knows_names(request, project) or person.user_id == request.user.pk)
    return person.username if is_named else person.code


# ---- what is asked for ----------------------------------------------------------------------------------------------
def _today() -> date:
    return timezone.now().date()


def _filters(request: PersonRequest) -> Filters:
    weeks, stream = request.GET.get("weeks", ""), request.GET.get("stream", "")
    return Filters(
        weeks=int(weeks) if weeks in {str(one) for one in rater_totals.PERIODS} else None,
        stream=stream if stream in Stream.values else "",
    )


def _choices(filters: Filters) -> dict[str, Any]:
    query = "&".join(
        f"{name}={value}" for name, value in (("weeks", filters.weeks), ("stream", filters.stream)) if value
    )
    return {
        "filters": filters,
        "periods": [(weeks, f"the last {weeks} weeks") for weeks in rater_totals.PERIODS],
        "streams": Stream.choices,
        "query": f"?{query}" if query else "",
    }


def _most_known(report: Report) -> str:
    """The label on which most can be told of most people."""
    known = {
        key: sum(person.on(key).others.sensitivity.low is not None for person in report.people)
        for key, _ in report.labels
    }
    return max(known, key=lambda key: known[key], default="")


# ---- everybody ------------------------------------------------------------------------------------------------------
def _headline(report: Report, *, sees_all: bool) -> str:
    if not report.people:
        return "Nobody’s answers can be shown yet"
    if not sees_all:
        return "How your answers compare"
    alarms = sum(bool(person.alarms) for person in report.people)
    people = phrases.counted(len(report.people), "person has answered", "people have answered")
    answers = phrases.counted(sum(person.n_answers for person in report.people), "time")
    drifting = f"; {phrases.count(alarms)} began to answer otherwise than before" if alarms else ""
    return f"{people} {answers}{drifting}"


def _row(request: PersonRequest, project: Project, person: Person) -> dict[str, Any]:
    return {
        "name": _name_of(request, project, person),
        "url": reverse("labeling:annotator", args=[project.slug, person.rater_id]),
        "answers": f"{person.n_answers:,}",
        "seconds": _seconds(person.seconds),
        "again": phrases.estimate(person.again_pages) if person.again_pages.n else "no page asked twice yet",
        "known": f"{person.known_pages:,}" if person.known_pages else "none yet",
        "drift": _drift_in_words(person),
        "points": f"{person.points:,}",
        "serious": f"{person.serious:,}",
    }


def _seconds(found: Estimate) -> str:
    if found.value is None:
        return "not timed"
    if found.low is None or found.high is None:
        return f"about {phrases.duration(found.value)}"
    unit, name = (60, "min") if found.value >= MINUTES_FROM else (1, "s")
    value, low, high = (f"{part / unit:.0f}" for part in (found.value, found.low, found.high))
    return f"{value} {name} ({low} to {high})"


def _drift_in_words(person: Person) -> str:
    if person.user_id is None:
        return "not watched: from a file"
    if not person.alarms:
        return "no alarm"
    return f"alarm in the week of {_day(person.alarms[-1])}"


def _day(day: date) -> str:
    return f"{day.day}\u00a0{day:%B}\u00a0{day.year}"


# Of each rate: a heading that claims nothing, one that names who is below the usual person, and what it is.
WORDS = {
    "sensitivity": (
        "How often each person finds {label}", "{label} is found less often than usual by {people}",
        "Of the pages on which {label} holds, how often each person says yes.",
    ),
    "specificity": (
        "How often each person leaves {label} alone", "Too much is taken for {label}, more than usual, by {people}",
        "Of the pages on which {label} does not hold, how often each person says no.",
    ),
}  # fmt: skip


def _figure(request: PersonRequest, project: Project, report: Report, label: str, rate: str) -> dict[str, Any]:
    name, usual = dict(report.labels)[label], getattr(report.usual[label], rate)
    sees_all, rows, low = _sees_all(request, project), [], []
    for person in report.people:
        one, who = person.on(label), _name_of(request, project, person)
        if sees_all and person.n_compared < FEWEST_SHOWN and not one.known.sensitivity.n:
            continue
        if _is_below(getattr(one.others, rate), usual):
            low.append(who)
        url = reverse("labeling:annotator", args=[project.slug, person.rater_id])
        rows.append(_mark(who, one, rate, shows_known=sees_all) | {"url": url})
    heading, finding, caption = WORDS[rate]
    left_out = len(report.people) - len(rows)
    return {
        "id": rate,
        "heading": finding.format(label=name, people=phrases.listed(low)) if low else heading.format(label=name),
        "caption": caption.format(label=name),
        "left_out": phrases.counted(left_out, "person", "people") if left_out else "",
        "rows": rows,
        "ticks": TICKS_OF_SHARES,
        "usual": AXIS.scale.percent(usual),
        "who": "Person",
    }


def _is_below(found: Estimate, usual: float) -> bool:
    """For certain: the whole of the widened interval is."""
    return found.high is not None and found.high < usual


def _mark(name: str, one: LabelRates, rate: str, *, shows_known: bool) -> dict[str, Any]:
    others, known = getattr(one.others, rate), getattr(one.known, rate)
    return {
        "name": name,
        "mark": AXIS.interval(others),
        "mark_known": AXIS.interval(known) if shows_known else None,
        "value": phrases.number(others.value) if others.low is not None else "",
        "words": phrases.estimate(others),
        "n": others.n,
        "known": phrases.estimate(known) if shows_known and known.n else "",
        "n_known": known.n if shows_known else 0,
        "too_few": phrases.too_few(others) if others.low is None else "",
    }


# ---- one person -----------------------------------------------------------------------------------------------------
OWN = {
    "sensitivity": (
        "How often they find each label", "Finds {labels} less often than usual",
        "Of the pages on which a label holds, how often they say yes.",
    ),
    "specificity": (
        "How often they leave each label alone", "Takes more than usual for {labels}",
        "Of the pages on which it does not hold, how often they say no.",
    ),
}  # fmt: skip


def _own_figure(report: Report, person: Person, rate: str, *, shows_known: bool) -> dict[str, Any]:
    heading, finding, caption = OWN[rate]
    low = [
        one.name for one in person.labels
        if _is_below(getattr(one.others, rate), getattr(report.usual[one.key], rate))
    ]  # fmt: skip
    rows = [_mark(one.name, one, rate, shows_known=shows_known) for one in person.labels]
    return {"id": rate, "heading": finding.format(labels=phrases.listed(low)) if low else heading, "caption": caption,
            "rows": rows, "ticks": TICKS_OF_SHARES, "who": "Label"}  # fmt: skip


def _again_row(one: LabelRates) -> dict[str, str]:
    again = one.again
    return {"name": one.name, "same": phrases.estimate(again.same), "kappa": phrases.estimate(again.kappa),
            "n": f"{again.same.n:,}"}  # fmt: skip


def _drift_row(week: people_report.DriftWeek) -> dict[str, Any]:
    return {
        "day": week.monday,
        "mark": AXIS.interval(week.differs),
        "low": AXIS.scale.percent(week.low),
        "width": f"{100 * (week.high - week.low):.1f}",
        "words": phrases.estimate(week.differs),
        "limits": f"{phrases.number(week.low)} to {phrases.number(week.high)}",
        "n": week.differs.n,
        "is_alarm": week.alarms > 0,
    }


def _drift_heading(weeks: list[people_report.DriftWeek]) -> str:
    alarms = [week.monday for week in weeks if week.alarms]
    if alarms:
        return f"Differs more than their pages explain since the week of {_day(alarms[0])}"
    return "No sign of drift" if weeks else "Drift"
