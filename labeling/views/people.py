"""People of the installation: managers see the names of those in their projects; operators may end accounts."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from labeling import accounts, tokens
from labeling.forms.accounts import RightsForm
from labeling.models import Membership, User
from labeling.web import PersonRequest, page

PAGE_SIZE = 100


@page("account.list_users")
@require_safe
def people(request: PersonRequest) -> HttpResponse:
    found = people_known_to(request.user).order_by("username")
    shown = Paginator(found.annotate(projects=Count("memberships__project", distinct=True)), PAGE_SIZE)
    return render(request, "accounts/people.html", {"page_obj": shown.get_page(request.GET.get("page"))})


def people_known_to(user: User) -> QuerySet[User]:
    """Everybody for an operator; for a manager, the members of the projects they manage."""
    if user.is_superuser:
        return User.objects.all()
    managed = user.memberships.filter(role="manager").values("project")
    return User.objects.filter(pk__in=Membership.objects.filter(project__in=managed).values("user"))


@page("account.deactivate")
@require_POST
def deactivate(request: PersonRequest, user_id: int) -> HttpResponse:
    user = get_object_or_404(User, pk=user_id)
    accounts.deactivate(user, by=request.user)
    messages.success(request, f"{user} is logged out everywhere and cannot log in. What they judged stays.")
    return redirect("accounts:people")


@page("account.deactivate")
@require_POST
def reactivate(request: PersonRequest, user_id: int) -> HttpResponse:
    user = get_object_or_404(User, pk=user_id)
    accounts.reactivate(user, by=request.user)
    messages.success(request, f"{user} may log in again.")
    return redirect("accounts:people")


@page("account.set_role_global")
@require_POST
def set_rights(request: PersonRequest, user_id: int) -> HttpResponse:
    user = get_object_or_404(User, pk=user_id)
    form = RightsForm(request.POST)
    form.is_valid()
    accounts.set_rights(user, by=request.user, **form.cleaned_data)
    messages.success(request, f"The rights of {user} are set.")
    return redirect("accounts:people")


@page("token.revoke_other")
@require_POST
def end_tokens(request: PersonRequest, user_id: int) -> HttpResponse:
    user = get_object_or_404(User, pk=user_id)
    ended = tokens.revoke_all(user, by=request.user)
    messages.success(request, f"{ended} tokens of {user} are ended.")
    return redirect("accounts:people")
