"""The JSON of projects and their labels: what is read from a body, and what is answered."""

from dataclasses import replace
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from labeling import projects, publishing
from labeling.models import Judgment, Project, Role, SchemaVersion, User
from labeling.settings_sections import LONGEST_LINE, MAX_LINES, Setting

ASKERS = {Role.VIEWER, Role.ADJUDICATOR, Role.MANAGER}  # people with none of these only judge
LONGEST_GUIDELINE = 200_000


# ---- labels ---------------------------------------------------------------------------------------------------------
class Sentences(serializers.ListField):
    child = serializers.CharField(max_length=1000)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=50, **kwargs)


class LabelInput(serializers.Serializer):
    """A label by its key. What is not named stays as it is in the version in force, or is empty in a new label."""

    key = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=80, required=False)
    definition = serializers.CharField(allow_blank=True, required=False, max_length=5000)
    examples = Sentences(required=False, help_text="pages on which it holds; two are best")
    includes = Sentences(required=False)
    excludes = Sentences(required=False)
    near_misses = Sentences(required=False, help_text="pages it is often confused with; two are best")
    shortcut = serializers.CharField(
        allow_blank=True, allow_null=True, required=False, max_length=1, help_text="a small letter; empty: a free one"
    )
    parent = serializers.CharField(  # type: ignore[assignment]  # its name in the JSON
        allow_blank=True, allow_null=True, required=False, max_length=40
    )
    severity = serializers.IntegerField(
        allow_null=True, required=False, min_value=1, max_value=4, help_text="1 mild to 4 grave"
    )
    retired = serializers.BooleanField(default=False)
    meaning_unchanged = serializers.BooleanField(
        default=False, help_text="the words changed, the question did not: answers so far still pool"
    )


class LabelShape(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    definition = serializers.CharField()
    examples = Sentences()
    includes = Sentences()
    excludes = Sentences()
    near_misses = Sentences()
    shortcut = serializers.CharField(allow_null=True)
    parent = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # its name in the JSON
    severity = serializers.IntegerField(allow_null=True)
    retired = serializers.BooleanField()
    revision = serializers.IntegerField(help_text="only answers to equal revisions of a label pool")


def label_draft(body: dict[str, Any], earlier: publishing.LabelDraft | None) -> publishing.LabelDraft:
    key = body["key"]
    draft = earlier or publishing.LabelDraft(key, name=key.replace("_", " ").capitalize())
    named: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in body.items()}
    for name in ("shortcut", "parent"):
        if name in named:
            named[name] = named[name] or ""
    if "shortcut" in named:
        named["shortcut"] = named["shortcut"].lower()
    return replace(draft, **{"retired": False, **named})


def draft_from(body: dict[str, Any], before: publishing.Draft) -> publishing.Draft:
    """The schema the body asks for; what it does not name stays as it is in `before`."""
    labels = before.labels
    if "labels" in body:
        earlier = {label.key: label for label in before.labels}
        labels = tuple(label_draft(label, earlier.get(label["key"])) for label in body["labels"])
    groups = tuple(tuple(group) for group in body.get("exclusive_groups", ()))
    if "exclusive_groups" not in body:
        asked = {label.key for label in labels if not label.retired}
        left = (tuple(key for key in group if key in asked) for group in before.exclusive_groups)
        groups = tuple(group for group in left if len(group) > 1)
    return publishing.Draft(labels, body.get("guideline", before.guideline), groups)


