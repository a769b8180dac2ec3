"""What a changed guideline does: drawing a sample to judge again, and its effect on the same pages."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from labeling import jobs, permissions, phrases, rejudging_report, rejudgings, schemas
from labeling.models import Job, Project, Rejudging
from labeling.plots import Forest, Scale
from labeling.refusals import Refused, Unacceptable
from labeling.rejudging_report import Effect
from labeling.web import PersonRequest, page

AXIS = Forest(Scale(-1.0, 1.0))
TICKS = [
    (AXIS.scale.percent(value), word) for value, word in ((-1, "−1"), (-0.5, "−0.5"), (0, "0"), (0.5, "0.5"), (1, "1"))
]
LIKELY_SIZE = 100


class DrawForm(forms.Form):
    labels = forms.MultipleChoiceField(label="Labels to ask", widget=forms.CheckboxSelectMultiple, required=False)
    size = forms.IntegerField(
        label="Pages to judge again",
        required=True,
        help_text=f"Two people answer each; {rejudgings.MAX_SIZE:,} at most.",
    )
    seed = forms.CharField(
        label="Seed", required=False, max_length=1_000,
        help_text="The same seed and pages give the same sample. Empty: a new one is made.",
    )  # fmt: skip

    def __init__(self, *args: Any, plans: list[rejudgings.Plan], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["labels"].choices = [(plan.key, plan.name) for plan in plans]  # type: ignore[attr-defined]


@require_GET
@page("rejudge.read")
def rejudging_list(request: PersonRequest, project: Project) -> HttpResponse:
    return _list(request, project)


def _list(request: PersonRequest, project: Project, form: DrawForm | None = None) -> HttpResponse:
    rows = rejudging_report.freshen(project)
    plans = rejudgings.plans(project)
    may_draw = permissions.may(request.user, "rejudge.draw", project, roles=request.roles)
    schema = schemas.in_force_if_any(project)
    changed = [plan for plan in plans if plan.has_changed]
    initial = {"labels": [plan.key for plan in changed], "size": LIKELY_SIZE}
    job = jobs.newest(project, rejudgings.KIND)
    context = {
        "rows": [_row(one) for one in rows],
        "plans": [_plan(plan) for plan in plans],
        "may_draw": may_draw and schema is not None and schema.number > 1,
        "version": schema.number if schema else 0,
        "form": form or DrawForm(plans=plans, initial=initial),
        "is_drawing": job is not None and job.state in {Job.State.QUEUED, Job.State.RUNNING},
        "failed": job.message if job is not None and job.state == Job.State.FAILED else "",
        "changed": phrases.listed([plan.name for plan in changed]),
    }
    return render(request, "labeling/rejudgings.html", context, status=422 if form else 200)


@require_POST
@page("rejudge.draw")
def draw(request: PersonRequest, project: Project) -> HttpResponse:
    form = DrawForm(request.POST, plans=rejudgings.plans(project))
    if form.is_valid():
        try:
            wanted = rejudgings.checked(project, **form.cleaned_data)
            rejudgings.queue_drawing(project, wanted, by=request.user)
        except Unacceptable as fault:
            for error in fault.errors:
                form.add_error(error["pointer"].lstrip("/"), error["detail"])
        except Refused as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, f"{phrases.counted(wanted.size, 'page')} are being drawn to be judged again.")
            return redirect("labeling:rejudgings", project.slug)
    return _list(request, project, form)


@require_GET
@page("rejudge.read")
def rejudging(request: PersonRequest, project: Project, number: int) -> HttpResponse:
    rejudging_report.freshen(project)
    row = get_object_or_404(Rejudging, project=project, number=number)
    effects = rejudging_report.effects(row)
    answered = rejudging_report.n_answered(row)
    context = {
        "row": _row(row),
        "headline": _headline(effects, answered),
        "effects": [_effect(one) for one in effects],
        "ticks": TICKS,
        "zero": AXIS.zero,
        "version": schemas.by_id(row.schema_id).number,
    }
    return render(request, "labeling/rejudging.html", context)


# ---- in words -------------------------------------------------------------------------------------------------------
def _row(row: Rejudging) -> dict[str, Any]:
    return {
        "number": row.number,
        "created_at": row.created_at,
        "names": phrases.listed(schemas.by_id(row.schema_id).names(row.labels)),
        "version": schemas.by_id(row.schema_id).number,
        "size": f"{row.size:,}",
        "answered": f"{rejudging_report.n_answered(row):,}",
        "is_complete": rejudging_report.is_complete(row),
        "seed": row.seed,
        "frame_size": f"{row.frame_size:,}",
        "frame_sha256": row.frame_sha256,
    }


def _plan(plan: rejudgings.Plan) -> dict[str, Any]:
    return {
        "name": plan.name,
        "has_changed": plan.has_changed,
        "alpha": phrases.estimate(plan.alpha),
        "prevalence": phrases.estimate(plan.prevalence),
        "pages": f"{plan.pages:,}",
        "is_too_many": plan.pages > rejudgings.MAX_SIZE,
    }


def _headline(effects: list[Effect], answered: int) -> str:
    """A finding only where the interval of the paired difference lies on one side of 0."""
    more = [one.name for one in effects if one.alpha_change.low is not None and one.alpha_change.low > 0]
    less = [one.name for one in effects if one.alpha_change.high is not None and one.alpha_change.high < 0]
    said = [f"{how} on {phrases.listed(names)}" for how, names in (("more", more), ("less", less)) if names]
    if said:
        return f"People agree {' and '.join(said)} than before the change"
    if not answered:
        return "No page has been judged again by all who were asked yet"
    return "Whether people agree more than before cannot be told yet"


def _effect(one: Effect) -> dict[str, Any]:
    return {
        "name": one.name,
        "mark": AXIS.interval(one.alpha_change),
        "alpha_before": phrases.estimate(one.alpha_before),
        "alpha_after": phrases.estimate(one.alpha_after),
        "alpha_change": _change(one.alpha_change),
        "share_before": phrases.estimate(one.share_before),
        "share_after": phrases.estimate(one.share_after),
        "share_change": _change(one.share_change),
        "n": one.alpha_change.n,
        "value": phrases.number(one.alpha_change.value) if one.alpha_change.value is not None else "",
    }


def _change(found: Any) -> str:
    if found.value is None:
        return found.reason or "cannot tell yet"
    return phrases.estimate(found)
