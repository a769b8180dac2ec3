"""What the judgments say together, where they disagree, and what a person decided."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone


class ConsensusQuerySet(models.QuerySet["Consensus"]):
    def of_finished_items(self) -> Self:
        """Items nobody waits for and nobody can be given any more, for whatever purpose: what they say tells no one."""
        could_be_leased = Q(item__assignments__state__in=["open", "leased"])
        return self.exclude(Q(state=Consensus.State.PENDING) | could_be_leased)


class Consensus(models.Model):
    """One row per item: per label the votes, the probability of yes, the verdict, its state. An estimate, not gold."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        AGREED = "agreed", "Agreed"
        DISPUTED = "disputed", "Disputed"
        ADJUDICATED = "adjudicated", "Adjudicated"

    item = models.OneToOneField("labeling.Item", models.CASCADE, related_name="consensus")
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="consensuses")
    state = models.CharField(max_length=12, choices=State.choices, default=State.PENDING)
    # {label: {"yes": n, "no": n, "unsure": n, "probability": p or null, "verdict": v or null, "state": s}}
    labels = models.JSONField(default=dict)
    n_judgments = models.PositiveSmallIntegerField(default=0)
    n_not_assessable = models.PositiveSmallIntegerField(default=0)
    expected_error = models.FloatField(default=0.0)  # sum over disputed labels of min(p, 1 - p)
    weighted_error = models.FloatField(default=0.0)  # the same, each label times its severity: the line is in its order
    # The fit there was when it was counted, and whether it says the probabilities or, knowing too little, votes do.
    fit = models.ForeignKey(
        "labeling.ConsensusFit", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    is_calibrated = models.BooleanField(default=False, db_default=False)
    # What the gold answers of a drawn item come to: "settled", or what it waits for ("answer", "labels", "decision").
    gold = models.CharField(max_length=8, blank=True, default="")
    gold_sha256 = models.CharField(max_length=64, blank=True, default="")  # of what is settled: equal rows are equal
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(default=timezone.now)
    dirty = models.BooleanField(default=True, db_default=True)  # not in the sums of agreement yet, as it stands

    objects = ConsensusQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["project", "state", "-weighted_error"], name="consensus_queue"),
            models.Index(fields=["project", "id"], condition=Q(dirty=True), name="consensus_dirty"),
        ]

    def __str__(self) -> str:
        return f"{self.state}: {self.item}"


class ConsensusFitQuerySet(models.QuerySet["ConsensusFit"]):
    def newest_first(self) -> Self:
        return self.order_by("-pk")


