"""What a person's answers cost them, in points of severity: 1 for a mild page, 4 for a grave one.

A page counts by what its reader made of it: the largest severity of a label they ticked yes or unsure. Unsure counts in
full, for whoever cannot tell has read all of it. A skip and "nobody can judge it" count nothing: nobody has to say what
they saw in a page they turn away from, so it can neither be known nor used to make turning away dearer.

A day is a day of UTC, and it is the person's: pages of every project go into it, because nobody recovers by opening
another list. A corrected answer takes the place of the earlier one; corrected on a later day it was read again, and
counts on both.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from labeling import schemas
from labeling.models import Judgment, User
from labeling.models.work import JudgmentQuerySet

DAY = timedelta(days=1)


def points(verdicts: Mapping[str, str], schema: schemas.Schema) -> int:
    """The largest severity of a label ticked yes or unsure; 0 when none has one."""
    ticked = (label for label in schema.labels if verdicts.get(label.key) in {"yes", "unsure"})
    return max((label.severity or 0 for label in ticked), default=0)


def day_of(moment: Any) -> tuple[datetime, datetime]:
    """Start and end of the UTC day of a moment; of today, for the database's clock."""
    known = moment if isinstance(moment, datetime) else timezone.now()
    start = known.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return start, start + DAY


def counting() -> JudgmentQuerySet:
    """Each answer as it stood at the end of a day on which it was given or corrected. Void ones were read too."""
    corrected_later = Q(superseded_at__date__gt=TruncDate(F("submitted_at")))
    return Judgment.objects.filter(Q(superseded_at=None) | corrected_later).filter(rater__user__isnull=False)


def on_day_of(user: User, moment: Any) -> JudgmentQuerySet:
    """This person's answers of one day, in every project."""
    start, end = day_of(moment)
    return counting().filter(rater__user=user, submitted_at__gte=start, submitted_at__lt=end)


def spent(user: User, moment: Any) -> int:
    """The points of this person's day so far."""
    return on_day_of(user, moment).aggregate(points=Sum("exposure"))["points"] or 0
