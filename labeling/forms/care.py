"""What a person sets for themself, so that the work is easier to bear."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from labeling import opt_outs
from labeling.models import Project


class OptOutForm(forms.Form):
    opted_out = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["opted_out"]
        field.choices = opt_outs.choices(project)  # type: ignore[attr-defined]
        field.label = _("Topics I would rather not judge")
        field.help_text = _(
            "Pages that are probably about them go to other people. It is yours: nobody is told which you chose."
        )
