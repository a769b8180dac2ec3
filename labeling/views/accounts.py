"""A person's own pages: log in and out, password, sessions, tokens, settings, and taking up an invitation."""

import re

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash, views
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling import accounts, invites, login_throttle, sessions, tokens
from labeling.forms.accounts import NewAccountForm, PasswordForm, PreferencesForm, TokenForm
from labeling.models import ApiToken, Role, UserSession
from labeling.refusals import Refused, Unacceptable
from labeling.web import PersonRequest, is_htmx, page
from labeling.worklist import ROLE_NAMES

COMFORTS = {"grey": "greyscale", "blur": "blur_text"}
PLAIN_PATH = re.compile(r"/(?![/\\])")
get_or_post = require_http_methods(["GET", "HEAD", "POST"])


# ---- in and out -----------------------------------------------------------------------------------------------------
# Django's own views keep what is hard to get right: `next` stays on this site, a login gets a new session id, and a
# reset answers alike whether the address is known or not and writes to the address that is stored.
class LogIn(views.LoginView):
    template_name = "accounts/login.html"

    def get_redirect_url(self) -> str:  # type: ignore[override]  # as Django 5.2 has it; the stubs are of a later one
        """Only a plain path of this site: Django alone takes “//<tab>/google.com” for one, as it names no host."""
        url = super().get_redirect_url()
        return url if PLAIN_PATH.match(url) and url.isprintable() else ""


log_in = page("account.login")(get_or_post(LogIn.as_view()))
log_out = page("account.logout")(require_POST(views.LogoutView.as_view()))

reset_password = page("account.reset_password")(
    get_or_post(
        views.PasswordResetView.as_view(
            template_name="accounts/reset.html",
            email_template_name="accounts/reset_mail.txt",
            subject_template_name="accounts/reset_subject.txt",
            success_url=reverse_lazy("accounts:password_reset_sent"),
        )
    )
)
reset_sent = page("account.reset_password")(
    require_safe(views.PasswordResetDoneView.as_view(template_name="accounts/reset_sent.html"))
)
reset_done = page("account.reset_password")(
    require_safe(views.PasswordResetCompleteView.as_view(template_name="accounts/reset_done.html"))
)


class _NewPassword(views.PasswordResetConfirmView):
    template_name = "accounts/reset_confirm.html"
    success_url = reverse_lazy("accounts:password_reset_done")

    def form_valid(self, form) -> HttpResponse:
        with transaction.atomic():
            response = super().form_valid(form)
            accounts.password_was_reset(form.user)
            login_throttle.welcome(form.user, self.request)
        return response


new_password = page("account.reset_password")(get_or_post(_NewPassword.as_view()))


# ---- password and sessions ------------------------------------------------------------------------------------------
@sensitive_post_parameters()
@sensitive_variables()
@page("account.change_own_password")
@get_or_post
def change_password(request: PersonRequest) -> HttpResponse:
    form = PasswordForm(request, request.POST or None)
    if form.is_valid():
        accounts.set_password(
            request.user, form.cleaned_data["new_password1"], keep_session=request.session.session_key
        )
        old_key = request.session.session_key
        update_session_auth_hash(request, request.user)
        sessions.renamed(request, old_key)
        messages.success(request, _("Your password is changed. Everywhere else you are logged out."))
        return redirect("accounts:sessions")
    return _form(request, "accounts/password.html", form)


@page("account.sessions_own")
@require_safe
def own_sessions(request: PersonRequest) -> HttpResponse:
    context = {"sessions": sessions.of(request.user), "this": request.session.session_key}
    return render(request, "accounts/sessions.html", context)


@page("account.sessions_own")
@require_POST
def end_session(request: PersonRequest, session_id: int) -> HttpResponse:
    own = UserSession.objects.filter(user=request.user)
    get_object_or_404(own, pk=session_id)
    sessions.end(own.filter(pk=session_id))
    messages.success(request, _("That session is ended."))
    return redirect("accounts:sessions")


@page("account.sessions_own")
@require_POST
def end_other_sessions(request: PersonRequest) -> HttpResponse:
    sessions.end_others(request.user, but=request.session.session_key)
    messages.success(request, _("You are logged in only here now."))
    return redirect("accounts:sessions")


# ---- tokens and settings --------------------------------------------------------------------------------------------
@page("token.create_own")
@get_or_post
def own_tokens(request: PersonRequest) -> HttpResponse:
    """The secret is shown in the answer that makes the token, and never again."""
    form = TokenForm(request.POST or None)
    secret = None
    if form.is_valid():
        try:
            _, secret = form.issue(request.user)
            form = TokenForm()
        except Unacceptable as refused:
            form.add_error(None, refused.sentence)
    own = ApiToken.objects.live().filter(user=request.user).order_by("-pk")
    status = 422 if form.errors else 201 if secret else 200
    return render(request, "accounts/tokens.html", {"tokens": own, "form": form, "secret": secret}, status=status)


@page("token.create_own")
@require_POST
def end_token(request: PersonRequest, token_id: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=token_id, user=request.user)
    tokens.revoke(token, by=request.user)
    messages.success(request, f"The token “{token.name}” is ended.")
    return redirect("accounts:tokens")


@sensitive_post_parameters()
@page("account.preferences_own")
@get_or_post
def preferences(request: PersonRequest) -> HttpResponse:
    form = PreferencesForm(request, request.POST or None)
    if form.is_valid():
        accounts.set_preferences(request.user, **form.values())
        messages.success(request, _("Your settings are saved."))
        return redirect("accounts:preferences")
    return _form(request, "accounts/preferences.html", form)


@require_POST
@page("account.preferences_own")
def set_comfort(request: PersonRequest) -> HttpResponse:
    """One switch of the menu beside the work. A plain form is sent back to where it stands."""
    name = COMFORTS.get(request.POST.get("switch", ""))
    if name is not None:
        accounts.set_preferences(request.user, **{name: request.POST.get("on") == "1"})
    if is_htmx(request):
        return HttpResponse(status=204)
    back = request.POST.get("next", "")
    return redirect(back if PLAIN_PATH.match(back) and back.isprintable() else "accounts:preferences")


# ---- invitations ----------------------------------------------------------------------------------------------------
@sensitive_post_parameters()
@page("account.accept_invite")
@get_or_post
def accept_invite(request: HttpRequest, secret: str) -> HttpResponse:
    """Join with the account one is logged in to, or make one. This is the only way to get an account by oneself."""
    try:
        invite = invites.find(secret)
    except Refused as over:
        return render(request, "accounts/invite_over.html", {"sentence": over.sentence}, status=404)
    invited = {"invite": invite, "role_in_words": ROLE_NAMES[Role(invite.role)]}
    if request.user.is_authenticated:
        if request.method == "POST":
            invites.accept(invite, user=request.user)
            return redirect(settings.LOGIN_REDIRECT_URL)
        return render(request, "accounts/invite.html", invited)
    form = NewAccountForm(request.POST or None)
    if form.is_valid():
        data = form.cleaned_data
        user = invites.accept_as_new(invite, username=data["username"], email=data["email"], password=data["password1"])
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect(settings.LOGIN_REDIRECT_URL)
    return _form(request, "accounts/invite.html", form, **invited)


def _form(request: HttpRequest, template: str, form, **context: object) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)
