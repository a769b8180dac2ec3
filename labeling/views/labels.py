"""The schema editor: a draft against the version in force, what it changes in words, and its publication."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from labeling import impact, new_labels, publishing
from labeling.forms.labels import LabelForms, SchemaForm, draft_from, forms_of
from labeling.models import Project
from labeling.refusals import Stale, Unacceptable
from labeling.web import PersonRequest, page


@page("schema.create_version")
@require_http_methods(["GET", "HEAD", "POST"])
def labels(request: PersonRequest, project: Project) -> HttpResponse:
    """GET shows the version in force as a draft; POST reviews it, or publishes it with step=publish."""
    if request.method != "POST":
        return _page(request, project, *_fresh_forms(project), status=200)
    schema_form, label_forms = SchemaForm(request.POST), LabelForms(request.POST, prefix="label")
    if not (schema_form.is_valid() & label_forms.is_valid()):
        return _page(
            request, project, schema_form, label_forms, status=422, errors=_sentences(schema_form, label_forms)
        )
    try:
        return _review_or_publish(request, project, schema_form, label_forms)
    except Unacceptable as refused:
        errors = [error["detail"] for error in refused.errors]
        return _page(request, project, schema_form, label_forms, status=422, errors=errors)
    except Stale as stale:
        return _stale(request, project, label_forms, stale)


def _review_or_publish(
    request: PersonRequest, project: Project, schema_form: SchemaForm, label_forms: Any
) -> HttpResponse:
    draft, based_on = draft_from(schema_form, label_forms), schema_form.cleaned_data["based_on"]
    if request.POST.get("step") == "publish":
        schema = publishing.publish(project, draft, by=request.user, expected=based_on)
        is_new = schema.number != based_on
        messages.success(request, f"Version {schema.number} is in force." if is_new else "Nothing was changed.")
        return redirect("labeling:labels", slug=project.slug)
    touched = impact.of(project, draft)
    return _page(request, project, schema_form, label_forms, status=200, impact=touched)


def _stale(request: PersonRequest, project: Project, label_forms: Any, stale: Stale) -> HttpResponse:
    """The draft stays as typed, now against the version published meanwhile, with the differences in words."""
    data = request.POST.copy()
    newest = publishing.in_force(project)
    data["based_on"] = str(newest.number if newest else 0)
    schema_form = SchemaForm(data)
    schema_form.full_clean()
    touched = impact.of(project, draft_from(schema_form, label_forms))
    return _page(request, project, schema_form, label_forms, status=412, stale=stale.sentence, impact=touched)


def _fresh_forms(project: Project) -> tuple[SchemaForm, Any]:
    newest = publishing.in_force(project)
    return forms_of(publishing.draft_of(newest), based_on=newest.number if newest else 0)


def _sentences(schema_form: SchemaForm, label_forms: Any) -> list[str]:
    forms = (schema_form, *label_forms)
    return [
        f"{form.fields[name].label}: {sentence}"
        for form in forms
        for name, sentences in form.errors.items()
        for sentence in sentences
    ]


def _page(
    request: PersonRequest, project: Project, schema_form: SchemaForm, label_forms: Any, *, status: int, **context: Any
) -> HttpResponse:
    newest = publishing.in_force(project)
    context |= {
        "schema": newest,
        "asked": newest.asked() if newest else [],
        "younger": new_labels.younger_than_answers(project),
        "known_keys": set(newest.labels.values_list("key", flat=True)) if newest else set(),
        "next_number": (newest.number if newest else 0) + 1,
        "schema_form": schema_form,
        "label_forms": label_forms,
    }
    return render(request, "labeling/labels.html", context, status=status)
