"""Who answers what: slots, drafts, judgments and skips."""

from datetime import UTC, datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, Expression, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Now
from django.db.models.lookups import IsNull
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.people import Membership, Role, User
from labeling.models.resolution import OpenedCase


class Purpose(models.TextChoices):
    """Why a slot exists. Only `work` and `reserved` count toward exactly-k; checks and repeats never feed consensus."""

    WORK = "work", "Work"
    HONEYPOT = "honeypot", "Honeypot"
    ONBOARDING = "onboarding", "Onboarding"
    REPEAT = "repeat", "Repeat"
    REJUDGE = "rejudge", "Re-judge"
    NEW_LABEL = "new_label", "New label"
    AUDIT = "audit", "Audit"
    RESERVED = "reserved", "Reserved"
    ADDED = "added", "Added where in doubt"


ASKED_OF_ALL = (Purpose.WORK, Purpose.RESERVED)  # what exactly-k counts: reserved is work that adjudicators do
# Asked of one more person after those: where the answers were in doubt, and at random where they were not.
ONE_MORE = (Purpose.ADDED, Purpose.AUDIT)
COUNTED = (*ASKED_OF_ALL, Purpose.NEW_LABEL, *ONE_MORE)  # purposes whose judgments are votes
KNOWN = (Purpose.HONEYPOT, Purpose.ONBOARDING)  # their answer is known
PROBES = (*KNOWN, Purpose.REPEAT)  # about the person, never about the page
FIRST_PROBE_ROUND = 10_000  # rounds from here on hold one probe each, so that they never meet rounds of work


class State(models.TextChoices):
    OPEN = "open", "Open"
    LEASED = "leased", "Leased"
    DONE = "done", "Done"
    WITHDRAWN = "withdrawn", "Withdrawn"


HELD = (State.LEASED, State.DONE)
ASIDE = datetime(9999, 1, 1, tzinfo=UTC)  # when a slot that is set aside would be free again by itself
# 47 bits of the shuffle below 16 bits of priority: a slot of higher priority comes first, whatever its shuffle.
SHUFFLE_STEP = 2**15
PRIORITY_STEP = 2**47


def none_of(rows: "QuerySet[Any, Any]") -> Case:
    """That there is no such row, asked of each slot by itself.

    NOT EXISTS says the same, but PostgreSQL may make a join or a hash of it: of everything a person ever answered, for
    one slot that is wanted, as long as its statistics know nothing yet of what that person answered this morning. Of a
    CASE it expects that every other slot passes, which is a better guess than the one slot in 200 of a bare IS NULL.
    """
    return Case(When(IsNull(Subquery(rows.values("pk")[:1]), True), then=Value(True)), default=Value(False))


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def visible_to(self, user: User | Expression) -> Self:
        """Slots this person may name in a request: those they hold or answered, and all they ever held."""
        mine = Q(annotator=user) | Exists(LostLease.objects.filter(slot=OuterRef("pk"), annotator=user))
        answering = Membership.objects.filter(user=user, role__in=[Role.ANNOTATOR, Role.ADJUDICATOR])
        return self.filter(mine, project__in=answering.values("project"))

    def free(self, *, now: datetime | Now) -> Self:
        """Open slots, and leased ones whose time is over. Expiry is a predicate: no janitor is needed for liveness."""
        return self.filter(state__in=[State.OPEN, State.LEASED], available_at__lte=now, lapses=False)

    def set_aside(self) -> Self:
        """Slots of pages that wait for a manager, because somebody skipped them."""
        return self.filter(state=State.OPEN, available_at=ASIDE)

    def blind_for(self, person: User) -> Self:
        """Slots of items this person knows no opinion of: whoever opened an item's dispute does, for ever."""
        return self.filter(none_of(OpenedCase.objects.filter(item=OuterRef("item"), person=person)))

    def open_to(self, annotator: User, *, now: datetime | Now) -> Self:
        """Free slots on items this person knows nothing about: not held or answered in that round, not set aside."""
        held = Assignment.objects.filter(item=OuterRef("item"), round=OuterRef("round"), annotator=annotator).filter(
            Q(state=State.DONE) | Q(state=State.LEASED, available_at__gt=now)
        )
        passed = Skip.objects.filter(item=OuterRef("item"), round=OuterRef("round"), annotator=annotator).exclude(
            returns_at__lte=now
        )
        return self.free(now=now).filter(none_of(held), none_of(passed)).blind_for(annotator)

    def live_lease_of(self, annotator: User, *, now: datetime | Now) -> Self:
        return self.filter(annotator=annotator, state=State.LEASED, available_at__gt=now)

    def in_queue_order(self) -> Self:
        return self.order_by("position", "id")


