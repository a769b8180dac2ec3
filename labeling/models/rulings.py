"""What adjudicators do beside deciding a page: answers sent back, and unanimous pages accepted together."""

from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class SentBack(models.Model):
    """That an adjudicator sent an answer back to who gave it, with a word. The second answer, a re-judge, is no vote.

    Append-only. Whether it was answered is the slot's state.
    """

    slot = models.OneToOneField("labeling.Assignment", models.PROTECT, related_name="sent_back")
    judgment = models.ForeignKey("labeling.Judgment", models.PROTECT, related_name="sent_backs")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    message = models.TextField()
    labels = models.JSONField(default=list)  # keys of those it was about
    sent_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(message=""), name="sent_back_with_a_word")]

    def __str__(self) -> str:
        return f"{self.judgment} sent back"


class Acceptance(models.Model):
    """That a person accepted pages on which all agree, together; a share of them, drawn by chance, was not accepted."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="acceptances")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    seed = models.CharField(max_length=64)  # with the id of a page it says whether that page was drawn
    audit_share = models.FloatField(validators=[MinValueValidator(0.0), MaxValueValidator(1.0)])
    job = models.OneToOneField("labeling.Job", models.SET_NULL, null=True, blank=True, related_name="+")
    n_accepted = models.PositiveIntegerField(default=0)
    n_drawn = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(audit_share__gte=0, audit_share__lte=1), name="audit_share_is_a_share")
        ]
        indexes = [models.Index(fields=["project", "-id"], name="acceptance_newest")]

    def __str__(self) -> str:
        return f"acceptance {self.pk} in {self.project}"


class AuditPickQuerySet(models.QuerySet["AuditPick"]):
    def open(self) -> Self:
        return self.filter(closed_at=None)


class AuditPick(models.Model):
    """A page on which all agree that chance drew for a person to decide, without being shown what was answered."""

    acceptance = models.ForeignKey(Acceptance, models.CASCADE, related_name="picks")
    item = models.ForeignKey("labeling.Item", models.CASCADE, related_name="audit_picks")
    expected = models.JSONField(default=dict)  # what all said when it was drawn: {label: verdict}
    # How it was decided, unseen; null also when it was closed because people disagreed on it since.
    adjudication = models.OneToOneField(
        "labeling.Adjudication", models.PROTECT, null=True, blank=True, related_name="audit_pick"
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = AuditPickQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item"], condition=Q(closed_at=None), name="one_open_audit_per_item"),
            models.UniqueConstraint(fields=["acceptance", "item"], name="one_pick_per_acceptance"),
        ]

    def __str__(self) -> str:
        return f"{self.item} drawn by {self.acceptance}"
