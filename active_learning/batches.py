"""The pages to label next: some chosen by the learner, some drawn by chance, each with its rank and its reason."""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from django.db import transaction
from django.db.models import QuerySet
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit, logit

from active_learning import arm, scoring, training
from active_learning.frame import candidates, frame
from active_learning.models import Batch, BatchItem, LearnerSettings, TrainingRun
from active_learning.pool import Pool
from active_learning.strategies.contract import CachedClassifier
from active_learning.strategies.mixing import Pick, compose
from active_learning.strategies.names import STRATEGY_NAMES
from active_learning.strategies.registry import strategy_named
from labeling import jobs, schemas, shares, slots
from labeling.models import Event, Item, Job, Project, Selection, Stream, User
from labeling.refusals import Refused, Unacceptable

KIND = "batch"
LARGEST = 10_000
CHUNK = 1_000
NEEDS_NO_MODEL = ("random", "diversity")
NO_MODEL = "No model has been trained yet, so every page was drawn at random."
ASKED_BEFORE = "drawn at random; it was asked before, so nobody is asked again"
NOTHING_LEFT = (
    "No page is left to choose: every active page was asked already, or stands in a gold sample or on a site of one."
)
WAITING = "Another batch is waiting to be chosen. Let it finish, then choose the next one."


# ---- asking for one -------------------------------------------------------------------------------------------------
@transaction.atomic
def select(
    project: Project,
    *,
    by: User | None,
    size: int | None = None,
    strategy: str | None = None,
    random_share: float | None = None,
    run: int | None = None,
    seed: int | None = None,
) -> Job:
    """Queue the choice of a batch; what is not given follows the project's settings, and `run` the run that serves.

    Raises Unacceptable for what cannot be, and Refused when no page is left or another batch waits to be chosen.
    """
    learner = LearnerSettings.objects.filter(project=project).first() or LearnerSettings(project=project)
    wanted = {
        "size": _size(learner.batch_size if size is None else size),
        "strategy": _strategy(learner.query_strategy if strategy is None else strategy),
        "random_share": _share(learner.random_share if random_share is None else random_share),
        "run": None if run is None else _run(project, run).number,
    }
    training.labels_of(project)
    if not candidates(project).exists():
        raise Refused(NOTHING_LEFT)
    seed = secrets.randbits(training.SEED_BITS) if seed is None else seed
    job = jobs.enqueue(KIND, project=project, by=by, exclusive=f"{KIND}:{project.pk}", params=wanted | {"seed": seed})
    if wanted.items() - job.params.items():  # what came back is the one that waited already
        raise Refused(WAITING)
    return job


def _size(value: int) -> int:
    if not 1 <= value <= LARGEST:
        raise _wrong("size", f"A batch has 1 to {LARGEST:,} pages.")
    return value


def _strategy(name: str) -> str:
    if name not in STRATEGY_NAMES:
        raise _wrong("strategy", f"There is no strategy “{name[:60]}”. Choose one of {', '.join(STRATEGY_NAMES)}.")
    return name


def _share(value: float) -> float:
    if not 0 <= value <= 1:
        raise _wrong("random_share", "The share drawn at random is a number from 0 to 1.")
    return value


def _run(project: Project, number: int) -> TrainingRun:
    found = project.training_runs.filter(number=number, scored_at__isnull=False).first()
    if found is None:
        raise _wrong("run", f"This project has no finished training run {number}.")
    return found


def _wrong(name: str, sentence: str) -> Unacceptable:
    return Unacceptable(sentence, [{"pointer": f"/{name}", "detail": sentence}])


# ---- the job --------------------------------------------------------------------------------------------------------
class Chosen(NamedTuple):
    """What a batch will hold: its picks, with the probabilities of each picked page in the order of `labels`.

    joins: what the random arm gains by it, which may include pages that were asked before.
    """

    picks: list[Pick]
    items: list[int]
    labels: tuple[str, ...]
    p_label: NDArray[np.float32]
    joins: arm.Extension


def carry_out(claim: jobs.Claim) -> dict[str, Any]:
    """Handler of the job "batch": choose, then write selections, ranks and slots in one transaction."""
    project, params = cast(Project, claim.job.project), claim.params
    batch = Batch.objects.filter(job=claim.job).first()
    if batch is None:
        run = training.current(project) if params["run"] is None else _run(project, params["run"])
        strategy = params["strategy"] if run or params["strategy"] in NEEDS_NO_MODEL else "random"
        claim.progress(0.0, "Reading the pages that may be chosen")
        chosen = choose(
            project, run=run, strategy=strategy, size=params["size"], random_share=params["random_share"],
            rng=np.random.default_rng(params["seed"]),
        )  # fmt: skip
        claim.progress(0.8, f"Queueing {len(chosen.picks):,} pages")
        batch = _store(claim, project, chosen, run=run, strategy=strategy)
    note = NO_MODEL if batch.run_id is None and batch.strategy == "random" != params["strategy"] else ""
    return {"batch": batch.number, "n_items": batch.batch_items.count(), "note": note}


def choose(
    project: Project, *, run: TrainingRun | None, strategy: str, size: int, random_share: float,
    rng: np.random.Generator,
) -> Chosen:  # fmt: skip
    """Rank up to `size` candidates. The random arm is drawn first, over the whole frame and before any limit.

    Raises Refused when no page is left.
    """
    found = arm.read(project)
    pool = Pool(found.unasked)
    if not len(pool):
        raise Refused(NOTHING_LEFT)
    named = strategy_named(strategy)
    joins = arm.extended(found, named.n_by_chance(min(size, len(pool)), random_share, rng))
    classifier = _classifier(project, run, pool)
    picks = compose(
        named, classifier, cast(sparse.csr_matrix, pool), size,
        rng=rng, drawn=np.searchsorted(pool.items, joins.new), limits=pool.limits(),
    )  # fmt: skip
    indices = [pick.index for pick in picks]
    return Chosen(picks, pool.items[indices].tolist(), classifier.labels, classifier.p_label[indices], joins)


