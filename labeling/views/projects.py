"""The list of projects, a new one, and its settings."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling import honeypots, permissions, projects, publishing, worklist
from labeling.forms.projects import NewProjectForm, SettingsForm, initial_of
from labeling.models import Project
from labeling.refusals import Refused, Stale, Unacceptable
from labeling.views.outlook import outlook
from labeling.web import PersonRequest, page

DOUBT, ASKED = "when-answers-leave-doubt", "who-is-asked"  # parts of the settings page

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@page("project.list")
@require_safe
def project_list(request: PersonRequest) -> HttpResponse:
    """Each project as a line, with what waits for this person; those put away in a second list."""
    lines = worklist.lines_for(request.user, Project.objects.visible_to(request.user))
    live = [line for line in lines if line.project.archived_at is None]
    context = {
        "live": live,
        "archived": [line for line in lines if line.project.archived_at is not None],
        "next": next((line for line in live if line.action), None),
        "may_create": permissions.may(request.user, "project.create"),
        "may_list_people": permissions.may(request.user, "account.list_users"),
        "may_see_all": permissions.may(request.user, "dashboard.cross_project"),
    }
    return render(request, "labeling/projects.html", context)


@page("project.create")
@get_or_post
def project_new(request: PersonRequest) -> HttpResponse:
    form = NewProjectForm(request.POST or None)
    if form.is_valid():
        try:
            project = _created(form.cleaned_data, request)
        except Refused as refused:
            form.add_error("slug" if refused.status == 409 else None, refused.sentence)
        else:
            messages.success(request, f"“{project}” is made. Say what is asked: add its labels.")
            return redirect("labeling:labels", slug=project.slug)
    status = 422 if form.errors else 200
    return render(request, "labeling/project_new.html", {"form": form}, status=status)


@transaction.atomic
def _created(values: dict[str, Any], request: PersonRequest) -> Project:
    project = projects.create(values, by=request.user)
    publishing.publish(project, publishing.Draft(), by=request.user)
    return project


# ---- settings -------------------------------------------------------------------------------------------------------
@page("project.update_settings")
@get_or_post
def settings(request: PersonRequest, project: Project) -> HttpResponse:
    if "outlook" in request.POST:
        return _outlook(request, project)
    part = request.POST.get("part", "")
    form = SettingsForm(request.POST or None, project=project, part=part)
    if form.is_valid():
        beside = form.changed_beside()
        try:
            values = form.values(project)
            projects.change(project, values, by=request.user, expected=values.pop("expected"))
        except Stale as stale:
            return _stale(request, project, stale)
        except Unacceptable as refused:
            form.add_error(None, refused.sentence)
        else:
            if beside:
                return _partly_saved(request, project, form.parts[part][0], beside)
            messages.success(request, "The settings are saved.")
            return redirect("labeling:settings", slug=project.slug)
    return _settings_page(request, project, form, status=422 if form.errors else 200)


def _outlook(request: PersonRequest, project: Project) -> HttpResponse:
    """What the typed rules for doubtful pages come to; nothing is saved, and all that was typed stays."""
    form = SettingsForm(request.POST, project=project, part=DOUBT)
    form.taken |= {*form.parts[ASKED][1]}
    if not form.is_valid():
        return _settings_page(request, project, form, status=422)
    return _settings_page(request, project, form, status=200, outlook=outlook(project, form.values(project)))


def _partly_saved(request: PersonRequest, project: Project, title: str, beside: list[str]) -> HttpResponse:
    """One part is saved, and what was typed in others is still in the form, upon the state that is in force now."""
    project.refresh_from_db()
    typed = SettingsForm(project=project, initial={**request.POST.dict(), "version": project.version})
    said = f"“{title}” is saved. What you changed under {', '.join(f'“{name}”' for name in beside)} is not saved yet."
    messages.warning(request, said)
    return _settings_page(request, project, typed, status=200)


def _stale(request: PersonRequest, project: Project, stale: Stale) -> HttpResponse:
    """Both versions: theirs as words beside each field, and what this person typed still in the form."""
    project.refresh_from_db()
    data = request.POST.copy()
    now = initial_of(project)
    data["version"] = str(now["version"])
    form = SettingsForm(data, project=project, part=request.POST.get("part", ""))
    form.full_clean()
    differs = [
        (field.label, _said(now.get(name)), _said(form.cleaned_data.get(name)))
        for name, field in form.fields.items()
        if name != "version" and name in form.taken and _said(now.get(name)) != _said(form.cleaned_data.get(name))
    ]
    return _settings_page(request, project, form, status=412, stale=stale.sentence, differs=differs)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else str(value)


def _settings_page(
    request: PersonRequest, project: Project, form: SettingsForm, *, status: int, **context: Any
) -> HttpResponse:
    context |= {
        "form": form,
        "schema": publishing.in_force(project),
        "members": project.memberships.count(),
        "lacking": honeypots.lacking(project),
    }
    return render(request, "labeling/settings.html", context, status=status)


@page("project.archive")
@require_POST
def archive(request: PersonRequest, project: Project) -> HttpResponse:
    projects.archive(project, by=request.user)
    messages.success(request, f"“{project}” is archived. Nothing in it is lost; restore it here.")
    return redirect("labeling:settings", slug=project.slug)


@page("project.archive")
@require_POST
def restore(request: PersonRequest, project: Project) -> HttpResponse:
    projects.restore(project, by=request.user)
    messages.success(request, f"“{project}” is back in the list.")
    return redirect("labeling:settings", slug=project.slug)


@page("project.delete")
@require_POST
def delete(request: PersonRequest, project: Project) -> HttpResponse:
    name = project.name
    projects.delete(project, by=request.user)
    messages.success(request, f"“{name}” is deleted.")
    return redirect("labeling:projects")
