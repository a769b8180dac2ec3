"""The letters of a person: one small field a label."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from labeling import schemas
from labeling.refusals import Unacceptable

LETTER = "letter."  # before the key of a label, which may be any word, also the name of a button


class LettersForm(forms.Form):
    def __init__(self, schema: schemas.Schema, letters: Mapping[str, str], data: Any = None) -> None:
        super().__init__(data, initial={f"{LETTER}{key}": letter for key, letter in letters.items()})
        for label in schema.asked:
            self.fields[f"{LETTER}{label.key}"] = forms.CharField(
                max_length=1, required=False, label=label.name,
                widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "size": 1}),
                error_messages={"max_length": _("One letter from a to z.")},
            )  # fmt: skip

    def letters(self) -> dict[str, str]:
        return {name.removeprefix(LETTER): letter.lower() for name, letter in self.cleaned_data.items()}

    def refuse(self, refused: Unacceptable) -> None:
        """Each sentence stands at the label it is about."""
        for error in refused.errors:
            self.add_error(f"{LETTER}{error['pointer'].removeprefix('/')}", error["detail"])
