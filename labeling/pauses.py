"""When a person is stopped, and by whom they are let go on: known answers missed, speed, skips, or a manager's word.

A rule that is not set asks nothing. Each is looked at in the transaction of the answer or skip it follows from, so
that the pause and its cause stand or fall together; who is paused keeps the page they hold. After a manager has let a
person go on, what happened before does not stop them again. docs/decisions/ says why the rules are as they are.
"""

from django.db import transaction
from django.db.models import FloatField, QuerySet
from django.db.models.functions import Coalesce, Now

from labeling import known_answers
from labeling.models import Desk, Event, Judgment, PauseReason, Project, Purpose, Rater, Skip, User
from labeling.models.work import SkipReason
from labeling.phrases import share
from labeling.quality.known_answers import is_below, score
from labeling.refusals import Refused, Unacceptable
from labeling.withheld import Moment, Refusal

LONGEST_DETAIL = 300
WAY_ON = "Talk to a manager of the project, who can let you go on with one click."


# ---- the rule of the queue ------------------------------------------------------------------------------------------
def rule(_project: Project, desk: Desk, _moment: Moment) -> Refusal | None:
    """Who is paused is given nothing, and hears why and whom to talk to."""
    if desk.paused_at is None:
        return None
    return Refusal(f"Your work here is paused. {desk.pause_detail} What you have open is kept. {WAY_ON}")


# ---- after an answer ------------------------------------------------------------------------------------------------
def after_answer(judgment: Judgment, *, project: Project, by: User) -> None:
    """Stop this person if what they have just answered is the last of too many. In the answer's transaction."""
    if judgment.purpose == Purpose.ONBOARDING:
        _after_first_pages(project, by)
    elif judgment.purpose == Purpose.HONEYPOT and project.pause_below is not None:
        _after_known_page(project, by, project.pause_below)
    if project.fast_seconds is not None and _is_fast(judgment, project.fast_seconds):
        _after_fast_answer(project, by, project.fast_seconds)


def _after_first_pages(project: Project, person: User) -> None:
    """Passed or not, once all of them are answered. A test has a pass mark; its interval is shown beside it."""
    if not project.onboarding_pages:  # they were given up meanwhile
        return
    desk = _desk(project, person)
    answers = known_answers.of_person(project, person, Purpose.ONBOARDING)
    if desk.onboarded_at is not None or len(answers) < project.onboarding_pages:
        return
    found = score(known_answers.scores(answers))
    if found.value is None or found.value >= project.onboarding_pass - 1e-9:
        Desk.objects.filter(pk=desk.pk).update(onboarded_at=Now())
        Event.record("annotator.onboarded", project=project, about=person, score=found.as_dict())
        return
    _pause(
        project, person, PauseReason.ONBOARDING,
        f"On your first {len(answers)} pages {share(found.value)} of the answers were right; "
        f"{share(project.onboarding_pass)} are needed. My work shows which were not, and why.",
    )  # fmt: skip


def _after_known_page(project: Project, person: User, bar: float) -> None:
    since = _desk(project, person).reinstated_at
    pages = known_answers.scores(known_answers.of_person(project, person, Purpose.HONEYPOT, since=since))
    if is_below(pages, bar):
        found = score(pages)
        _pause(
            project, person, PauseReason.HONEYPOTS,
            f"Of {found.n} pages with known answers {share(found.value or 0)} was right "
            f"({share(found.low or 0)} to {share(found.high or 0)}); the project asks for {share(bar)}.",
        )  # fmt: skip


def _is_fast(judgment: Judgment, seconds: float) -> bool:
    """A page that nobody can judge is seen at a glance, so it does not count; nor does an answer without a time."""
    spent = judgment.active_seconds if judgment.active_seconds is not None else judgment.wall_seconds
    return judgment.outcome == Judgment.Outcome.JUDGED and spent is not None and spent < seconds


