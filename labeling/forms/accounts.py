"""Forms of a person's own account, of invitations, and of the people of the installation."""

from copy import copy
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.contrib.auth.forms import BaseUserCreationForm, PasswordChangeForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling import login_throttle, tokens
from labeling.models import ApiToken, Role, User

DAYS = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "a year"))


class NewAccountForm(BaseUserCreationForm):
    """Who takes up an invitation without an account: a name, an address for a forgotten password, and a password."""

    class Meta:
        model = User
        fields = ("username", "email")
        labels = {"username": _("Name you log in with"), "email": _("E-mail address")}
        help_texts = {
            "username": _("Letters, digits and @ . + - _ only. Other members of your projects see it."),
            "email": _("Only used when you forget your password."),
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = " ".join(password_validation.password_validators_help_texts())
        self.fields["password2"].label = _("Password again")
        self.fields["password2"].help_text = ""

    def clean_username(self) -> str:
        """Names that differ only in capitals would be taken for each other."""
        username = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(_("Somebody has this name already. Choose another."))
        return username


class PasswordForm(PasswordChangeForm):
    """A new password. Wrong tries of the old one count as at the login: an open session is no way to guess it."""

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(cast(User, request.user), data)
        self.request = request

    def clean_old_password(self) -> str:
        old = self.cleaned_data["old_password"]
        if not login_throttle.proves(self.request, old):
            raise forms.ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old


class PreferencesForm(forms.ModelForm):
    """Another e-mail address needs the password: who reads its mail can take the account over by a reset."""

    password = forms.CharField(
        required=False, strip=False, label=_("Your password"),
        help_text=_("Only needed when you change the e-mail address."),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )  # fmt: skip
    language = forms.ChoiceField(
        required=False, label=_("Language of the pages where people judge"),
        choices=[("", _("As the browser asks")), *settings.LANGUAGES],
    )  # fmt: skip
    field_order = ("email", "password")

    class Meta:
        model = User
        fields = (
            "email", "language", "single_keys", "cover_pages", "greyscale", "blur_text", "break_reminders",
            "daily_goal", "shows_figures",
        )  # fmt: skip
        labels = {
            "email": _("E-mail address"),
            "single_keys": _("Single keys: one letter answers, without Ctrl or Alt"),
            "cover_pages": _("Cover every page until I ask"),
            "greyscale": _("Show pages in grey"),
            "blur_text": _("Keep the text of a page out of focus until I point at it"),
            "break_reminders": _("Propose breaks to me"),
            "daily_goal": _("My goal for a day, in pages"),
            "shows_figures": _("Show my figures of today beside the work"),
        }
        help_texts = {
            "email": _("Only used when you forget your password."),
            "single_keys": _("Switch it off when letters are taken by speech input or a screen reader."),
            "cover_pages": _("The text of each page is hidden until you uncover it."),
            "blur_text": _("Some people like it. It is no protection: what is read is read."),
            "daily_goal": _("Yours alone: nobody else sees it."),
            "shows_figures": _("How many pages, your goal and how far it is. Nobody else sees them."),
        }

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        # A copy: a form that is refused must not leave its values on the person every page shows.
        super().__init__(data, instance=copy(cast(User, request.user)))
        self.request = request

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if "email" in self.changed_data and not login_throttle.proves(self.request, found.get("password", "")):
            self.add_error("password", _("Type the password you log in with to change the e-mail address."))
        return found

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


class TokenForm(forms.Form):
    name = forms.CharField(max_length=80, label="Name", help_text="For you, to know it again: “export script”.")
    scopes = forms.MultipleChoiceField(
        choices=[("read", "read"), ("write", "write: change things, as you may")],
        initial=["read"],
        widget=forms.CheckboxSelectMultiple,
        label="What it may do",
        error_messages={"required": "Choose what the token may do."},
    )
    days = forms.TypedChoiceField(choices=DAYS, coerce=int, initial=tokens.DEFAULT_DAYS, label="It ends after")

    def issue(self, user: User) -> tuple[ApiToken, str]:
        data = self.cleaned_data
        ends = timezone.now() + timedelta(days=data["days"])
        return tokens.issue(user, name=data["name"], scopes=data["scopes"], expires_at=ends)


class InviteForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices, initial=Role.ANNOTATOR, label="As")
    note = forms.CharField(max_length=200, required=False, label="For whom", help_text="For you, to know it again.")


class MemberForm(forms.Form):
    username = forms.CharField(max_length=150, label="Name of a person with an account")
    role = forms.ChoiceField(choices=Role.choices, initial=Role.ANNOTATOR, label="As")


class RightsForm(forms.Form):
    may_create_projects = forms.BooleanField(required=False)
    is_superuser = forms.BooleanField(required=False)