class Assignment(models.Model):
    """One slot of an item. Leased to an annotator for a while, then done; never deleted."""

    project = models.ForeignKey("labeling.Project", models.CASCADE, related_name="assignments")
    item = models.ForeignKey("labeling.Item", models.CASCADE, related_name="assignments")
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.WORK)
    round = models.PositiveSmallIntegerField(default=1)
    slot = models.PositiveSmallIntegerField()
    # The version its holder is shown, from the lease on: an answer says nothing about labels nobody saw.
    schema = models.ForeignKey("labeling.SchemaVersion", models.PROTECT, null=True, blank=True, related_name="+")
    asked = models.JSONField(null=True, blank=True)  # label keys; null = every label of the schema
    selection = models.ForeignKey("labeling.Selection", models.PROTECT, related_name="assignments")
    snapshot = models.ForeignKey("labeling.Snapshot", models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="assignments"
    )
    # Whom a take-over took it from: null again before its transaction ends, for then a LostLease says so.
    taken_from = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    # One column orders the queue: open = past, leased = expiry, done and withdrawn = null.
    available_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    leased_at = models.DateTimeField(null=True, blank=True)
    assigned_to = models.ForeignKey(  # nobody else is given it
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    priority = models.SmallIntegerField(default=0)
    shuffle = models.BigIntegerField()  # fixed random number in [0, 2^62): order inside equal priority
    # Both in one number, so that a place in the queue is one comparison.
    position = models.GeneratedField(
        expression=F("shuffle") / SHUFFLE_STEP - Cast(F("priority"), models.BigIntegerField()) * PRIORITY_STEP,
        output_field=models.BigIntegerField(), db_persist=True,
    )  # fmt: skip
    # Fewer people are wanted than hold or have answered the page: given up, this one is given to nobody.
    lapses = models.BooleanField(default=False, db_default=False)
    is_surplus = models.BooleanField(default=False)  # for good: fewer people are wanted, or a draw asks
    created_at = models.DateTimeField(default=timezone.now)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "round", "slot"], name="one_row_per_slot"),
            models.UniqueConstraint(
                fields=["item", "round", "annotator"], condition=Q(state__in=HELD), name="one_slot_per_annotator"
            ),
            # Two tabs of one person get one page, whatever their timing.
            models.UniqueConstraint(
                fields=["project", "annotator"], condition=Q(state="leased"), name="one_lease_per_annotator"
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="assignment_state_known"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="assignment_purpose_known"),
            models.CheckConstraint(
                condition=Q(state__in=[State.OPEN, State.LEASED], available_at__isnull=False)
                | Q(state__in=[State.DONE, State.WITHDRAWN], available_at__isnull=True),
                name="available_while_open_or_leased",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=HELD) | Q(annotator__isnull=False), name="held_slot_has_annotator"
            ),
            models.CheckConstraint(
                condition=Q(is_surplus=False) | Q(state=State.WITHDRAWN), name="surplus_slot_is_withdrawn"
            ),
        ]
        indexes = [
            # The queue itself: small, because done slots leave it.
            models.Index(
                fields=["project", "position", "id"],
                condition=Q(available_at__isnull=False, assigned_to=None), name="queue_position",
            ),
            models.Index(
                fields=["assigned_to", "project", "position"],
                condition=Q(available_at__isnull=False, assigned_to__isnull=False), name="queue_own",
            ),
            models.Index(fields=["annotator", "project", "state"], name="assignment_annotator"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"slot {self.slot} of {self.item}"


class LostLease(models.Model):
    """That a person held a slot that was taken or given back since. Their late draft or answer still finds it by this.

    Written when a lease is lost, never when one is granted, so that the common way costs nothing. Append-only: a person
    may lose one slot several times, and the last row says which version they were shown.
    """

    slot = models.ForeignKey(Assignment, models.CASCADE, related_name="lost_leases")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="lost_leases")
    schema = models.ForeignKey("labeling.SchemaVersion", models.PROTECT, null=True, blank=True, related_name="+")
    lost_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["slot", "annotator"], name="lost_lease_of")]

    def __str__(self) -> str:
        return f"{self.annotator} held {self.slot}"


class Draft(models.Model):
    """Ticks not yet submitted. It outlives the lease, so that nothing a person did is lost."""

    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="drafts")
    item = models.ForeignKey("labeling.Item", models.CASCADE, related_name="drafts")
    round = models.PositiveSmallIntegerField(default=1)
    answer = models.JSONField(default=dict)
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["annotator", "item", "round"], name="one_draft_per_person")]

    def __str__(self) -> str:
        return f"draft of {self.annotator} on {self.item}"