def _after_fast_answer(project: Project, person: User, seconds: float) -> None:
    """One in a row is fast if it was when it was given: a correction takes no time."""
    since, wanted = _desk(project, person).reinstated_at, project.fast_in_a_row
    spent = Coalesce("active_seconds", "wall_seconds", output_field=FloatField())
    rows = _given(project, person).filter(outcome=Judgment.Outcome.JUDGED).annotate(spent=spent)
    if since is not None:
        rows = rows.filter(submitted_at__gt=since)
    last = list(rows.order_by("-submitted_at", "-pk").values_list("spent", flat=True)[:wanted])
    if len(last) == wanted and all(one is not None and one < seconds for one in last):
        _pause(
            project, person, PauseReason.SPEED,
            f"Your last {wanted} answers each took less than {seconds:g} seconds at the page.",
        )  # fmt: skip


# ---- after a skip ---------------------------------------------------------------------------------------------------
def after_skip(project: Project, *, by: User, reason: str) -> None:
    """Stop this person after too many skips without an answer between them. "I would rather not" is never counted."""
    wanted = project.skips_in_a_row
    if wanted is None or reason == SkipReason.RATHER_NOT:
        return
    starts = [_desk(project, by).reinstated_at]
    starts.append(_given(project, by).order_by("-submitted_at", "-pk").values_list("submitted_at", flat=True).first())
    known = [start for start in starts if start is not None]
    rows = Skip.objects.filter(item__project=project, annotator=by).exclude(reason=SkipReason.RATHER_NOT)
    if known:
        rows = rows.filter(created_at__gt=max(known))
    if rows.count() >= wanted:
        _pause(project, by, PauseReason.SKIPS, f"You passed on {wanted} pages in a row without answering one.")


def _given(project: Project, person: User) -> QuerySet[Judgment]:
    """Answers as they were first given, whatever came of them."""
    rater = Rater.objects.filter(project=project, user=person)
    return Judgment.objects.filter(rater__in=rater, revision=1)


# ---- the pause itself -----------------------------------------------------------------------------------------------
def _desk(project: Project, person: User) -> Desk:
    desk, _ = Desk.objects.get_or_create(project=project, user=person)
    return desk


def _pause(project: Project, person: User, reason: str, detail: str, *, by: User | None = None) -> bool:
    """Whether this person was not paused yet. The first reason stays."""
    mine = Desk.objects.filter(project=project, user=person, paused_at=None)
    paused = mine.update(paused_at=Now(), pause_reason=reason, pause_detail=detail[:LONGEST_DETAIL])
    if paused:
        Event.record("annotator.paused", by=by, project=project, about=person, reason=reason, detail=detail)
    return bool(paused)


@transaction.atomic
def pause(project: Project, person: User, *, by: User, detail: str = "") -> Desk:
    """A manager's own word. Raises Refused for who is paused already or gives no answers here."""
    said = " ".join(detail.split())
    if len(said) > LONGEST_DETAIL:
        sentence = f"A reason holds {LONGEST_DETAIL} characters."
        raise Unacceptable(sentence, [{"pointer": "/detail", "detail": sentence}])
    _desk(project, person)
    if not _pause(project, person, PauseReason.MANAGER, said or "A manager paused it.", by=by):
        raise Refused(f"{person} is paused already.")
    return _desk(project, person)


@transaction.atomic
def reinstate(project: Project, person: User, *, by: User) -> Desk:
    """Let a person go on. What happened before does not stop them again. Raises Refused for who is not paused."""
    desk = Desk.objects.select_for_update().filter(project=project, user=person).exclude(paused_at=None).first()
    if desk is None:
        raise Refused(f"{person} is not paused.")
    reason, detail = desk.pause_reason, desk.pause_detail
    desk.paused_at, desk.pause_reason, desk.pause_detail, desk.reinstated_at = None, "", "", Now()
    if reason == PauseReason.ONBOARDING:  # let in by a person, whatever the score was
        desk.onboarded_at = Coalesce(desk.onboarded_at, Now())
    desk.save(update_fields=["paused_at", "pause_reason", "pause_detail", "reinstated_at", "onboarded_at"])
    Event.record("annotator.reinstated", by=by, project=project, about=person, reason=reason, detail=detail)
    desk.refresh_from_db()
    return desk
