"""What a person did today in a project, and how far their own goal is. For them alone, and only where they want it.

There is no speed in it and nobody else: of the pace of the day is said only how long the rest of the goal may take.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, FloatField, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.models import Judgment, Project, User
from labeling.phrases import duration

FEWEST_ANSWERS = 5  # before anything is said about the rest: two pages tell nothing of the next forty
MOST_MINUTES = 12 * 60  # nobody sits that long; what lies beyond is no help


@dataclass(frozen=True, slots=True)
class Today:
    answers: int
    goal: int | None
    active_seconds: float

    @property
    def is_reached(self) -> bool:
        return self.goal is not None and self.answers >= self.goal

    @property
    def minutes_to_goal(self) -> int | None:
        """Minutes of active time until the goal, if the rest takes as long as the pages of today; None: not known."""
        if not self.goal or self.is_reached or self.answers < FEWEST_ANSWERS or self.active_seconds <= 0:
            return None
        minutes = (self.goal - self.answers) * self.active_seconds / self.answers / 60
        return _rounded(minutes) if minutes <= MOST_MINUTES else None


def of(person: User, project: Project, *, now: datetime | None = None) -> Today | None:
    """None, and no query, for who does not want to see figures beside the work."""
    if not person.shows_figures:
        return None
    start = (now or timezone.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    own = Judgment.objects.filter(
        rater__user=person, rater__project=project, submitted_at__gte=start, revision=1
    ).aggregate(n=Count("pk"), active=Coalesce(Sum("active_seconds"), 0.0, output_field=FloatField()))
    return Today(own["n"], person.daily_goal, own["active"])


def in_words(today: Today) -> str:
    """ "About 40 minutes to your goal, at your pace of today"; nothing where nothing can be told."""
    if today.is_reached:
        return _("Your goal for today is reached.")
    minutes = today.minutes_to_goal
    if minutes is None:
        return ""
    return _("About %(time)s to your goal, at your pace of today.") % {"time": duration(60 * minutes)}


def _rounded(minutes: float) -> int:
    """As exact as such a guess can be: to the minute up to ten, to five up to an hour, then to half an hour."""
    step = 1 if minutes <= 10 else 5 if minutes <= 57 else 30
    return max(1, round(minutes / step) * step)
