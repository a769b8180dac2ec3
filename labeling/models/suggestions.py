"""What the model that served said of a page when a person was first given it, shown to half of them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Suggestion(models.Model):
    """One row a person, page and round, written when the page is first given out. Never changed: it is what they saw.

    The half that is shown nothing has its row too, so that of both halves it is known what the model said.
    """

    item = models.ForeignKey("labeling.Item", models.CASCADE, related_name="suggestions")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="suggestions")
    round = models.PositiveSmallIntegerField(default=1)
    says = models.JSONField(default=dict)  # {label key: "yes" | "no"}; a label the model knows nothing of is not named
    is_shown = models.BooleanField(default=False)
    run = models.PositiveIntegerField(null=True, blank=True)  # number of the training run; null: nothing is said here
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "annotator", "round"], name="one_suggestion_per_person"),
            models.CheckConstraint(condition=Q(is_shown=False) | Q(run__isnull=False), name="shown_has_a_run"),
        ]

    def __str__(self) -> str:
        return f"suggestion to {self.annotator} on {self.item}"
