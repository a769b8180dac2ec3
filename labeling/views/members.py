"""Members of a project and invitations to it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from labeling import invites, permissions, quotas
from labeling import members as membership
from labeling.forms.accounts import InviteForm, MemberForm
from labeling.forms.quotas import QuotaForm
from labeling.models import Membership, Project
from labeling.refusals import Unacceptable
from labeling.web import PersonRequest, page


@page("member.list")
@require_safe
def members(request: PersonRequest, project: Project) -> HttpResponse:
    return _page(request, project)


@page("member.add_remove_role")
@require_POST
def add_member(request: PersonRequest, project: Project) -> HttpResponse:
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _page(request, project, form=form, status=422)
    try:
        added = membership.add(project, **form.cleaned_data, by=request.user)
    except Unacceptable as refused:
        form.add_error("username", refused.sentence)
        return _page(request, project, form=form, status=422)
    messages.success(request, f"{added.user} is {added.get_role_display().lower()} now.")
    return redirect("labeling:members", slug=project.slug)


@page("member.add_remove_role")
@require_POST
def remove_member(request: PersonRequest, project: Project, membership_id: int) -> HttpResponse:
    row = get_object_or_404(project.memberships.select_related("user"), pk=membership_id)
    membership.remove(row, by=request.user)
    messages.success(request, f"{row.user} is no longer {row.get_role_display().lower()}. What they judged stays.")
    return redirect("labeling:members", slug=project.slug)


@page("member.set_quota")
@require_POST
def set_quotas(request: PersonRequest, project: Project, membership_id: int) -> HttpResponse:
    row = get_object_or_404(project.memberships.select_related("user"), pk=membership_id)
    form = QuotaForm(request.POST, membership=row)
    if not form.is_valid():
        return _page(request, project, status=422, quota_form=form)
    membership.set_quotas(row, form.cleaned_data, by=request.user)
    messages.success(request, f"What {row.user} may answer is changed.")
    return redirect("labeling:members", slug=project.slug)


@page("account.invite")
@require_POST
def invite(request: PersonRequest, project: Project) -> HttpResponse:
    """The link is shown in the answer that makes it, and never again."""
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, project, invite_form=form, status=422)
    made, secret = invites.create(project, **form.cleaned_data, by=request.user)
    link = request.build_absolute_uri(reverse("accounts:invite", args=[secret]))
    return _page(request, project, status=201, link=link, made=made)


@page("account.invite")
@require_POST
def end_invite(request: PersonRequest, project: Project, invite_id: int) -> HttpResponse:
    row = get_object_or_404(project.invites, pk=invite_id)
    invites.revoke(row, by=request.user)
    messages.success(request, "The invitation is taken back; its link does not work any more.")
    return redirect("labeling:members", slug=project.slug)


def _page(
    request: PersonRequest, project: Project, *, status: int = 200, form: MemberForm | None = None,
    invite_form: InviteForm | None = None, quota_form: QuotaForm | None = None, **context: object,
) -> HttpResponse:  # fmt: skip
    roles = request.roles
    context |= {
        "rows": [(row, _quota_form(row, quota_form)) for row in membership.of(project)],
        "quotas": quotas.in_words(quotas.Limits(*(getattr(project, name) for name in quotas.NAMES))),
        "may_change": permissions.may(request.user, "member.add_remove_role", project, roles=roles),
        "may_see_exposure": permissions.may(request.user, "exposure.read_project", project, roles=roles),
        "invites": project.invites.usable().order_by("-pk"),
        "form": form or MemberForm(auto_id="member_%s"),
        "invite_form": invite_form or InviteForm(auto_id="invite_%s"),
    }
    return render(request, "labeling/members.html", context, status=status)


def _quota_form(row: Membership, sent: QuotaForm | None) -> QuotaForm | None:
    """The form of one membership: the one just sent, with what is wrong in it, or a fresh one."""
    if row.role not in quotas.MAY_ANSWER:
        return None
    return sent if sent is not None and sent.membership.pk == row.pk else QuotaForm(membership=row)
