"""When an answer can be changed no more: once an adjudicator has decided its page, or a release holds it.

One that was sent back is answered once more instead: agreement goes by what was said before.

An answer that is about the person (a known answer, a repeat) goes by a rule of its own: its page is often decided
already, and a change refused at once would tell what it was. It stays open for a week like any other; a known answer
also closes when its page leaves the pool, and the first pages of a person when they have passed them or not.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from labeling.models import (
    Adjudication,
    Desk,
    GoldItem,
    Honeypot,
    Judgment,
    PauseReason,
    Purpose,
    Selection,
    SentBack,
    Stream,
)
from labeling.models.work import PROBES
from labeling.refusals import Refused

OPEN_FOR = timedelta(days=7)
DECIDED = gettext_noop("An adjudicator has decided this page since. Your answer stands as it was.")
RELEASED = gettext_noop("This page is part of a release. Released answers never change.")
SENT_BACK = gettext_noop(
    "This page was sent back to you: answer it once more from My work. Your first answer stands as it was."
)
CLOSED = gettext_noop("This answer can be changed no more. It stands as it was.")


def may_change(*, now: datetime | Now | None = None) -> Q:
    """Condition on answers: they may still be changed."""
    moment = now or timezone.now()
    decided = Adjudication.objects.in_force().filter(item=OuterRef("item"))
    released = GoldItem.objects.filter(item=OuterRef("item"))
    returned = SentBack.objects.filter(judgment=OuterRef("pk"))
    work = ~Q(purpose__in=PROBES) & ~Exists(decided) & ~Exists(released) & ~Exists(returned)
    tried = Desk.objects.filter(
        Q(onboarded_at__isnull=False) | Q(pause_reason=PauseReason.ONBOARDING),
        user=OuterRef("rater__user"), project=OuterRef("rater__project"),
    )  # fmt: skip
    first = Q(purpose=Purpose.ONBOARDING) & ~Exists(tried)
    left = Honeypot.objects.filter(item=OuterRef("item"), retired_at__isnull=False)
    young = Q(submitted_at__gt=moment - OPEN_FOR) & ~Q(purpose=Purpose.ONBOARDING) & Q(purpose__in=PROBES)
    return work | first | (young & (~Exists(left) | is_drawn()))


def is_drawn() -> Exists:
    """Condition on answers: an evaluation sample asks about their page, so that nobody may be told what is right."""
    return Exists(Selection.objects.filter(item=OuterRef("item"), stream=Stream.GOLD))


def require_open(judgment: Judgment) -> None:
    """Raise Refused for an answer that can be changed no more, with the reason."""
    if judgment.purpose in PROBES and Judgment.objects.filter(may_change(), pk=judgment.pk).exists():
        return
    if judgment.item.adjudications.in_force().exists():
        raise Refused(_(DECIDED))
    if judgment.item.gold_items.exists():
        raise Refused(_(RELEASED))
    same = {"judgment__item": judgment.item_id, "judgment__rater": judgment.rater_id, "judgment__round": judgment.round}
    if SentBack.objects.filter(**same).exists():
        raise Refused(_(SENT_BACK))
    if judgment.purpose in PROBES:
        raise Refused(_(CLOSED))