def _classifier(project: Project, run: TrainingRun | None, pool: Pool) -> CachedClassifier:
    """The run's scores of the pool, for the labels that are still asked."""
    schema = schemas.in_force(project)
    if run is None:
        unknown = np.full((len(pool), len(schema.keys)), np.nan, dtype=np.float32)
        none_yet = np.zeros(len(schema.keys), dtype=np.int64)
        return CachedClassifier(unknown, unknown, labels=schema.keys, positives=none_yet)
    labels = tuple(key for key in run.labels if key in schema.keys)
    log_odds = _log_odds(run, pool)[:, [run.labels.index(key) for key in labels]]
    known = [run.metrics["labels"][key] for key in labels]
    thresholds = np.array([label["threshold"] for label in known])
    return CachedClassifier(
        expit(log_odds), log_odds, labels=labels, names=tuple(schema.names(list(labels))), thresholds=thresholds,
        lines=logit(thresholds), positives=np.array([label["n_yes"] for label in known]),
    )  # fmt: skip


def _log_odds(run: TrainingRun, pool: Pool) -> NDArray[np.float32]:
    """Scores of the whole pool; pages that came after the run are scored now, so that no page is out of reach."""
    log_odds, scored = scoring.log_odds_of(run, pool.items)
    if not scored.all():
        late = pool.items[~scored]
        model = training.model_of(run)
        for part in scoring.score(candidates(run.project).filter(pk__gte=int(late[0])), model):
            rows = np.flatnonzero(np.isin(part.items, late))
            log_odds[np.searchsorted(pool.items, part.items[rows])] = part.log_odds[rows]
    return log_odds


# ---- writing it down ------------------------------------------------------------------------------------------------
@transaction.atomic
def _store(claim: jobs.Claim, project: Project, chosen: Chosen, *, run: TrainingRun | None, strategy: str) -> Batch:
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    batch = Batch.objects.create(
        project=project, number=training.next_number(project.batches.all()), job=claim.job, run=run, strategy=strategy,
        size=claim.params["size"], random_share=claim.params["random_share"], seed=claim.params["seed"],
        created_by=claim.job.created_by,
    )  # fmt: skip
    # A page that was queued meanwhile, by an import or a sample, is not asked twice.
    free = _those(candidates(project), chosen.items)
    kept = [place for place, item in enumerate(chosen.items) if item in free]
    selections = [_selection(batch, chosen, place, free[chosen.items[place]]) for place in kept]
    if not selections:
        raise Refused(NOTHING_LEFT)
    Selection.objects.bulk_create(selections, batch_size=CHUNK)
    joined = _join_without_slots(batch, project, chosen, asked_now=free)
    BatchItem.objects.bulk_create(
        [
            BatchItem(batch=batch, selection=selection, rank=chosen.picks[place].rank, label=chosen.picks[place].label,
                      scores=_scores(chosen.labels, chosen.p_label[place]))
            for place, selection in zip(kept, selections, strict=True)
        ],
        batch_size=CHUNK,
    )  # fmt: skip
    _open_slots(project, selections)
    Event.record("batch.queued", by=claim.job.created_by, project=project, about=batch, number=batch.number,
                 n_items=len(selections), n_joined=len(joined), strategy=strategy)  # fmt: skip
    claim.guard()  # last: its lock on the job is held for a moment only
    return batch


def _those(items: QuerySet[Item], wanted: Sequence[int]) -> dict[int, Item]:
    """Which of the wanted ids are among the items."""
    found: dict[int, Item] = {}
    for start in range(0, len(wanted), CHUNK):
        chunk = items.filter(pk__in=wanted[start : start + CHUNK]).only("pk", "snapshot_id")
        found |= {item.pk: item for item in chunk}
    return found


def _selection(batch: Batch, chosen: Chosen, place: int, item: Item) -> Selection:
    pick = chosen.picks[place]
    return Selection(
        item=item, stream=pick.stream, origin=f"batch {batch.number}", rank=pick.rank, reason=pick.reason[:200],
        probability=chosen.joins.probability if pick.stream == Stream.RANDOM else None,
    )  # fmt: skip


def _join_without_slots(batch: Batch, project: Project, chosen: Chosen, *, asked_now: Iterable[int]) -> list[Selection]:
    """Pages that chance drew and nobody need be asked about: their answers, or their open slots, serve the arm too."""
    drawn = np.concatenate([chosen.joins.known, chosen.joins.new])
    in_frame = _those(frame(project), np.setdiff1d(drawn, list(asked_now)).tolist())
    return Selection.objects.bulk_create(
        [
            Selection(item=item, stream=Stream.RANDOM, origin=f"batch {batch.number}",
                      probability=chosen.joins.probability, reason=ASKED_BEFORE)
            for item in in_frame.values()
        ],
        batch_size=CHUNK,
    )  # fmt: skip


def _scores(labels: Sequence[str], p_label: NDArray[np.float32]) -> dict[str, float | None]:
    return {label: None if np.isnan(p) else round(float(p), 4) for label, p in zip(labels, p_label, strict=True)}


def _open_slots(project: Project, selections: list[Selection]) -> None:
    by_stream: dict[str, list[Selection]] = defaultdict(list)
    for selection in selections:
        by_stream[selection.stream].append(selection)
    for stream, chosen in by_stream.items():
        for overlap, part in shares.groups(project, stream, chosen):
            slots.open_up(project, part, overlap=overlap)
