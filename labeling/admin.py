"""The admin site: everything can be looked at; what history rests on cannot be edited, and no secret can be seen.

Changes that carry rules (roles, labels, judgments, releases) are made where the rules are: in the product's own pages.
"""

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from labeling import models


class ReadOnly(admin.ModelAdmin):
    """Shows rows as text. Nothing is added, changed or deleted here, not even by a superuser."""

    actions = None
    list_per_page = 50
    show_full_result_count = False  # an exact count of a million rows is not worth its time

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


# ---- people ---------------------------------------------------------------------------------------------------------
admin.site.unregister(Group)  # roles are memberships of projects


@admin.register(models.User)
class UserAdmin(ReadOnly):
    """Accounts. They are ended, and rights given, on the page “People”, which ends sessions, tokens and leases too."""

    fields = ("username", "email", "is_active", "is_superuser", "may_create_projects", "date_joined", "last_login")
    list_display = ("username", "is_active", "is_superuser", "may_create_projects", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("username", "email")


@admin.register(models.Membership)
class MembershipAdmin(ReadOnly):
    list_display = ("project", "user", "role", "added_at")
    list_filter = ("role",)
    list_select_related = ("project", "user")


@admin.register(models.Invite)
class InviteAdmin(ReadOnly):
    exclude = ("digest",)
    list_display = ("project", "role", "note", "created_by", "expires_at", "used_by", "revoked_at")
    list_select_related = ("project", "created_by", "used_by")


@admin.register(models.ApiToken)
class ApiTokenAdmin(ReadOnly):
    exclude = ("digest",)
    list_display = ("user", "name", "hint", "scopes", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)


@admin.register(models.UserSession)
class UserSessionAdmin(ReadOnly):
    exclude = ("session_key",)
    list_display = ("user", "created_at", "last_seen_at", "address")
    list_select_related = ("user",)


@admin.register(models.Rater)
class RaterAdmin(ReadOnly):
    list_display = ("project", "code", "created_at")
    list_select_related = ("project",)


# ---- what is asked --------------------------------------------------------------------------------------------------
@admin.register(
    models.RaterWeek, models.RaterTotal, models.ConductCount, models.DoubtRanking, models.Doubt, models.Rejudging,
    models.Counted, models.AgreementSummary, models.AgreementCell, models.RaterCell, models.PairCell,
    models.ConfusionCell,
)  # fmt: skip
class CountsAdmin(ReadOnly):
    """What jobs keep for dashboards."""

    list_display = ["__str__", "project"]
    list_filter = ["project"]
    list_select_related = True


@admin.register(models.Project)
class ProjectAdmin(ReadOnly):
    list_display = ("name", "slug", "created_at", "archived_at")
    search_fields = ("name", "slug")


class LabelInline(admin.TabularInline):
    model = models.Label
    fields = ("key", "revision", "name", "shortcut", "parent", "severity", "retired")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(models.SchemaVersion)
class SchemaVersionAdmin(ReadOnly):
    list_display = ("project", "number", "published_at", "published_by")
    list_select_related = ("project", "published_by")
    inlines = (LabelInline,)


# ---- items ----------------------------------------------------------------------------------------------------------
@admin.register(models.Item)
class ItemAdmin(ReadOnly):
    """Addresses are text, never links: they may be hostile."""

    list_display = ("public_id", "url_display", "project", "state", "created_at")
    list_filter = ("state",)
    list_select_related = ("project",)
    search_fields = ("=public_id", "=host", "=external_id")


@admin.register(models.Snapshot)
class SnapshotAdmin(ReadOnly):
    list_display = ("item", "content_hash", "captured_at")
    list_select_related = ("item",)


@admin.register(models.Selection)
class SelectionAdmin(ReadOnly):
    list_display = ("item", "stream", "origin", "probability", "rank", "created_at")
    list_filter = ("stream",)
    list_select_related = ("item",)


@admin.register(models.Import)
class ImportAdmin(ReadOnly):
    list_display = ("__str__", "project")
    list_select_related = ("project",)


@admin.register(models.RefusedRow)
class RefusedRowAdmin(ReadOnly):
    list_display = ("line", "reason")


@admin.register(models.RowNote)
class RowNoteAdmin(ReadOnly):
    list_display = ("line", "sentence")


# ---- work -----------------------------------------------------------------------------------------------------------
@admin.register(models.Assignment)
class AssignmentAdmin(ReadOnly):
    list_display = ("item", "purpose", "round", "slot", "state", "annotator", "available_at")
    list_filter = ("state", "purpose")
    list_select_related = ("item", "annotator")


@admin.register(models.LostLease)
class LostLeaseAdmin(ReadOnly):
    list_display = ("slot", "annotator", "lost_at")
    list_select_related = ("slot__item", "annotator")


@admin.register(models.Judgment)
class JudgmentAdmin(ReadOnly):
    list_display = ("item", "rater", "outcome", "source", "submitted_at", "revision", "voided_at")
    list_filter = ("source", "outcome")
    list_select_related = ("item", "rater")


@admin.register(models.Draft)
class DraftAdmin(ReadOnly):
    list_display = ("item", "annotator", "saved_at")
    list_select_related = ("item", "annotator")


@admin.register(models.Skip)
class SkipAdmin(ReadOnly):
    list_display = ("item", "annotator", "reason", "created_at")
    list_select_related = ("item", "annotator")


@admin.register(models.Consensus)
class ConsensusAdmin(ReadOnly):
    list_display = ("item", "state", "n_judgments", "expected_error", "updated_at")
    list_filter = ("state",)
    list_select_related = ("item",)


@admin.register(models.Dispute)
class DisputeAdmin(ReadOnly):
    list_display = ("item", "label", "opened_at", "settled_at")
    list_select_related = ("item",)


@admin.register(models.Suggestion)
class SuggestionAdmin(ReadOnly):
    list_display = ("item", "annotator", "is_shown", "run", "made_at")
    list_filter = ("is_shown",)
    list_select_related = ("item", "annotator")


@admin.register(models.OpenedCase)
class OpenedCaseAdmin(ReadOnly):
    list_display = ("item", "person", "opened_at")
    list_select_related = ("item", "person")


@admin.register(models.Adjudication)
class AdjudicationAdmin(ReadOnly):
    list_display = ("item", "cause", "decided_at", "superseded_at")
    list_filter = ("cause",)
    list_select_related = ("item",)


@admin.register(models.ConsensusFit)
class ConsensusFitAdmin(ReadOnly):
    list_display = ("project", "made_at", "n_judgments", "n_decisions")
    list_select_related = ("project",)


@admin.register(models.RaterSkill)
class RaterSkillAdmin(ReadOnly):
    list_display = ("rater", "label", "fit")
    list_select_related = ("rater", "fit__project")


@admin.register(models.SentBack)
class SentBackAdmin(ReadOnly):
    list_display = ("judgment", "by", "sent_at")
    list_select_related = ("judgment__rater", "judgment__item", "by")
    raw_id_fields = ("slot", "judgment")


@admin.register(models.Acceptance)
class AcceptanceAdmin(ReadOnly):
    list_display = ("project", "by", "audit_share", "n_accepted", "n_drawn", "made_at")
    list_select_related = ("project", "by")


@admin.register(models.AuditPick)
class AuditPickAdmin(ReadOnly):
    list_display = ("item", "acceptance", "closed_at")
    list_select_related = ("item", "acceptance__project")


# ---- figures --------------------------------------------------------------------------------------------------------
@admin.register(models.DailyCount)
class DailyCountAdmin(ReadOnly):
    list_display = ("project", "day", "stream", "answers", "decisions", "pages", "is_stale")
    list_filter = ("is_stale",)
    list_select_related = ("project",)


@admin.register(models.ProjectCount)
class ProjectCountAdmin(ReadOnly):
    list_display = ("project", "counted_at")
    list_select_related = ("project",)


# ---- gold -----------------------------------------------------------------------------------------------------------
@admin.register(models.Draw)
class DrawAdmin(ReadOnly):
    list_display = ("project", "number", "design", "size", "frame_size", "created_at")
    list_select_related = ("project",)


@admin.register(models.GoldRelease)
class GoldReleaseAdmin(ReadOnly):
    list_display = ("project", "version", "n_items", "created_at", "manifest_sha256")
    list_select_related = ("project",)


@admin.register(models.GoldItem)
class GoldItemAdmin(ReadOnly):
    list_display = ("release", "item", "probability", "row_sha256")
    list_select_related = ("release__project", "item")


@admin.register(models.ReleaseFile)
class ReleaseFileAdmin(ReadOnly):
    list_display = ("release", "name")
    list_select_related = ("release__project",)


@admin.register(models.Blob)
class BlobAdmin(ReadOnly):
    exclude = ("content",)
    list_display = ("sha256", "size_bytes")


# ---- the working day ------------------------------------------------------------------------------------------------
@admin.register(models.Desk)
class DeskAdmin(ReadOnly):
    exclude = ("opted_out",)  # what somebody would rather not judge is theirs to tell
    list_display = ("project", "user", "onboarded_at", "paused_at", "pause_reason")
    list_filter = ("pause_reason",)
    list_select_related = ("project", "user")


@admin.register(models.Honeypot)
class HoneypotAdmin(ReadOnly):
    list_display = ("project", "item", "is_onboarding", "added_at", "retired_at")
    list_select_related = ("project", "item")


@admin.register(models.Flag)
class FlagAdmin(ReadOnly):
    list_display = ("project", "kind", "item", "raised_by", "raised_at", "resolved_at")
    list_filter = ("kind",)
    list_select_related = ("project", "item", "raised_by")


@admin.register(models.Comment)
class CommentAdmin(ReadOnly):
    list_display = ("flag", "author", "written_at")
    list_select_related = ("flag__item", "author")


@admin.register(models.FlagReading)
class FlagReadingAdmin(ReadOnly):
    list_display = ("flag", "person")
    list_select_related = ("flag__item", "person")


@admin.register(models.LikelyLabel)
class LikelyLabelAdmin(ReadOnly):
    list_display = ("item", "label")
    list_select_related = ("item",)


# ---- events and jobs ------------------------------------------------------------------------------------------------
@admin.register(models.Event)
class EventAdmin(ReadOnly):
    list_display = ("at", "kind", "actor", "project", "about")
    list_filter = ("kind",)
    list_select_related = ("actor", "project")


@admin.register(models.Job)
class JobAdmin(ReadOnly):
    list_display = ("kind", "project", "state", "attempt", "created_at", "heartbeat_at", "message")
    list_filter = ("state", "kind")
    list_select_related = ("project",)


@admin.register(models.IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnly):
    """The stored answers may hold what only their owner may read."""

    fields = ("user", "key", "status", "created_at")
    list_display = ("user", "key", "status", "created_at")
    list_select_related = ("user",)


@admin.register(models.Heartbeat)
class HeartbeatAdmin(ReadOnly):
    list_display = ("process", "at")
