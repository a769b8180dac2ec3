"""How much one person may answer, where it is other than the project says."""

from django import forms
from django.http import QueryDict

from labeling import quotas, rules
from labeling.forms.projects import field_of
from labeling.models import Membership

HELP = "Empty: as the project says."


class QuotaForm(forms.Form):
    def __init__(self, data: QueryDict | None = None, *, membership: Membership) -> None:
        self.membership = membership
        initial = {name: getattr(membership, name) for name in quotas.NAMES}
        super().__init__(data, auto_id=f"quota_{membership.pk}_%s", initial=initial)
        for setting in rules.QUOTAS:
            self.fields[setting.name] = field_of(setting)
            self.fields[setting.name].help_text = HELP

    @property
    def in_words(self) -> str:
        """What this membership says by itself; empty when it follows the project."""
        own = quotas.Limits(*(getattr(self.membership, name) for name in quotas.NAMES))
        return quotas.in_words(own) if own.is_set else ""
