"""That a person is given nothing for now, and why. Rules return it, `desks` asks them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Now

from labeling.models import Desk, Project

Moment = datetime | Now


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing is given: a sentence for the person, and when it is worth looking again (None: nobody can say)."""

    sentence: str
    until: datetime | None = None


Rule = Callable[[Project, Desk, Moment], Refusal | None]
