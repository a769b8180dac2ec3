"""The form of a schema draft: one part a label, some empty ones for new labels, the guideline, the exclusions."""

from typing import cast

from django import forms
from django.forms.formsets import BaseFormSet, formset_factory

from labeling import publishing
from labeling.forms.lines import LinesField
from labeling.models.projects import Severity
from labeling.publishing import Draft, LabelDraft

EMPTY_PARTS = 3


class LabelForm(forms.Form):
    key = forms.CharField(
        max_length=40, required=False, label="Key",
        help_text="Small letters, digits and _. Programs use it, so it never changes.",
    )  # fmt: skip
    name = forms.CharField(max_length=80, required=False, label="Name")
    definition = forms.CharField(
        required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 2}), label="Yes, if"
    )
    examples = LinesField(
        label="Pages on which it holds, one a line", help_text="Two are best: a plain one and a hard one."
    )
    includes = LinesField(label="Includes, one a line")
    excludes = LinesField(label="Does not include, one a line")
    near_misses = LinesField(
        label="Near misses, one a line", help_text="Pages that look like it and are not. Two are best."
    )
    shortcut = forms.CharField(
        max_length=1, required=False, label="Letter", help_text="Empty: a free letter of the name."
    )
    severity = forms.TypedChoiceField(
        choices=[("", "Not said"), *((value, label) for value, label in Severity.choices)],
        coerce=int, empty_value=None, required=False, label="How grave",
    )  # fmt: skip
    parent = forms.CharField(
        max_length=40, required=False, label="Under the label (its key)",
        widget=forms.TextInput(attrs={"list": "label-keys"}),
        help_text="Yes to this label is then yes to that one, too. Three levels at most.",
    )  # fmt: skip
    place = forms.IntegerField(required=False, min_value=0, max_value=9999, label="Place in the list")
    retired = forms.BooleanField(required=False, label="Retired: nobody is asked it any more; its answers stay")
    meaning_unchanged = forms.BooleanField(required=False, label="Only the words change: answers so far still count")

    def draft(self) -> LabelDraft:
        data = dict(self.cleaned_data)
        data.pop("place")
        data["shortcut"] = data["shortcut"].lower()
        data["name"] = data["name"] or data["key"].replace("_", " ").capitalize()
        return LabelDraft(**data)

    @property
    def filled(self) -> bool:
        return bool(self.cleaned_data.get("key") or self.cleaned_data.get("name"))


class BaseLabelForms(BaseFormSet):
    def drafts(self) -> tuple[LabelDraft, ...]:
        """The labels in the order of their places; parts left empty are no labels."""
        filled = [form for form in self.forms if form.filled]
        last = len(filled)
        filled.sort(key=lambda form: last if form.cleaned_data["place"] is None else form.cleaned_data["place"])
        return tuple(form.draft() for form in filled)


LabelForms = cast(
    type[BaseLabelForms],
    formset_factory(
        LabelForm, formset=BaseLabelForms, extra=EMPTY_PARTS, max_num=publishing.MAX_LABELS, absolute_max=1000
    ),
)


class SchemaForm(forms.Form):
    """What is not a label. `based_on` is the version the draft was made from."""

    based_on = forms.IntegerField(widget=forms.HiddenInput)
    guideline = forms.CharField(
        required=False, max_length=200_000, strip=False, widget=forms.Textarea(attrs={"rows": 10}),
        label="Guideline", help_text="Markdown. People read it beside the page they judge.",
    )  # fmt: skip
    exclusive_groups = forms.CharField(
        required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 2}),
        label="Labels that exclude each other",
        help_text="One group of keys a line, with commas: “news, games”. At most one of a group can be yes; labels "
        "under them follow.",
    )  # fmt: skip

    def groups(self) -> tuple[tuple[str, ...], ...]:
        lines = self.cleaned_data["exclusive_groups"].splitlines()
        groups = (tuple(key.strip() for key in line.split(",") if key.strip()) for line in lines)
        return tuple(group for group in groups if group)


def forms_of(draft: Draft, *, based_on: int) -> tuple[SchemaForm, BaseLabelForms]:
    """The draft in unbound forms."""
    groups = "\n".join(", ".join(group) for group in draft.exclusive_groups)
    schema_form = SchemaForm(initial={"based_on": based_on, "guideline": draft.guideline, "exclusive_groups": groups})
    names = [name for name in LabelForm.base_fields if name not in {"place", "meaning_unchanged"}]
    parts = [
        {"place": place, **{name: getattr(label, name) for name in names}}
        for place, label in enumerate(draft.labels, start=1)
    ]
    return schema_form, LabelForms(initial=parts, prefix="label")


def draft_from(schema_form: SchemaForm, label_forms: BaseLabelForms) -> Draft:
    """The draft the valid forms hold. Line ends are those of Unix, so that a saved text is not a changed one."""
    guideline = schema_form.cleaned_data["guideline"].replace("\r\n", "\n")
    return Draft(label_forms.drafts(), guideline, schema_form.groups())