def is_vote(where: str = "") -> Q:
    """What makes an answer one that is counted. `where`: the way to it, from another model ("judgments__")."""
    current = {f"{where}superseded_at": None, f"{where}voided_at": None}
    return Q(**current, **{f"{where}purpose__in": COUNTED})


class JudgmentQuerySet(models.QuerySet["Judgment"]):
    def current(self) -> Self:
        """The latest revision of each answer, void ones left out."""
        return self.filter(superseded_at=None, voided_at=None)

    def votes(self) -> Self:
        """Current answers that feed consensus and agreement: no honeypots, repeats or re-judgements."""
        return self.filter(is_vote())


class Judgment(models.Model):
    """One rater's complete answer. Every asked label has a verdict; a label not asked has none. Append-only."""

    class Source(models.TextChoices):
        APP = "app", "Annotate page"
        API = "api", "API"
        IMPORT = "import", "Import"

    class Outcome(models.TextChoices):
        JUDGED = "judged", "Judged"
        NOT_ASSESSABLE = "not_assessable", "Not assessable"

    item = models.ForeignKey("labeling.Item", models.CASCADE, related_name="judgments")
    rater = models.ForeignKey("labeling.Rater", models.PROTECT, related_name="judgments")
    assignment = models.ForeignKey(Assignment, models.PROTECT, null=True, blank=True, related_name="judgments")
    schema = models.ForeignKey("labeling.SchemaVersion", models.PROTECT, related_name="+")
    snapshot = models.ForeignKey("labeling.Snapshot", models.PROTECT, null=True, blank=True, related_name="+")
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.WORK)
    round = models.PositiveSmallIntegerField(default=1)
    source = models.CharField(max_length=6, choices=Source.choices, default=Source.APP)
    outcome = models.CharField(max_length=14, choices=Outcome.choices, default=Outcome.JUDGED)
    verdicts = models.JSONField(default=dict)  # {label key: "yes" | "no" | "unsure"}
    confidence = models.CharField(max_length=6, blank=True)
    note = models.TextField(blank=True)
    active_seconds = models.FloatField(null=True, blank=True)  # page in sight, and input within the last minute
    wall_seconds = models.FloatField(null=True, blank=True)  # since the page was given out
    exposure = models.PositiveSmallIntegerField(default=0, db_default=0)  # largest severity of what was ticked: 0 to 4
    saw_suggestion = models.BooleanField(default=False, db_default=False)  # the model's opinion stood beside the labels
    submitted_at = models.DateTimeField(default=timezone.now)
    revision = models.PositiveSmallIntegerField(default=1)
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="superseded_by")
    superseded_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=300, blank=True)

    objects = JudgmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "rater", "round"],
                condition=Q(superseded_at=None, voided_at=None),
                name="one_current_judgment_per_rater",
            ),
            models.UniqueConstraint(
                fields=["assignment"],
                condition=Q(superseded_at=None, voided_at=None),
                name="one_current_judgment_per_slot",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["judged", "not_assessable"]), name="judgment_outcome_known"
            ),
        ]
        indexes = [
            models.Index(fields=["rater", "submitted_at"], name="judgment_rater_time"),
        ]

    def __str__(self) -> str:
        return f"answer of {self.rater} on {self.item}"

    @property
    def yes(self) -> list[str]:
        return sorted(key for key, verdict in self.verdicts.items() if verdict == "yes")

    @property
    def unsure(self) -> list[str]:
        return sorted(key for key, verdict in self.verdicts.items() if verdict == "unsure")


class SkipReason(models.TextChoices):
    RATHER_NOT = "rather_not", _("I would rather not")
    CANNOT_TELL = "cannot_tell", _("I cannot tell from what is here")
    TECHNICAL = "technical", _("The page is shown wrongly")
    OTHER = "other", _("Another reason")
    DEAD = "dead", _("The page is dead or parked")
    LOGIN = "login", _("The page needs a login")
    LANGUAGE = "language", _("A language I do not read")


NOT_ASSESSABLE = (SkipReason.DEAD, SkipReason.LOGIN, SkipReason.LANGUAGE)


class Skip(models.Model):
    """That a person passed an item on. "I would rather not" is never counted against anyone."""

    item = models.ForeignKey("labeling.Item", models.CASCADE, related_name="skips")
    round = models.PositiveSmallIntegerField(default=1)
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="skips")
    reason = models.CharField(max_length=12, choices=SkipReason.choices, default=SkipReason.RATHER_NOT)
    returns_at = models.DateTimeField(null=True, blank=True)  # the page may come back to this person from then on
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "round", "annotator"], name="one_skip_per_person")]

    def __str__(self) -> str:
        return f"{self.annotator} passed {self.item} on"