class ConsensusFit(models.Model):
    """What the answers of a project teach of its raters and labels. Append-only: the last one is in force."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="consensus_fits")
    schema = models.ForeignKey("labeling.SchemaVersion", models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    # What it rests on: how many there were, and the newest of each.
    n_items = models.PositiveIntegerField()
    n_judgments = models.PositiveIntegerField()
    n_decisions = models.PositiveIntegerField()
    last_judgment = models.BigIntegerField(default=0)
    last_decision = models.BigIntegerField(default=0)
    temperature = models.FloatField()
    temperature_n = models.PositiveIntegerField(default=0)  # decided labels of pages it was fitted on
    temperature_reason = models.CharField(max_length=200, blank=True)  # why it was not, or does not fit
    n_steps = models.PositiveIntegerField()
    has_converged = models.BooleanField()
    # A row a label: {"label", "revision", "prior", "sensitivity", "specificity", "reason", "prevalence", ...}
    labels = models.JSONField(default=list)
    # {"raters": [id], "on_yes": [[a number a label] a rater], "yes_on_yes", "on_no", "no_on_no"}
    evidence = models.JSONField(default=dict)
    calibration = models.JSONField(default=dict)  # against decided pages: {"bins": [...], "log_loss", "error"}

    objects = ConsensusFitQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["project", "-id"], name="fit_in_force")]
        constraints = [models.CheckConstraint(condition=Q(temperature__gt=0), name="temperature_positive")]

    def __str__(self) -> str:
        return f"fit {self.pk} of {self.project}"


class RaterSkill(models.Model):
    """What is known of one rater on one question, from the last fit: expected counts of answers by what was true."""

    rater = models.ForeignKey("labeling.Rater", models.CASCADE, related_name="skills")
    label = models.CharField(max_length=40)
    revision = models.PositiveIntegerField(default=1)  # of the label: another one is another question
    on_yes = models.FloatField(default=0.0)  # answers where the truth is yes
    yes_on_yes = models.FloatField(default=0.0)  # of those, the ones that said yes
    on_no = models.FloatField(default=0.0)
    no_on_no = models.FloatField(default=0.0)
    fit = models.ForeignKey(ConsensusFit, models.CASCADE, related_name="skills")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rater", "label", "revision"], name="one_skill_per_question")]

    def __str__(self) -> str:
        return f"{self.rater} on {self.label}"


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def open(self) -> Self:
        return self.filter(settled_at=None)


class Dispute(models.Model):
    """One contested label of one item: any label that is not unanimous."""

    item = models.ForeignKey("labeling.Item", models.CASCADE, related_name="disputes")
    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="disputes")
    label = models.CharField(max_length=40)
    opened_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "label"], name="one_dispute_per_label")]
        indexes = [
            models.Index(fields=["project", "label"], condition=Q(settled_at=None), name="dispute_open"),
        ]

    def __str__(self) -> str:
        return f"{self.label} of {self.item}"


class OpenedCase(models.Model):
    """That a person saw the votes on an item as an adjudicator does: they are never given that item to judge."""

    item = models.ForeignKey("labeling.Item", models.CASCADE, related_name="opened_cases")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="opened_cases")
    opened_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "person"], name="one_opening_per_person")]

    def __str__(self) -> str:
        return f"{self.person} opened {self.item}"


class Cause(models.TextChoices):
    GUIDELINE = "guideline", "Guideline unclear"
    TWO_READINGS = "two_readings", "Page has two readings"
    OVERLOOKED = "overlooked", "Label overlooked"
    CARELESS = "careless", "Careless answer"
    CHANGED = "changed", "Page changed"


class AdjudicationQuerySet(models.QuerySet["Adjudication"]):
    def in_force(self) -> Self:
        return self.filter(superseded_at=None)

    def looked_at(self) -> Self:
        """Decisions of somebody who looked at the page; their `accepted` labels are still nobody's judgment."""
        return self.exclude(how="accepted")


class Adjudication(models.Model):
    """A person's final decision on labels of one item. Append-only; a re-opening supersedes."""

    class How(models.TextChoices):
        DECIDED = "decided", "Decided"  # labels in conflict, with the answers in sight
        AUDITED = "audited", "Decided unseen"  # all labels, without the answers: a draw chose the page
        ACCEPTED = "accepted", "Accepted with others"  # nobody looked: all agreed, and many pages were accepted at once

    item = models.ForeignKey("labeling.Item", models.CASCADE, related_name="adjudications")
    adjudicator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="adjudications")
    schema = models.ForeignKey("labeling.SchemaVersion", models.PROTECT, related_name="+")
    verdicts = models.JSONField(default=dict)
    # Per label the newest answer (its id) there was when it was decided: later ones may contradict the decision.
    seen = models.JSONField(default=dict)
    how = models.CharField(max_length=8, choices=How.choices, default=How.DECIDED, db_default=How.DECIDED)
    accepted = models.JSONField(default=list)  # keys of the verdicts nobody looked at
    acceptance = models.ForeignKey(
        "labeling.Acceptance", models.PROTECT, null=True, blank=True, related_name="adjudications"
    )
    cause = models.CharField(max_length=12, choices=Cause.choices, blank=True)  # none where nobody disagreed
    note = models.TextField(blank=True)
    active_seconds = models.FloatField(null=True, blank=True)
    decided_at = models.DateTimeField(default=timezone.now)
    superseded_at = models.DateTimeField(null=True, blank=True)

    objects = AdjudicationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item"], condition=Q(superseded_at=None), name="one_adjudication_in_force"),
            models.CheckConstraint(
                condition=Q(cause__in=Cause.values) | Q(cause="", how__in=["audited", "accepted"]),
                name="adjudication_cause_known",
            ),
            models.CheckConstraint(
                condition=Q(how__in=["decided", "audited", "accepted"]), name="adjudication_how_known"
            ),
        ]

    def __str__(self) -> str:
        return f"decision on {self.item}"
