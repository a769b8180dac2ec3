"""What dashboards read: counts of agreement, kept by a job from the pages that changed (summaries.py).

Each table holds plain sums over pages, so that a page that changed is taken out and put in again. Two columns say whose
sum a row is: `stream` and `is_mixed`. A page whose answers all come from one stream stands there once, and counts in
that stream and in the whole project. One with answers from several streams stands in each of them with `is_mixed`, and
once more, as a whole, without a stream. `is_aided`: answers of people who were shown what a model says; never pooled
with the others.
"""

from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, Q

if TYPE_CHECKING:
    from labeling.models.projects import Project


class Counted(models.Model):
    """What of one page stands in the sums: what its next count takes out of them. No row: nothing."""

    item = models.OneToOneField("labeling.Item", models.CASCADE, primary_key=True, related_name="counted")
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="+")
    schema = models.ForeignKey("labeling.SchemaVersion", models.PROTECT, related_name="+", db_index=False)
    # [{"stream", "is_mixed", "is_aided", "week", "answers": [[rater id, a letter a label]], "later": [rater id]}]
    views = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"what is counted of {self.item}"


class AgreementSummary(models.Model):
    """When the sums of a project were brought up to date, and what follows from whole answers. Its lock is theirs."""

    project = models.OneToOneField("labeling.Project", models.CASCADE, primary_key=True, related_name="agreement")
    counted_at = models.DateTimeField(null=True, blank=True)
    views = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"agreement in {self.project}"


class SumsQuerySet(models.QuerySet[Any]):  # of whichever table it stands in
    def of(self, project: "Project | int", *, stream: str = "", is_aided: bool = False) -> Self:
        """The rows that add up to one stream, or to the whole project."""
        whose = Q(stream=stream) if stream else Q(is_mixed=False)
        return self.filter(whose, project=project, is_aided=is_aided)

    def between(self, since: date | None, until: date | None) -> Self:
        """Of the weeks that begin then; for tables that tell weeks apart."""
        begins = {"week__gte": since, "week__lte": until}
        return self.filter(**{name: day for name, day in begins.items() if day is not None})


class Sums(models.Model):
    """Whose sum a row is."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="+", db_index=False)
    stream = models.CharField(max_length=12, blank=True)
    is_mixed = models.BooleanField(default=False)
    is_aided = models.BooleanField(default=False)

    objects = SumsQuerySet.as_manager()

    class Meta:
        abstract = True


class AgreementCell(Sums):
    """Pages with n answers to one label of which k say yes, by the week in which the last of them was given.

    Without a label: pages with n answers of which k tick anything.
    """

    label = models.CharField(max_length=40, blank=True)
    revision = models.PositiveIntegerField()
    week = models.DateField()  # its Monday
    n = models.PositiveSmallIntegerField()
    k = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "week", "label", "revision", "stream", "is_mixed", "is_aided", "n", "k"],
                name="one_agreement_cell",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} pages: {self.k} of {self.n} say {self.label}"


class RaterCell(Sums):
    """One rater's answers of a week, with what the others said of the same pages."""

    rater = models.ForeignKey("labeling.Rater", models.CASCADE, related_name="+", db_index=False)
    week = models.DateField()
    n_answers = models.PositiveIntegerField(default=0)  # all votes, those that agreement leaves out as well
    n_counted = models.PositiveIntegerField(default=0)
    ticks = models.PositiveIntegerField(default=0)  # labels ticked, over the counted answers
    ticks_squared = models.PositiveBigIntegerField(default=0)
    # {"label:revision": {"n.k.own": pages}}: n answers, k yes among them, own 1 or 0
    labels = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rater", "week", "stream", "is_mixed", "is_aided"], name="one_rater_cell"),
        ]
        indexes = [models.Index(fields=["project", "week"], name="rater_cell_week")]

    def __str__(self) -> str:
        return f"{self.n_answers} answers of {self.rater}"


class PairCell(Sums):
    """Two raters (rater_a has the smaller number) on the pages both answered, over all weeks."""

    rater_a = models.ForeignKey("labeling.Rater", models.CASCADE, related_name="+", db_index=False)
    rater_b = models.ForeignKey("labeling.Rater", models.CASCADE, related_name="+")
    pair = models.BigIntegerField()  # both in one number, to find many pairs by
    n = models.PositiveIntegerField(default=0)  # pages with a label both answered
    # Pooled over labels: both yes, only a, only b, neither.
    n11 = models.PositiveIntegerField(default=0)
    n10 = models.PositiveIntegerField(default=0)
    n01 = models.PositiveIntegerField(default=0)
    n00 = models.PositiveIntegerField(default=0)
    # Sums over pages of the products of (labels, both yes, only a, only b) of each page: what its interval needs.
    products = models.JSONField(default=list)
    labels = models.JSONField(default=dict)  # {"label:revision": [n11, n10, n01, n00]}

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pair", "stream", "is_mixed", "is_aided"], name="one_pair_cell"),
            models.CheckConstraint(condition=Q(rater_a__lt=F("rater_b")), name="pair_in_order"),
        ]
        indexes = [models.Index(fields=["project", "-n"], name="pair_cell_n")]

    def __str__(self) -> str:
        return f"{self.rater_a} and {self.rater_b} on {self.n} pages"


class ConfusionCell(Sums):
    """Two labels (label_a comes first in the alphabet) on which people differ, by week."""

    label_a = models.CharField(max_length=40)
    revision_a = models.PositiveIntegerField()
    label_b = models.CharField(max_length=40)
    revision_b = models.PositiveIntegerField()
    week = models.DateField()
    n = models.PositiveIntegerField()  # pages on which people differ about either
    k = models.PositiveIntegerField()  # of those, pages on which two people swap them
    swaps = models.PositiveIntegerField()  # pairs of answers that do

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "project", "week", "label_a", "revision_a", "label_b", "revision_b", "stream", "is_mixed",
                    "is_aided",
                ],
                name="one_confusion_cell",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.label_a} and {self.label_b}: {self.k} of {self.n} pages"
