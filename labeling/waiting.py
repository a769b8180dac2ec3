"""Why a person is given nothing."""

from django.db.models.functions import Now

from labeling import desks
from labeling.models import Assignment, Project, State, User
from labeling.slots import Moment


def nothing_left(project: Project, *, annotator: User, now: Moment | None = None) -> str:
    """Why this person is given nothing, in a sentence that tells nothing about anyone's answers."""
    if project.archived_at is not None:
        return "This project is archived: nobody is given its pages. A manager can restore it."
    moment = now or Now()
    refusal = desks.terms(project, annotator, now=now).refusal
    if refusal is not None:
        return refusal.sentence
    unanswered = Assignment.objects.filter(project=project, state__in=[State.OPEN, State.LEASED])
    with_others = unanswered.filter(state=State.LEASED, available_at__gt=moment).exclude(annotator=annotator)
    pages = with_others.values("item").distinct().count()
    if pages:
        what = "1 page is" if pages == 1 else f"{pages:,} pages are"
        return f"Nothing left for you. {what} with other people; this page looks again by itself."
    if Assignment.objects.filter(project=project, annotator=annotator, state=State.DONE).exists():
        return "You have answered every page that waits for you. Thank you; new pages appear here by themselves."
    return "No pages are waiting yet. When a manager queues some, they appear here by themselves."
