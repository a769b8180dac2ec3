"""The JSON of things that several endpoints answer with."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from labeling import drafts, weburls
from labeling.models import Assignment, Draft, Item, Judgment, Project, Snapshot


class ItemShape(serializers.Serializer):
    """An item. People who judge get the address without its query unless the project allows it."""

    id = serializers.CharField(help_text="32 hex characters, the same on every database")
    external_id = serializers.CharField(allow_null=True)
    url = serializers.CharField()
    url_raw = serializers.CharField()
    host = serializers.CharField()
    registrable_domain = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField()
    language = serializers.CharField()
    flags = serializers.ListField(child=serializers.CharField())
    metadata = serializers.DictField()
    captured_at = serializers.DateTimeField(allow_null=True)


def item_shape(item: Item, snapshot: Snapshot | None, *, project: Project, whole: bool) -> dict[str, Any]:
    """`whole`: for people who run the project; others see no query, no user data, no metadata."""
    shown = whole or project.show_queries
    address = weburls.display_of(item.url_key, show_query=True) if project.show_queries else item.url_display
    return {
        "id": item.public_id,
        "external_id": item.external_id or None,
        "url": item.url_key if shown else address,
        "url_raw": item.url_raw if shown else address,
        "host": item.host,
        "registrable_domain": item.registrable_domain,
        "title": snapshot.title if snapshot else "",
        "text": snapshot.text if snapshot else "",
        "language": item.language,
        "flags": item.flags,
        "metadata": item.metadata if whole else {},
        "captured_at": snapshot.captured_at if snapshot else None,
    }


class LeaseShape(serializers.Serializer):
    id = serializers.IntegerField()
    lease_expires_at = serializers.DateTimeField()
    schema_version = serializers.IntegerField()
    asked = serializers.ListField(child=serializers.CharField())
    suggested = serializers.ListField(
        child=serializers.CharField(), allow_null=True,
        help_text="labels the model says hold, where the project suggests; null: nothing is shown for this page",
    )  # fmt: skip


class DraftShape(serializers.Serializer):
    yes = serializers.ListField(child=serializers.CharField())
    unsure = serializers.ListField(child=serializers.CharField())
    none = serializers.BooleanField()
    confidence = serializers.CharField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    saved_at = serializers.DateTimeField()
    version = serializers.CharField(help_text="send it as If-Match with the next saving")


class NextShape(serializers.Serializer):
    assignment = LeaseShape(allow_null=True)
    item = ItemShape(allow_null=True, required=False)
    draft = DraftShape(allow_null=True, required=False)
    reason = serializers.CharField(required=False, help_text="why nothing is left for this person")


def lease_shape(
    slot: Assignment, *, schema_number: int, asked: tuple[str, ...], suggested: Sequence[str] | None
) -> dict[str, Any]:
    return {
        "id": slot.pk,
        "lease_expires_at": slot.available_at,
        "schema_version": schema_number,
        "asked": list(asked),
        "suggested": suggested,
    }


def draft_shape(draft: Draft | None) -> dict[str, Any] | None:
    return None if draft is None else {**draft.answer, "saved_at": draft.saved_at, "version": drafts.version_of(draft)}


class JudgmentShape(serializers.Serializer):
    id = serializers.IntegerField()
    item = serializers.CharField()
    annotator = serializers.CharField(help_text="pseudonym, the same through the project")
    verdicts = serializers.DictField(child=serializers.ChoiceField(choices=["yes", "no", "unsure"]))
    outcome = serializers.ChoiceField(choices=Judgment.Outcome.choices)
    confidence = serializers.CharField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    active_seconds = serializers.FloatField(allow_null=True)
    schema_version = serializers.IntegerField()
    revision = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment]  # its name in the JSON
    submitted_at = serializers.DateTimeField()


def judgment_shape(judgment: Judgment, *, item_id: str, schema_number: int, annotator: str) -> dict[str, Any]:
    return {
        "id": judgment.pk,
        "item": item_id,
        "annotator": annotator,
        "verdicts": judgment.verdicts,
        "outcome": judgment.outcome,
        "confidence": judgment.confidence or None,
        "note": judgment.note,
        "active_seconds": judgment.active_seconds,
        "schema_version": schema_number,
        "revision": judgment.revision,
        "source": judgment.source,
        "submitted_at": judgment.submitted_at,
    }
