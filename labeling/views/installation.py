"""All projects at once, for who runs the installation: is anything stuck, full, or about to end?"""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.views.decorators.http import require_safe

from labeling import health, installation, phrases
from labeling.installation import Line, Storage, Tokens, Work
from labeling.models import Job
from labeling.views.csv_files import csv_file
from labeling.views.jobs import NAMES
from labeling.web import PersonRequest, page

HEAD = ["project", "name", "people", "pages", "answers", "waiting_answers", "disputed", "release", "answers_4_weeks",
        "last_answer", "counted_at"]  # fmt: skip
LITTLE_ROOM = 0.1  # of the disk
CHECKS = {"database": "Database", "migrations": "Tables", "broker": "Message broker", "worker": "Worker"}
STATES = {"ok": "works", "degraded": "is away: people go on, background work waits", "failed": "does not work"}


@page("dashboard.cross_project")
@require_safe
def overview(request: PersonRequest) -> HttpResponse:
    checks, work, storage = health.checks(), installation.work(), installation.storage()
    tokens, lines = installation.tokens(), installation.lines()
    headline, action = _headline(checks, work, storage, tokens)
    context = {
        "headline": headline,
        "action": action,
        "checks": [(CHECKS.get(one.name, one.name), STATES[one.state], one.detail) for one in checks],
        "lines": [_row(line) for line in lines],
        "people": installation.people(),
        "tokens": tokens,
        "work": work,
        "jobs": [_job(job) for job in work.shown],
        "storage": [
            ("Database", filesizeformat(storage.database)),
            ("Files", f"{'more than ' if storage.is_partial else ''}{filesizeformat(storage.files)}"),
            ("Free on the disk", f"{filesizeformat(storage.free)} of {filesizeformat(storage.whole)}"),
        ],
    }
    return render(request, "labeling/installation.html", context)


@page("dashboard.cross_project")
@require_safe
def projects_csv(request: PersonRequest) -> HttpResponse:
    """Every project with its counts; empty where they are not kept yet."""
    rows = []
    for line in installation.lines():
        counts = line.counts
        kept = [counts.n_pages, counts.n_answers, counts.n_waiting, counts.n_disputed, counts.release] if counts else []
        rows.append([line.project.slug, line.project.name, line.n_people, *(kept or [""] * 5), line.answers,
                     line.last_day or "", line.counted_at.isoformat() if line.counted_at else ""])  # fmt: skip
    return csv_file("projects", HEAD, rows)


def _headline(checks: list[health.Check], work: Work, storage: Storage, tokens: Tokens) -> tuple[str, str]:
    """What stands in the way, the worst first, and what to do about it."""
    away = [CHECKS.get(one.name, one.name) for one in checks if one.state != "ok"]
    if away:
        name = phrases.listed(away)
        return f"{name} {'does' if len(away) == 1 else 'do'} not answer", "Look at its log, then start it again."
    if storage.free < LITTLE_ROOM * storage.whole:
        return "The disk is nearly full", "Make room, or imports and releases will be refused."
    if work.n_failed:
        jobs = phrases.counted(work.n_failed, "job")
        return f"{jobs} failed within four weeks", "Read why below; each can be tried again on its project’s page."
    if tokens.n_end_soon:
        ending = phrases.counted(tokens.n_end_soon, "token")
        return f"{ending} will end within two weeks", "Their owners make new ones under “My account”."
    return "Everything works and nothing is stuck", ""


def _row(line: Line) -> dict[str, Any]:
    counts = line.counts
    return {
        "project": line.project,
        "people": line.n_people,
        "is_counted": counts is not None,
        "pages": f"{counts.n_pages:,}" if counts else "",
        "answers": f"{counts.n_answers:,}" if counts else "",
        "waiting": f"{counts.n_waiting:,}" if counts else "",
        "disputed": f"{counts.n_disputed:,}" if counts else "",
        "release": counts.release if counts and counts.release else "none yet",
        "lately": f"{line.answers:,}",
        "last_day": line.last_day,
    }


def _job(job: Job) -> dict[str, Any]:
    return {
        "name": NAMES.get(job.kind, job.kind),
        "project": job.project,
        "state": job.get_state_display(),
        "at": job.finished_at or job.heartbeat_at or job.created_at,
        "why": job.message if job.state == Job.State.FAILED else "",
    }