# ---- projects -------------------------------------------------------------------------------------------------------
@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "object", "additionalProperties": {"type": "integer"}}]})
class OverlapField(serializers.Field):
    """Judgments per item: a number, or numbers by stream with "default" for the others."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, int | dict) or isinstance(data, bool):
            raise serializers.ValidationError("A whole number, or an object of whole numbers by stream.")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def field_of(setting: Setting) -> serializers.Field:
    """The serializer field of a setting that stands in a section."""
    common: dict[str, Any] = {"required": False, "help_text": setting.help, "allow_null": setting.optional}
    if setting.choices:
        return serializers.ChoiceField(choices=setting.choices, **common)
    if setting.kind is bool:
        return serializers.BooleanField(**common)
    if setting.kind is list:
        line = serializers.CharField(max_length=LONGEST_LINE)
        return serializers.ListField(child=line, max_length=MAX_LINES, **common)
    if setting.kind is str:
        return serializers.CharField(max_length=setting.longest, allow_blank=setting.optional, **common)
    if setting.kind is float:
        return serializers.FloatField(min_value=setting.low, max_value=setting.high, **common)
    low, high = setting.whole_limits
    return serializers.IntegerField(min_value=low, max_value=high, **common)


class WithSections(serializers.Serializer):
    """Adds the settings that stand in sections, those of other apps among them."""

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        for section in projects.settings_sections:
            fields |= {setting.name: field_of(setting) for setting in section.settings}
        return fields


class ProjectChange(WithSections):
    name = serializers.CharField(max_length=120, required=False)
    description = serializers.CharField(allow_blank=True, max_length=5000, required=False)
    overlap = OverlapField(required=False)
    lease_seconds = serializers.IntegerField(min_value=30, max_value=24 * 3600, required=False)
    show_queries = serializers.BooleanField(required=False)
    sensitive = serializers.BooleanField(required=False, help_text="viewers see no title and no text of its items")
    decide_own = serializers.BooleanField(required=False)
    ask_confidence = serializers.BooleanField(required=False)
    archived = serializers.BooleanField(required=False)
    guideline = serializers.CharField(allow_blank=True, max_length=LONGEST_GUIDELINE, required=False)
    labels = serializers.ListField(child=LabelInput(), max_length=publishing.MAX_LABELS, required=False)
    exclusive_groups = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(max_length=40), max_length=500),
        max_length=100,
        required=False,
    )


class ProjectCreation(ProjectChange):
    slug = serializers.CharField(max_length=60, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not (attrs.get("name") or attrs.get("slug")):
            raise serializers.ValidationError({"name": ["A project needs a name."]})
        attrs.setdefault("name", attrs.get("slug"))
        return attrs


class ProjectShape(WithSections):
    """A project. People who only judge get its name, guideline, labels and their own progress."""

    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    guideline = serializers.CharField()
    schema_version = serializers.IntegerField()
    labels = LabelShape(many=True)
    exclusive_groups = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    roles = serializers.ListField(child=serializers.CharField())
    progress = serializers.DictField(child=serializers.IntegerField(), required=False)
    overlap = OverlapField(required=False)
    lease_seconds = serializers.IntegerField(required=False)
    show_queries = serializers.BooleanField(required=False)
    sensitive = serializers.BooleanField(required=False, help_text="viewers see no title and no text of its items")
    decide_own = serializers.BooleanField(required=False)
    ask_confidence = serializers.BooleanField(required=False)
    archived = serializers.BooleanField(required=False)
    created_at = serializers.DateTimeField(required=False)
    version = serializers.IntegerField(required=False)


def label_shape(label: Any) -> dict[str, Any]:
    return {
        "key": label.key,
        "name": label.name,
        "definition": label.definition,
        "examples": label.examples,
        "includes": label.includes,
        "excludes": label.excludes,
        "near_misses": label.near_misses,
        "shortcut": label.shortcut or None,
        "parent": label.parent or None,
        "severity": label.severity,
        "retired": label.retired,
        "revision": label.revision,
    }


def project_shape(
    project: Project, schema: SchemaVersion | None, *, user: User, roles: frozenset[str]
) -> dict[str, Any]:
    """`schema`: the version in force with its labels. What is more than the work needs is left out for annotators."""
    shape: dict[str, Any] = {
        "slug": project.slug,
        "name": project.name,
        "description": project.description,
        "guideline": schema.guideline if schema else "",
        "schema_version": schema.number if schema else 0,
        "labels": [label_shape(label) for label in schema.asked()] if schema else [],
        "exclusive_groups": schema.exclusive_groups if schema else [],
        "roles": sorted(roles),
    }
    if not (user.is_superuser or roles & ASKERS):
        return shape | {"progress": {"answered": answered_by(user, project)}}
    settings = projects.settings_of(project)
    overlap = settings["overlap"]
    return shape | settings | {
        "overlap": overlap["default"] if set(overlap) == {"default"} else overlap,
        "archived": project.archived_at is not None,
        "created_at": project.created_at,
        "version": project.version,
    }  # fmt: skip


def answered_by(user: User, project: Project) -> int:
    return Judgment.objects.current().filter(item__project=project, rater__user=user).count()
