"""Pages on which all agree, accepted together as a person's decision; a share drawn by chance is decided one by one.

Nobody looks at the accepted ones: they count as decided, and say so. The drawn ones come to the adjudicators with the
answers hidden, so that what they decide tells how often all are wrong together.
"""

import math
import secrets
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from labeling import consensus, jobs, schemas
from labeling.models import (
    Acceptance,
    Adjudication,
    Assignment,
    AuditPick,
    Consensus,
    Event,
    GoldItem,
    Item,
    ItemState,
    Job,
    Judgment,
    Project,
    State,
    User,
)
from labeling.refusals import Refused, Unacceptable
from labeling.sampling import draws

KIND = "accept"
CHUNK = 500
DEFAULT_SHARE = 0.05
FEWEST = 2  # answers: one person agrees with nobody
NONE = "No page waits to be accepted: all agree on none that is not decided already."
UNDER_WAY = "Pages are being accepted at this moment; look again in a minute."
A_SHARE = "A share is a number from 0 to 1, as 0.05 for one page in twenty."


def open_to(project: Project, person: User) -> QuerySet[Consensus]:
    """Finished pages on which all agree and nobody decided; none this person answered, unless the project allows it."""
    here = OuterRef("item")
    found = Consensus.objects.filter(
        project=project, state=Consensus.State.AGREED, item__state=ItemState.ACTIVE, item__not_assessable="",
        n_judgments__gte=FEWEST, n_not_assessable=0,
    ).filter(
        ~Exists(Adjudication.objects.in_force().filter(item=here)),
        ~Exists(AuditPick.objects.open().filter(item=here)),
        ~Exists(GoldItem.objects.filter(item=here)),
        ~Exists(Assignment.objects.filter(item=here, state__in=[State.OPEN, State.LEASED])),
    )  # fmt: skip
    if not project.decide_own:
        found = found.filter(~Exists(Judgment.objects.filter(item=here, rater__user=person)))
    return found


def checked_share(share: float) -> float:
    if not math.isfinite(share) or not 0 <= share <= 1:
        raise Unacceptable(A_SHARE, [{"pointer": "/audit_share", "detail": A_SHARE}])
    return share


@transaction.atomic
def queue_accepting(project: Project, *, by: User, audit_share: float = DEFAULT_SHARE) -> Job:
    """Accept what all agree on, in a worker. Raises Refused while there is none, or while others are being accepted."""
    checked_share(audit_share)
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if Job.objects.unfinished().filter(project=project, kind=KIND).exists():
        raise Refused(UNDER_WAY)
    if not open_to(project, by).exists():
        raise Refused(NONE)
    made = Acceptance.objects.create(project=project, by=by, seed=secrets.token_hex(16), audit_share=audit_share)
    job = jobs.enqueue(KIND, project=project, params={"acceptance": made.pk}, by=by, exclusive=f"{KIND}:{project.pk}")
    Acceptance.objects.filter(pk=made.pk).update(job=job)
    return job


def run(claim: jobs.Claim) -> dict[str, Any]:
    """The job. Run again after it was killed, it goes on: what it accepted or drew is open to it no more."""
    made = Acceptance.objects.select_related("project", "by").get(pk=claim.params["acceptance"])
    found = open_to(made.project, made.by).order_by("item")
    total, last, done = found.count(), 0, 0
    while ids := list(found.filter(item__gt=last).values_list("item", flat=True)[:CHUNK]):
        with transaction.atomic():
            _accept_chunk(made, ids)
            claim.guard()
        last, done = ids[-1], done + len(ids)
        claim.progress(done / max(total, done), f"{done:,} of {total:,} pages")
    counts = {"n_accepted": made.adjudications.count(), "n_drawn": made.picks.count()}
    Acceptance.objects.filter(pk=made.pk).update(**counts)
    return counts


def _accept_chunk(made: Acceptance, item_ids: list[int]) -> None:
    """Under the pages' locks, and only what all still agree on then."""
    list(Item.objects.filter(pk__in=item_ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    rows = list(open_to(made.project, made.by).filter(item__in=item_ids).select_related("item").order_by("item"))
    drawn = [row for row in rows if is_drawn(made, row.item.public_id)]
    AuditPick.objects.bulk_create(AuditPick(acceptance=made, item=row.item, expected=_said(row)) for row in drawn)
    taken = {row.pk for row in drawn}
    accepted = _decisions(made, [row for row in rows if row.pk not in taken])
    Event.objects.bulk_create(
        Event(
            kind="adjudication.accepted", actor=made.by, project=made.project, about=f"adjudication:{decision.pk}",
            data={"item": decision.item.public_id, "old": dict.fromkeys(decision.verdicts), "new": decision.verdicts,
                  "how": decision.how, "acceptance": made.pk},
        )
        for decision in accepted
    )  # fmt: skip
    consensus.refresh_many([row.item_id for row in rows], project=made.project)


def is_drawn(made: Acceptance, public_id: str) -> bool:
    """Whether chance drew the page to be decided by itself: the same answer whenever it is asked."""
    return bool(draws.permanent_number(made.seed, public_id) < made.audit_share * 2**draws.U_BITS)


def _decisions(made: Acceptance, rows: Iterable[Consensus]) -> list[Adjudication]:
    rows = list(rows)
    schema = schemas.in_force(made.project)
    answers = Judgment.objects.filter(item__in=[row.item_id for row in rows]).order_by()
    newest = dict(answers.values_list("item").annotate(newest=Max("id")))
    return Adjudication.objects.bulk_create(
        Adjudication(
            item=row.item, adjudicator=made.by, schema_id=schema.id, verdicts=_said(row), accepted=sorted(_said(row)),
            seen=dict.fromkeys(_said(row), newest.get(row.item_id, 0)), how=Adjudication.How.ACCEPTED, acceptance=made,
        )
        for row in rows
    )  # fmt: skip


def _said(row: Consensus) -> dict[str, str]:
    return {key: label["verdict"] for key, label in row.labels.items() if label["verdict"]}
