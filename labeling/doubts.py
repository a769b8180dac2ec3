"""Pages most likely to carry a wrong label: ranked by a job, asked about again where a manager wants it.

Ranked are pages on which people agree, for on the others somebody decides anyway. No score says by itself that a label
is wrong: the budget cuts the list, not a threshold. What it rests on is said with it: answers alone, a model that did
not learn from the page, or, once enough was decided, both as decisions have taught to weigh them.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from labeling import jobs, schemas, summaries, usual_raters
from labeling.models import (
    Adjudication,
    Assignment,
    Consensus,
    Doubt,
    DoubtRanking,
    Honeypot,
    ItemState,
    Job,
    Project,
    Selection,
    State,
    Stream,
    User,
)
from labeling.quality.cells import MISSING, NO, YES, Floats, Integers
from labeling.quality.label_noise import Evidence, Stack, fit_stack, self_confidence, wrong_label_risk
from labeling.quality.usual import Usual

KIND = "doubts"
KEPT = 1_000  # of the ranking
CHUNK = 5_000
SHOWN_LABELS = 3
WORTH_NAMING = 0.6  # labels believed more are named only where they are the most doubtful of their page
STACK, MODEL, CONSENSUS = "stack", "model", "consensus"
CODES = {"yes": YES, "no": NO}


class ModelSays(NamedTuple):
    """A model's P(yes) of pages it did not learn from. p: (n_pages, n_labels), NaN unknown. rows: by public id."""

    keys: tuple[str, ...]
    rows: Mapping[str, int]
    p: Floats


Source = Callable[[Project], "ModelSays | None"]
_sources: list[Source] = []


def told_by(source: Source) -> Source:
    """Register what another app knows of pages without having learned from them."""
    if source not in _sources:
        _sources.append(source)
    return source


# ---- ranking --------------------------------------------------------------------------------------------------------
def queue_ranking(project: Project, *, by: User | None) -> Job:
    return jobs.enqueue(KIND, project=project, by=by, exclusive=f"{KIND}:{project.pk}")


def run(claim: jobs.Claim) -> dict[str, Any]:
    """The job: rank every page on which people agree, and keep the first. How far people agree is counted before."""
    summaries.count(claim.project, claim=claim)
    return {"ranked": rank(claim.project, claim=claim)}


@dataclass(frozen=True, slots=True)
class _Ground:
    """What pages are ranked by."""

    keys: tuple[str, ...]
    usual: Mapping[str, Usual]
    model: ModelSays | None


def rank(project: Project, *, claim: jobs.Claim | None = None) -> int:
    """Rank the project's pages anew. Returns how many were ranked."""
    schema = schemas.in_force_if_any(project)
    if schema is None:
        return 0
    model = next((found for source in _sources if (found := source(project)) is not None), None)
    ground = _Ground(schema.keys, usual_raters.of_project(project, schema), model)
    if claim is not None:
        claim.progress(None, "Learning from what was decided")
    stack, n_decisions = _learned(project, ground)
    worst: list[tuple[float, int, list[dict[str, Any]]]] = []
    n_items, any_once = 0, False
    for evidence, labels, ids in _chunks(agreed(project), ground):
        risk = wrong_label_risk(evidence, labels, stack=stack)
        confidence = _confidence(evidence, labels, stack)
        any_once |= bool((evidence.n.max(axis=1, initial=0) == 1).any())
        fresh = [
            (float(risk[row]), -ids[row], _most_doubtful(confidence[row], labels[row], ground.keys))
            for row in np.argsort(-risk, kind="stable")[:KEPT]
        ]
        worst = heapq.nlargest(KEPT, worst + fresh, key=lambda one: one[:2])
        n_items += len(ids)
        if claim is not None:
            claim.progress(None, f"{n_items:,} pages ranked")
    source = STACK if stack else MODEL if ground.model and any_once else CONSENSUS
    _keep(project, worst, source=source, n_items=n_items, n_decisions=n_decisions, claim=claim)
    return n_items


def agreed(project: Project) -> QuerySet[Consensus]:
    """Pages on which all who were asked agree, and that nobody is asked about now. Pages of evaluation samples stay
    out: what is gold comes from slots that a draw opened."""
    asked = Assignment.objects.filter(item=OuterRef("item"), state__in=[State.OPEN, State.LEASED])
    drawn = Selection.objects.filter(item=OuterRef("item"), stream=Stream.GOLD)
    known = Honeypot.objects.in_use().filter(item=OuterRef("item"))
    rows = Consensus.objects.filter(project=project, state=Consensus.State.AGREED, item__state=ItemState.ACTIVE)
    return rows.filter(~Exists(asked), ~Exists(drawn), ~Exists(known), item__not_assessable="", n_judgments__gt=0)


