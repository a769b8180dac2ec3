"""Pages whose answer is known, and what people tell the manager about a page."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class HoneypotQuerySet(models.QuerySet["Honeypot"]):
    def in_use(self) -> Self:
        return self.filter(retired_at=None)


class Honeypot(models.Model):
    """A page whose answer is known, asked without a sign of it. Never a page of an evaluation sample."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="honeypots")
    item = models.OneToOneField("labeling.Item", models.CASCADE, related_name="honeypot")
    schema = models.ForeignKey("labeling.SchemaVersion", models.PROTECT, related_name="+")
    verdicts = models.JSONField(default=dict)  # {label key: "yes" | "no"}; a label that is not named is not scored
    explanation = models.TextField(blank=True)  # shown to whoever missed it, after the fact
    is_onboarding = models.BooleanField(default=False)  # one of the first pages of everyone
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = HoneypotQuerySet.as_manager()

    def __str__(self) -> str:
        return f"known answer of {self.item}"


class FlagKind(models.TextChoices):
    BROKEN = "broken", _("The page is broken")
    GUIDELINE = "guideline", _("The guideline does not say")
    ILLEGAL = "illegal", _("This looks illegal")
    COMMENT = "comment", _("A remark")


class FlagQuerySet(models.QuerySet["Flag"]):
    def open(self) -> Self:
        return self.filter(resolved_at=None)


class Flag(models.Model):
    """What a person says about a page to the project's managers, with the thread that follows from it."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="flags")
    item = models.ForeignKey("labeling.Item", models.CASCADE, related_name="raised_flags")
    label = models.CharField(max_length=40, blank=True)  # where the guideline does not say: for which label
    kind = models.CharField(max_length=10, choices=FlagKind.choices)
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="flags")
    raised_at = models.DateTimeField(default=timezone.now)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    resolved_at = models.DateTimeField(null=True, blank=True)

    objects = FlagQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(kind__in=FlagKind.values), name="flag_kind_known")]
        indexes = [models.Index(fields=["project", "raised_at"], condition=Q(resolved_at=None), name="flag_open")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.item}"


class Comment(models.Model):
    """One message of a flag's thread. Append-only."""

    flag = models.ForeignKey(Flag, models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField()
    written_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text[:60]


class FlagReading(models.Model):
    """How far a person has read a flag's thread: what came after it is new to them."""

    flag = models.ForeignKey(Flag, models.CASCADE, related_name="readings")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    last_comment = models.PositiveBigIntegerField(default=0)  # the newest message there was; 0: none
    settled_at = models.DateTimeField(null=True, blank=True)  # the flag's resolved_at, as it was read

    class Meta:
        constraints = [models.UniqueConstraint(fields=["flag", "person"], name="one_reading_per_person")]

    def __str__(self) -> str:
        return f"{self.person} read {self.flag}"


class LikelyLabel(models.Model):
    """That a label probably holds on a page, by the best estimate there is: the queue spares whoever asked for it."""

    item = models.ForeignKey("labeling.Item", models.CASCADE, related_name="likely_labels")
    label = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "label"], name="one_likely_label")]

    def __str__(self) -> str:
        return f"{self.label} on {self.item}"
