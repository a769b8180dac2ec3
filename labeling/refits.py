"""Refits: what the answers of a project teach of its raters and labels, learned again, and every page counted by it.

A refit is a row of ConsensusFit, in force from its commit on: answers are counted by it at once, and the job then comes
to the pages that were counted by an earlier one. Of a large project a fixed share of the pages is read; raters answer
thousands, so that more would teach no more. What people decided is read whole.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
from django.db import transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Mod, Now
from django.db.models.lookups import Exact

from labeling import budgets, consensus, fits, jobs, prevalences, schemas, votes
from labeling.models import Adjudication, Consensus, ConsensusFit, Honeypot, Job, Judgment, Project, RaterSkill, User
from labeling.models.work import KNOWN
from labeling.quality.cells import MISSING, NO, YES, Floats, Integers
from labeling.quality.refit import Refit, refit
from labeling.quality.skills import Evidence
from labeling.refusals import Refused

KIND = "refit"
CHUNK = 2_000
MOST_ITEMS = 200_000
# When a fit is due: so many more answers or decisions than it knew, or that share more.
FEWEST_ANSWERS, FEWEST_DECISIONS, SHARE_MORE = 100, 10, 0.1
NOT_AGAIN_WITHIN = timedelta(seconds=60)
TRUTH = {"yes": YES, "no": NO, "unsure": MISSING}
NOTHING = "Nobody has answered a page yet: there is nothing to learn from."


# ---- asking for one -------------------------------------------------------------------------------------------------
def request(project: Project, *, by: User | None) -> Job:
    """At most one waits and one runs: who asks meanwhile gets the one that waits."""
    return jobs.enqueue(KIND, project=project, by=by, exclusive=f"{KIND}:{project.pk}")


def request_due() -> list[Job]:
    """Ask for a refit wherever enough came in since the last one; the scheduler polls this."""
    busy = Job.objects.unfinished().filter(kind=KIND).values("project")
    projects = Project.objects.filter(archived_at=None).exclude(pk__in=busy).order_by("pk")
    return [request(project, by=None) for project in projects if is_due(project)]


def is_due(project: Project) -> bool:
    last = fits.newest(project)
    if last is None:
        return _answers(project)[:FEWEST_ANSWERS].count() >= FEWEST_ANSWERS
    if ConsensusFit.objects.filter(pk=last.pk, made_at__gt=Now() - NOT_AGAIN_WITHIN).exists():
        return False
    fresh, decided = _answers(project).filter(pk__gt=last.last_judgment), _decisions(project)
    return (
        fresh.count() >= max(FEWEST_ANSWERS, SHARE_MORE * last.n_judgments)
        or decided.filter(pk__gt=last.last_decision).count() >= max(FEWEST_DECISIONS, SHARE_MORE * last.n_decisions)
        or (last.schema_id != schemas.newest_id(project) and fresh.exists())
    )


def _answers(project: Project) -> QuerySet[Judgment]:
    return Judgment.objects.votes().filter(rater__project=project)


def _decisions(project: Project) -> QuerySet[Adjudication]:
    return Adjudication.objects.in_force().looked_at().filter(item__project=project)


# ---- the job --------------------------------------------------------------------------------------------------------
def run(claim: jobs.Claim) -> dict[str, Any]:
    """Fit, and count every page by the fit. Run again after it was killed, it goes on where it stopped."""
    claim.progress(None, "Reading answers and decisions")
    made = make(claim.project, guard=claim.guard)

    def told(done: int, total: int) -> None:
        claim.progress(done / max(total, 1), f"{done:,} of {total:,} pages counted again")

    n = spread(claim.project, made, told=told)
    asked = budgets.spend(claim.project, told=lambda _: claim.check())
    return {"fit": made.pk, "temperature": made.temperature, "items": n, "asked_again": asked}


def make(project: Project, *, guard: Callable[[], None] = lambda: None) -> ConsensusFit:
    """The fit of what there is now; the one in force, where that is what it was made of."""
    found = _basis(project)
    last = fits.newest(project)
    if last is not None and _is_of(last, found):
        return last
    read = _read(project, found)
    learned = refit(
        read.votes.items, read.votes.raters, read.votes.verdicts, read.truth, n_raters=len(read.votes.rater_ids),
        history=read.history,
    )  # fmt: skip
    drawn = prevalences.of(project, read.votes, read.truth)
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # one after the other
        last = fits.newest(project)
        if last is not None and _is_of(last, found):
            return last
        made = ConsensusFit.objects.create(project=project, schema_id=read.schema.id, **found._asdict(),
                                           n_items=read.votes.n_items, **_columns(learned, read, drawn))  # fmt: skip
        _keep_skills(made, learned.evidence, read)
        guard()
    made.refresh_from_db(fields=["made_at"])
    return made


def spread(project: Project, made: ConsensusFit, *, told: Callable[[int, int], None] = lambda done, total: None) -> int:
    """Count the pages again that were counted by another fit. Returns how many; running it twice changes nothing."""
    stale = Consensus.objects.filter(Q(fit=None) | ~Q(fit=made.pk), project=project).order_by("item")
    total, done, last = stale.count(), 0, 0
    while ids := list(stale.filter(item__gt=last).values_list("item", flat=True)[:CHUNK]):
        done, last = done + consensus.refresh_many(ids, project=project), ids[-1]
        told(done, max(total, done))
    return done


# ---- what it is made of ---------------------------------------------------------------------------------------------
class _Basis(NamedTuple):
    """Equal where a fit would be equal."""

    n_judgments: int
    n_decisions: int
    last_judgment: int
    last_decision: int


def _basis(project: Project) -> _Basis:
    answers = _answers(project).aggregate(n=Count("pk"), last=Max("pk"))
    decisions = _decisions(project).aggregate(n=Count("pk"), last=Max("pk"))
    if not answers["n"]:
        raise Refused(NOTHING)
    return _Basis(answers["n"], decisions["n"], answers["last"] or 0, decisions["last"] or 0)


def _is_of(made: ConsensusFit, found: _Basis) -> bool:
    same = _Basis(made.n_judgments, made.n_decisions, made.last_judgment, made.last_decision) == found
    return same and made.schema_id == schemas.newest_id(made.project_id)


class _Read(NamedTuple):
    schema: schemas.Schema
    votes: votes.Votes
    truth: Integers  # (n_items, n_labels)
    history: Evidence


def _read(project: Project, found: _Basis) -> _Read:
    schema = schemas.in_force(project)
    counted = votes.read(project.pk, schema.id, to=found.last_judgment, among=_sampled(project)).overall()
    return _Read(schema, counted, _truth(project, schema, counted, to=found.last_decision),
                 _on_known_pages(project, schema, counted))  # fmt: skip


def _sampled(project: Project) -> Q:
    """Which answers are read: all of them, or those to every n-th page and to the decided ones."""
    n_items = Consensus.objects.filter(project=project).count()
    step = -(-n_items // MOST_ITEMS)
    if step <= 1:
        return Q()
    decided = Adjudication.objects.in_force().filter(item=OuterRef("item"))
    return Q(Exists(decided)) | Q(Exact(Mod(F("item_id"), step), 0))


def _truth(project: Project, schema: schemas.Schema, counted: votes.Votes, *, to: int) -> Integers:
    truth = np.full((counted.n_items, len(counted.keys)), MISSING, dtype=np.int8)
    column = {key: place for place, key in enumerate(counted.keys)}
    row = {int(item): place for place, item in enumerate(counted.item_ids)}
    questions = schemas.Questions(schema)
    rows = _decisions(project).filter(pk__lte=to).values_list("item", "verdicts", "schema", "accepted")
    for item, verdicts, version, accepted in rows:
        if item in row:
            for key, verdict in questions.answered_by(verdicts, under=version).items():
                if key not in accepted:  # nobody looked: that all agreed says nothing of whether they were right
                    truth[row[item], column[key]] = TRUTH[verdict]
    return truth


def _on_known_pages(project: Project, schema: schemas.Schema, counted: votes.Votes) -> Evidence:
    """What raters said on pages whose answer is known: those are no votes, so that nothing is counted twice."""
    parts = np.zeros((4, len(counted.rater_ids), len(counted.keys)))
    row = {rater: place for place, rater in enumerate(counted.rater_ids)}
    column = {key: place for place, key in enumerate(counted.keys)}
    questions = schemas.Questions(schema)
    known = {
        item: questions.answered_by(verdicts, under=version)
        for item, verdicts, version in Honeypot.objects.filter(project=project).values_list(
            "item", "verdicts", "schema"
        )
    }
    answers = Judgment.objects.current().filter(rater__project=project, purpose__in=KNOWN, item__in=list(known))
    for item, rater, version, verdicts in answers.values_list("item", "rater", "schema", "verdicts"):
        for key, said in questions.answered_by(verdicts, under=version).items():
            right = known[item].get(key)
            if right in {"yes", "no"} and said in {"yes", "no"}:
                first = 0 if right == "yes" else 2
                parts[first, row[rater], column[key]] += 1
                parts[first + 1, row[rater], column[key]] += said == right
    return Evidence(*parts)


# ---- what is kept ---------------------------------------------------------------------------------------------------
def _columns(learned: Refit, read: _Read, drawn: tuple[Any, ...]) -> dict[str, Any]:
    temperature, found = learned.temperature, learned.calibration
    return {
        "temperature": temperature.value,
        "temperature_n": temperature.n,
        "temperature_reason": temperature.reason or "",
        "n_steps": learned.fit.n_steps,
        "has_converged": learned.fit.has_converged,
        "labels": [
            {
                "label": label.key, "revision": label.revision, "prior": float(learned.prior[place]),
                "sensitivity": float(learned.skills.usual_sensitivity[place]),
                "specificity": float(learned.skills.usual_specificity[place]),
                "reason": learned.fit.unlearned[place], "prevalence": drawn[place].as_dict(),
                "expected_error": error.as_dict(),
            }
            for place, (label, error) in enumerate(zip(read.schema.asked, learned.mean_errors(), strict=True))
        ],
        "evidence": {"raters": list(read.votes.rater_ids)} | {
            name: _rounded(getattr(learned.evidence, name)) for name in EVIDENCE
        },
        "calibration": {
            "bins": [
                {
                    "low": one.low, "high": one.high, "n": one.n, "mean_p": one.mean_p,
                    "share_yes": one.share_yes.as_dict(),
                }
                for one in found.bins
            ],
            "log_loss": found.log_loss.as_dict(), "error": found.error.as_dict(),
        },
    }  # fmt: skip


EVIDENCE = ("on_yes", "yes_on_yes", "on_no", "no_on_no")


def _rounded(table: Floats) -> list[list[float]]:
    rounded: list[list[float]] = np.round(table, 3).tolist()
    return rounded


def _keep_skills(made: ConsensusFit, evidence: Evidence, read: _Read) -> None:
    """A row for each rater and question somebody answered; those of questions asked no more stay as they were."""
    tables = [getattr(evidence, name).tolist() for name in EVIDENCE]
    answered = evidence.n_answers > 0
    RaterSkill.objects.bulk_create(
        [
            RaterSkill(
                rater_id=read.votes.rater_ids[rater], label=read.schema.asked[label].key, fit=made,
                revision=read.schema.asked[label].revision,
                **{name: table[rater][label] for name, table in zip(EVIDENCE, tables, strict=True)},
            )
            for rater, label in np.argwhere(answered).tolist()
        ],
        update_conflicts=True,
        unique_fields=["rater", "label", "revision"],
        update_fields=[*EVIDENCE, "fit"],
        batch_size=1_000,
    )  # fmt: skip