def _chunks(rows: QuerySet[Consensus], ground: _Ground) -> Iterator[tuple[Evidence, Integers, list[int]]]:
    """Evidence and recorded labels of these pages, some at a time, with the pages' ids."""
    last = 0
    while found := list(
        rows.filter(item__gt=last)
        .order_by("item")
        .values_list("item", "item__public_id", "labels", "is_calibrated")[:CHUNK]
    ):
        last = found[-1][0]
        recorded = np.array(
            [[CODES.get(labels.get(key, {}).get("verdict") or "", MISSING) for key in ground.keys]
             for _, _, labels, _ in found], dtype=np.int64,
        ).reshape(len(found), len(ground.keys))  # fmt: skip
        yield _evidence(found, ground), recorded, [item for item, *_ in found]


def _evidence(rows: Sequence[tuple[int, str, dict[str, Any], bool]], ground: _Ground) -> Evidence:
    shape = len(rows), len(ground.keys)
    n, k = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    stored = np.full(shape, np.nan)
    for row, (_, _, labels, is_calibrated) in enumerate(rows):
        for column, key in enumerate(ground.keys):
            counts = labels.get(key)
            if counts is not None:
                n[row, column], k[row, column] = counts["yes"] + counts["no"], counts["yes"]
                if is_calibrated and counts["probability"] is not None:
                    stored[row, column] = counts["probability"]
    # Two yes of two are no certainty: where no fit says how sure they make, the label's usual rater does.
    usual = np.column_stack(
        [ground.usual[key].p_yes(n[:, column], k[:, column]) for column, key in enumerate(ground.keys)]
    ).reshape(shape)
    p = np.where(np.isnan(stored), usual, stored)
    model = _of_model([public_id for _, public_id, _, _ in rows], ground)
    return Evidence(p, np.where(np.isnan(model), p, model), n, k)  # of a page no model knows, the answers say all


def _of_model(public_ids: Sequence[str], ground: _Ground) -> Floats:
    found = np.full((len(public_ids), len(ground.keys)), np.nan)
    if ground.model is not None:
        rows = [ground.model.rows.get(public_id, -1) for public_id in public_ids]
        known = np.array([row >= 0 for row in rows], dtype=bool)
        columns = [ground.model.keys.index(key) if key in ground.model.keys else -1 for key in ground.keys]
        for place, column in enumerate(columns):
            if column >= 0 and known.any():
                found[known, place] = ground.model.p[[row for row in rows if row >= 0], column]
    return found


def _learned(project: Project, ground: _Ground) -> tuple[Stack | None, int]:
    """How decisions have taught to weigh answers and model, and how many decided pages there are."""
    questions = schemas.Questions(schemas.in_force(project))
    decided = {
        item: questions.answered_by({key: said for key, said in verdicts.items() if key not in accepted}, under=schema)
        for item, verdicts, schema, accepted in Adjudication.objects.in_force()
        .looked_at()
        .filter(item__project=project)
        .values_list("item", "verdicts", "schema", "accepted")
    }
    looked_at = Adjudication.objects.in_force().looked_at().values("item")
    rows = Consensus.objects.filter(project=project, item__in=looked_at)
    parts, truths = [], []
    for evidence, _, ids in _chunks(rows, ground):
        parts.append(evidence)
        truths += [[CODES.get(decided.get(item, {}).get(key, ""), MISSING) for key in ground.keys] for item in ids]
    if not parts:
        return None, 0
    whole = Evidence(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return fit_stack(whole, np.array(truths, dtype=np.int64)), len(truths)


def _confidence(evidence: Evidence, labels: Integers, stack: Stack | None) -> Floats:
    """How far each recorded label is believed by what its page is ranked by."""
    if stack is not None:
        return self_confidence(stack.p_yes(evidence), labels)
    once = evidence.n.max(axis=1, initial=0) <= 1
    return self_confidence(np.where(once[:, None], evidence.p_model, evidence.p_consensus), labels)


def _most_doubtful(confidence: Floats, labels: Integers, keys: Sequence[str]) -> list[dict[str, Any]]:
    order = [column for column in np.argsort(confidence, kind="stable")[:SHOWN_LABELS] if labels[column] != MISSING]
    order = order[:1] + [column for column in order[1:] if confidence[column] < WORTH_NAMING]
    return [
        {"label": keys[column], "verdict": "yes" if labels[column] == YES else "no",
         "believed": round(float(confidence[column]), 4)}
        for column in order
    ]  # fmt: skip


@transaction.atomic
def _keep(
    project: Project, worst: Sequence[tuple[float, int, list[dict[str, Any]]]], *, claim: jobs.Claim | None,
    **ranking: Any,
) -> None:  # fmt: skip
    Doubt.objects.filter(project=project).delete()
    Doubt.objects.bulk_create(
        [
            Doubt(project=project, item_id=-item, rank=rank, risk=risk, labels=labels)
            for rank, (risk, item, labels) in enumerate(worst, 1)
        ],
        batch_size=500,
    )
    DoubtRanking.objects.update_or_create(project=project, defaults={"made_at": Now(), **ranking})
    if claim is not None:
        claim.guard()
