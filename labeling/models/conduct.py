"""How each rater works, week by week, kept by a job: known answers, repeats, time, what pages cost, drift.

What they say beside the others stands in RaterCell.
"""

from django.db import models


class RaterWeek(models.Model):
    """One rater's answers of a week to pages chosen in one way: counted anew as a whole when one of them changes."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="+", db_index=False)
    rater = models.ForeignKey("labeling.Rater", models.CASCADE, related_name="weeks", db_index=False)
    week = models.DateField()  # its Monday
    stream = models.CharField(max_length=12, blank=True)
    n_answers = models.PositiveIntegerField(default=0)  # of every purpose: all that was read and answered
    speeds = models.JSONField(default=dict)  # {bin of active seconds: answers}, see quality/speeds.py
    points = models.PositiveIntegerField(default=0)  # of severity
    serious = models.PositiveIntegerField(default=0)  # pages ticked as serious or grave
    # {"label:revision": [known yes, of those yes, known no, of those no]}
    known = models.JSONField(default=dict)
    known_pages = models.PositiveIntegerField(default=0)
    # Pages asked a second time: {"label:revision": [both times no, once, both times yes]}; whole pages, and alike.
    again = models.JSONField(default=dict)
    again_pages = models.PositiveIntegerField(default=0)
    again_alike = models.PositiveIntegerField(default=0)
    # Answers given here, in order: [minute of the week, thousandths of expected disagreement, negative if agreed]
    watched = models.JSONField(default=list)
    alarms = models.PositiveSmallIntegerField(default=0)  # of drift, in this week, see conduct.py

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rater", "week", "stream"], name="one_week_per_rater")]
        indexes = [models.Index(fields=["project", "week"], name="rater_week")]

    def __str__(self) -> str:
        return f"{self.rater} in the week of {self.week}"


class RaterTotal(models.Model):
    """One rater's weeks added up, so that a page of hundreds of people reads one row each."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="+", db_index=False)
    rater = models.ForeignKey("labeling.Rater", models.CASCADE, related_name="+", db_index=False)
    weeks = models.PositiveSmallIntegerField(default=0)  # the last so many when it was counted; 0: all
    stream = models.CharField(max_length=12, blank=True)  # of pages chosen in one way; empty: in any
    sums = models.JSONField(default=dict)  # as rater_tallies.Totals reads them

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rater", "weeks", "stream"], name="one_total_per_rater")]
        indexes = [models.Index(fields=["project", "weeks", "stream"], name="rater_total")]

    def __str__(self) -> str:
        return f"{self.rater} over {self.weeks or 'all'} weeks"


class ConductCount(models.Model):
    """How far the weeks of a project are counted."""

    project = models.OneToOneField("labeling.Project", models.CASCADE, primary_key=True, related_name="+")
    counted_at = models.DateTimeField()
    last_judgment = models.BigIntegerField(default=0)
    # Totals of everybody hang on both: the last four weeks are others from Monday on, and questions change.
    monday = models.DateField(null=True, blank=True)
    schema = models.ForeignKey(
        "labeling.SchemaVersion", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )

    def __str__(self) -> str:
        return f"weeks of {self.project}"
