"""Forms that make a project and change its settings; other apps' settings get their fields from their section."""

from typing import Any, NamedTuple

from django import forms
from django.utils.text import slugify

from labeling import projects
from labeling.forms.lines import LinesField
from labeling.models import Project, Stream
from labeling.settings_sections import LONGEST_LINE, LONGEST_TEXT, MAX_LINES, Setting

OVERLAP = "overlap_"
WHO_IS_ASKED = "Who is asked"
STREAM_WORDS = {
    "default": "People who answer each page",
    Stream.GOLD: "People who answer each page of a gold sample",
    Stream.RANDOM: "People who answer each page drawn at random",
}


class NewProjectForm(forms.Form):
    name = forms.CharField(max_length=120, label="Name", help_text="What people see: “Homepages 2026”.")
    slug = forms.SlugField(
        max_length=60, required=False, label="Name in the address",
        help_text="Small letters, digits and hyphens. Left empty, it is made from the name. It cannot change later.",
    )  # fmt: skip
    description = forms.CharField(
        required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3}), label="What it is for"
    )


class Group(NamedTuple):
    """One part of the settings page."""

    slug: str
    title: str
    fields: list[forms.BoundField]
    n_wrong: int


class SettingsForm(forms.Form):
    """Every setting of a project. `version` says which state the person looked at.

    `part` names one of the groups: then nothing else is looked at, refused or taken, and all stays as it was typed.
    """

    version = forms.IntegerField(widget=forms.HiddenInput)
    name = forms.CharField(max_length=120, label="Name")
    description = forms.CharField(
        required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3}), label="What it is for"
    )
    lease_seconds = forms.IntegerField(
        min_value=30, max_value=24 * 3600, label="Seconds a page is kept for a person",
        help_text="After that an unanswered page goes to somebody else. 900 is a quarter of an hour.",
    )  # fmt: skip
    show_queries = forms.BooleanField(
        required=False, label="Show the part of an address after “?”",
        help_text="It can carry names and searches of pupils. Off, only people who run the project see it.",
    )  # fmt: skip
    sensitive = forms.BooleanField(
        required=False, label="Viewers see neither title nor text of a page",
        help_text="For pages that are sensitive. Whoever judges, settles or manages reads them as before.",
    )  # fmt: skip
    decide_own = forms.BooleanField(
        required=False, label="People may settle disagreements about pages they answered themselves",
        help_text="Only for a team of two: a second pair of eyes is what settling is for.",
    )  # fmt: skip
    ask_confidence = forms.BooleanField(
        required=False, label="Ask how sure people are of each answer",
        help_text="Low, medium or high, with the keys 1, 2 and 3. Nobody has to say it.",
    )  # fmt: skip

    def __init__(self, *args: Any, project: Project, part: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("initial", initial_of(project))
        super().__init__(*args, **kwargs)
        for stream, label in STREAM_WORDS.items():
            self.fields[f"{OVERLAP}{stream}"] = forms.IntegerField(
                min_value=1, max_value=projects.MAX_OVERLAP, required=stream == "default", label=label,
                help_text="" if stream == "default" else "Empty: as many as for any other page.",
            )  # fmt: skip
        for section in projects.settings_sections:
            self.fields |= {setting.name: field_of(setting) for setting in section.settings}
        self.parts = {slugify(title): (title, names) for title, names in self._grouped().items()}
        self.taken = {"version", *(self.parts[part][1] if part in self.parts else self.fields)}

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound:
            for name in set(self.fields) - self.taken:
                self.errors.pop(name, None)
                self.cleaned_data.pop(name, None)

    def groups(self) -> list[Group]:
        """The fields under headings, as the page shows them."""
        found = {slug: [self[name] for name in names] for slug, (_, names) in self.parts.items()}
        return [
            Group(slug, self.parts[slug][0], fields, sum(bool(field.errors) for field in fields))
            for slug, fields in found.items()
        ]

    def changed_beside(self) -> list[str]:
        """The headings under which something was changed that is not taken."""
        changed = set(self.changed_data) - self.taken
        return [title for title, names in self.parts.values() if changed & {*names}]

    def _grouped(self) -> dict[str, list[str]]:
        sections = {
            section.title: [setting.name for setting in section.settings] for section in projects.settings_sections
        }
        grouped = {
            "The project": ["name", "description"],
            "How people answer": ["lease_seconds", "ask_confidence", "show_queries", "sensitive", "decide_own"],
            **sections,
        }
        grouped[WHO_IS_ASKED] = [*(f"{OVERLAP}{stream}" for stream in STREAM_WORDS), *grouped[WHO_IS_ASKED]]
        return grouped

    def values(self, project: Project) -> dict[str, Any]:
        """What the domain takes. Streams the page does not show keep their numbers."""
        may_be_empty = {one.name for section in projects.settings_sections for one in section.settings if one.optional}
        data = {name: value for name, value in self.cleaned_data.items() if value is not None or name in may_be_empty}
        expected = data.pop("version")
        shown = {f"{OVERLAP}{stream}": str(stream) for stream in STREAM_WORDS}
        hidden = {stream: n for stream, n in project.overlap.items() if stream not in shown.values()}
        overlap = {stream: data.pop(name) for name, stream in shown.items() if name in data}
        asked = {"overlap": hidden | overlap} if self.taken & {*shown} else {}
        return {**data, **asked, "expected": expected}


def initial_of(project: Project) -> dict[str, Any]:
    values = projects.settings_of(project)
    overlap = values.pop("overlap")
    return {**values, "version": project.version, **{f"{OVERLAP}{stream}": n for stream, n in overlap.items()}}


def field_of(setting: Setting) -> forms.Field:
    """The form field of a setting that stands in a section."""
    common: dict[str, Any] = {"label": setting.label, "help_text": setting.help}
    if setting.kind is bool:
        return forms.BooleanField(required=False, **common)
    if setting.kind is list:
        return LinesField(rows=4, at_most=MAX_LINES, longest=LONGEST_LINE, **common)
    common["required"] = not setting.optional
    if setting.choices:
        return forms.ChoiceField(choices=setting.choices, **common)
    if setting.kind is str:
        widget = forms.TextInput() if setting.longest <= LONGEST_TEXT else forms.Textarea(attrs={"rows": 3})
        return forms.CharField(max_length=setting.longest, widget=widget, **common)
    if setting.kind is float:
        number = forms.NumberInput(attrs={"step": "any"})
        return forms.FloatField(min_value=setting.low, max_value=setting.high, widget=number, **common)
    low, high = setting.whole_limits
    return forms.IntegerField(min_value=low, max_value=high, **common)
