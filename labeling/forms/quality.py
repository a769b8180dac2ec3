"""Forms of the pages with known answers, and of pausing a person."""

from collections.abc import Iterable
from typing import Any

from django import forms

from labeling.honeypots import MAX_EXPLANATION
from labeling.models import User
from labeling.pauses import LONGEST_DETAIL
from labeling.schemas import Schema

VERDICT = "verdict."
CHOICES = (("", "not scored"), ("yes", "yes"), ("no", "no"))


class PlaceForm(forms.Form):
    """What can be changed of a page in the pool."""

    explanation = forms.CharField(
        required=False, max_length=MAX_EXPLANATION, widget=forms.Textarea(attrs={"rows": 3}), label="Why it is so",
        help_text="Whoever answers otherwise reads this, some days later.",
    )  # fmt: skip
    is_onboarding = forms.BooleanField(
        required=False, label="One of the first pages of new people",
        help_text="Those are not given to anybody later on.",
    )  # fmt: skip


class KnownPageForm(PlaceForm):
    """A page for the pool: which one, and what is right on it."""

    item = forms.CharField(
        max_length=4_000, label="Address or identity of the page",
        help_text="A page of this project. It can be imported without being queued.",
    )  # fmt: skip
    others_are_no = forms.BooleanField(required=False, label="No for every label that is not said")

    field_order = ("item", "explanation", "is_onboarding")

    def __init__(self, *args: Any, schema: Schema, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.schema = schema
        for label in schema.asked:
            self.fields[f"{VERDICT}{label.key}"] = forms.ChoiceField(
                choices=CHOICES, required=False, label=label.name, initial="",
            )  # fmt: skip

    def labels(self) -> list[forms.BoundField]:
        return [self[f"{VERDICT}{key}"] for key in self.schema.keys]

    def verdicts(self) -> dict[str, str] | None:
        """What is said to be right; None when nothing is: then what people settled is taken."""
        said = {key: self.cleaned_data[f"{VERDICT}{key}"] for key in self.schema.keys}
        rest = "no" if self.cleaned_data["others_are_no"] else ""
        found = {key: verdict or rest for key, verdict in said.items() if verdict or rest}
        return found or None


class PauseForm(forms.Form):
    person = forms.TypedChoiceField(coerce=int, label="Who")
    detail = forms.CharField(required=False, max_length=LONGEST_DETAIL, label="Why, in a sentence they will read")

    def __init__(self, *args: Any, people: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = [(person.pk, person.username) for person in people]  # type: ignore[attr-defined]
