"""How work is given out in a project: columns of a Project that say who gets what, how often, and how much."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]


class SkipPolicy(models.TextChoices):
    """What becomes of a page that somebody skips."""

    OTHERS = "others", "Others get it"
    BACK = "back", "It comes back to the same person later"
    ASIDE = "aside", "It is set aside for a manager"


class WorkRules(models.Model):
    # Overlap: the share of pages that are asked of `overlap` people; the others are asked of one.
    overlap_share = models.FloatField(default=1.0, validators=SHARE)
    # More people where the answers leave it in doubt, up to `overlap_most`
    adaptive = models.BooleanField(default=False)
    overlap_most = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(1), MaxValueValidator(20)])
    overlap_budget = models.FloatField(null=True, blank=True, validators=[MinValueValidator(1.0)])  # answers a page
    stop_error = models.FloatField(default=0.3, validators=SHARE)  # a label is settled below this chance of an error
    stop_error_gold = models.FloatField(default=0.2, validators=SHARE)
    stop_error_grave = models.FloatField(default=0.1, validators=SHARE)  # of labels of the highest severity
    audit_share = models.FloatField(default=0.05, validators=SHARE)  # of settled pages: asked of one more all the same
    confirms_rare = models.BooleanField(default=True)  # every yes on a rare label is decided by a person
    # Skipping
    may_skip = models.BooleanField(default=True)
    skip_policy = models.CharField(max_length=6, choices=SkipPolicy.choices, default=SkipPolicy.OTHERS)
    # Quotas of a person here; a membership may say otherwise
    quota_per_day = models.PositiveIntegerField(null=True, blank=True)
    quota_total = models.PositiveIntegerField(null=True, blank=True)
    quota_share = models.FloatField(null=True, blank=True, validators=SHARE)  # of all answers of the project
    # Quality
    onboarding_pages = models.PositiveSmallIntegerField(default=0)
    onboarding_pass = models.FloatField(default=0.8, validators=SHARE)
    honeypot_share = models.FloatField(default=0.0, validators=SHARE)  # of the pages a person is given
    repeat_share = models.FloatField(default=0.0, validators=SHARE)
    repeat_after_days = models.PositiveSmallIntegerField(default=7, validators=[MinValueValidator(7)])
    pause_below = models.FloatField(null=True, blank=True, validators=SHARE)  # of the score on pages with known answers
    fast_seconds = models.FloatField(null=True, blank=True)  # an answer in less active time is a fast one
    fast_in_a_row = models.PositiveSmallIntegerField(default=10)
    skips_in_a_row = models.PositiveSmallIntegerField(null=True, blank=True)  # "I would rather not" is never counted
    # Care: exposure is counted in points of severity, 4 for a grave page
    exposure_per_day = models.PositiveIntegerField(null=True, blank=True)
    severe_in_a_row = models.PositiveSmallIntegerField(null=True, blank=True)
    break_after_minutes = models.PositiveSmallIntegerField(null=True, blank=True, default=45)  # of active time
    help_text = models.TextField(blank=True)  # whom to turn to after a hard page, in the project's own words
    help_contact = models.CharField(max_length=200, blank=True)  # an address, a number or a web page
    # What people see
    suggests = models.BooleanField(default=False)  # the model's opinion, to a random half of the answers
    keywords = models.JSONField(default=list, blank=True)
    # Goes up when pages are queued or put in another order: a remembered place in the queue is then forgotten.
    queue_epoch = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=Q(skip_policy__in=SkipPolicy.values), name="project_skip_policy_known"),
            models.CheckConstraint(condition=Q(repeat_after_days__gte=7), name="project_repeats_after_a_week"),
        ]
