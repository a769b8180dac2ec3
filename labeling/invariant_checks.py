"""The invariants of labeling, one small check each. Ids are those of the reliability specification, or words."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Count, Exists, F, Model, OuterRef, Q
from django.db.models.functions import Now

from labeling import consensus, fits, immutability, released, schemas
from labeling.invariants import check, chunks_by_id, named, rows_by_id
from labeling.models import (
    Assignment,
    Consensus,
    Dispute,
    Draw,
    Event,
    GoldItem,
    GoldRelease,
    Honeypot,
    Import,
    Item,
    Job,
    Judgment,
    Project,
    RefusedRow,
    ReleaseFile,
    Selection,
    State,
    Stream,
)
from labeling.models.work import ASIDE, FIRST_PROBE_ROUND, HELD, PROBES
from labeling.refusals import Refused
from labeling.release_format import row_hashes
from labeling.releases import rebuild

LONGEST_LEASE = timedelta(days=1, seconds=60)
DEAD_AFTER = timedelta(minutes=2)
VERDICTS = {"yes", "no", "unsure"}
PRECISION = 1e-9
ERROR_PRECISION = 1e-4  # a sum of stored probabilities


# ---- queue ----------------------------------------------------------------------------------------------------------
@check("I1", "Nobody holds an item twice in one round, and every answer given here closed a slot of its own.")
def answers_and_slots() -> Iterator[str]:
    twice = (
        Assignment.objects.filter(state__in=HELD)
        .values("item", "round", "annotator")
        .annotate(n=Count("id"))
        .filter(n__gt=1)
        .order_by()
    )
    for row in twice.iterator():
        yield f"item {row['item']} round {row['round']}: user {row['annotator']} has {row['n']} slots"
    current = Judgment.objects.current()
    yield from named(current.exclude(source="import").filter(assignment=None).iterator(), "answered without a slot")
    elsewhere = current.filter(assignment__isnull=False).exclude(
        assignment__state=State.DONE, assignment__item=F("item"), assignment__round=F("round")
    )
    yield from named(elsewhere.iterator(), "its slot is not done, or is of another item or round")
    unseen = current.exclude(assignment__schema=None).exclude(assignment__schema=F("schema"))
    yield from named(unseen.iterator(), "its slot showed another version of the labels")
    answered = Judgment.objects.filter(assignment=OuterRef("pk"))
    unanswered = Assignment.objects.filter(~Exists(answered), state=State.DONE)
    yield from named(unanswered.iterator(), "done without an answer")


@check("I3", "No lease outlives its expiry as a blocker: held slots name their holder and end within a day.")
def leases() -> Iterator[str]:
    timed = Q(state__in=[State.OPEN, State.LEASED])
    wrong = Q(timed, available_at=None) | Q(~timed, available_at__isnull=False)
    yield from named(Assignment.objects.filter(wrong).iterator(), "state and time do not fit")
    nobodys = Assignment.objects.filter(state__in=HELD, annotator=None)
    yield from named(nobodys.iterator(), "held by nobody")
    forgotten = Assignment.objects.exclude(taken_from=None)
    yield from named(forgotten.iterator(), "who held it before was not written down")
    endless = Assignment.objects.filter(state=State.LEASED, available_at__gt=Now() + LONGEST_LEASE)
    yield from named(endless.iterator(), "its lease ends more than a day from now")


@check("I4", "The queue is live: every open slot can be had now, unless it is set aside or put by for one person.")
def open_slots() -> Iterator[str]:
    later = Assignment.objects.filter(
        state=State.OPEN, assigned_to=None, available_at__gt=Now() + timedelta(seconds=60)
    ).exclude(available_at=ASIDE)
    yield from named(later.iterator(), "open, but only from a time to come")


# ---- judgments ------------------------------------------------------------------------------------------------------
@check("I5", "A rater has at most one current answer to an item in a round, and the database itself refuses a second.")
def current_answers() -> Iterator[str]:
    several = (
        Judgment.objects.current().values("item", "rater", "round").annotate(n=Count("id")).filter(n__gt=1).order_by()
    )
    for row in several.iterator():
        yield f"item {row['item']} round {row['round']}: rater {row['rater']} has {row['n']} current answers"
    for name in ("one_current_judgment_per_rater", "one_current_judgment_per_slot"):
        if not _catalogue(Judgment).get(name, {}).get("unique"):
            yield f"the unique index {name} is not in the catalogue"


@check("catalogue", "Every constraint the models declare is in the catalogue of this database.")
def constraints() -> Iterator[str]:
    for model in (model for app in ("labeling", "active_learning") for model in apps.get_app_config(app).get_models()):
        present = _catalogue(model)
        for constraint in model._meta.constraints:
            if constraint.name not in present:
                yield f"{model._meta.db_table}: {constraint.name} is missing"


def _catalogue(model: type[Model]) -> dict[str, Any]:
    with connection.cursor() as cursor:
        return dict(connection.introspection.get_constraints(cursor, model._meta.db_table))


@check("verdicts", "Every verdict is yes, no or unsure and answers a label of the version it was made under.")
def verdicts() -> Iterator[str]:
    for pk, schema_id, outcome, given in rows_by_id(Judgment.objects.all(), "schema", "outcome", "verdicts"):
        wrong = _wrong_verdicts(schema_id, outcome, given)
        if wrong:
            yield f"judgment {pk}: {wrong}"


def _wrong_verdicts(schema_id: int, outcome: str, given: object) -> str:
    if not isinstance(given, dict):
        return "its verdicts are no object"
    strange = sorted(given.keys() - {label.key for label in schemas.by_id(schema_id).labels})
    if strange:
        return f"not a label of its version: {', '.join(strange)}"
    if not all(verdict in VERDICTS for verdict in given.values()):
        return "a verdict is not yes, no or unsure"
    if (outcome == Judgment.Outcome.JUDGED) != bool(given):
        return "an answer without verdicts, or verdicts on a page that could not be judged"
    return ""


@check("I12", "What is stored as consensus and disputes equals what the judgments say, counted again.")
def derived_numbers() -> Iterator[str]:
    for chunk in chunks_by_id(Consensus.objects.all(), "item", "project", "item__not_assessable", *consensus.STORED):
        found = _counted_again(chunk)
        contested = _open_disputes([row[1] for row in chunk])
        for _, item_id, _, *stored in chunk:
            different = _different(stored, found[item_id], contested.get(item_id, set()))
            if different:
                yield f"item {item_id}: {different} differ from the judgments"
    uncounted = Judgment.objects.votes().filter(~Exists(Consensus.objects.filter(item=OuterRef("item"))))
    yield from named(uncounted.iterator(), "its item has no consensus")
    stray = Dispute.objects.open().filter(~Exists(Consensus.objects.filter(item=OuterRef("item"))))
    yield from named(stray.iterator(), "a dispute on an item without consensus")


def _counted_again(chunk: Sequence[Sequence[Any]]) -> dict[int, consensus.Count]:
    """By the fit each was counted by: a newer one may not have come to it yet."""
    column = 4 + consensus.STORED.index("fit_id")
    items: dict[tuple[int, int | None], list[int]] = defaultdict(list)
    for row in chunk:
        items[row[2], row[column]].append(row[1])
    projects = Project.objects.in_bulk({project for project, _ in items})
    found: dict[int, consensus.Count] = {}
    for (project, fit), item_ids in items.items():
        questions = schemas.Questions(schemas.in_force(project))
        ground = consensus.Ground(projects[project], questions, fits.if_any(fit))
        found |= consensus.count_many(item_ids, ground=ground)
    return found


def _open_disputes(item_ids: Sequence[int]) -> dict[int, set[str]]:
    contested: dict[int, set[str]] = {}
    for item_id, label in Dispute.objects.open().filter(item__in=item_ids).values_list("item_id", "label"):
        contested.setdefault(item_id, set()).add(label)
    return contested


def _different(stored: Sequence[Any], found: consensus.Count, contested: set[str]) -> str:
    not_assessable, state, labels, n_judgments, n_not_assessable, expected_error, weighted_error, *rest = stored
    is_calibrated, _, *gold = rest
    pooled = found.pooled
    differences = {
        "the states": state != pooled.state,
        "the labels": not _alike(labels, pooled.labels),
        "whether they are calibrated": is_calibrated != pooled.is_calibrated,
        "the counts": (n_judgments, n_not_assessable) != (pooled.n_judgments, pooled.n_not_assessable),
        "the expected errors": abs(expected_error - pooled.expected_error) > ERROR_PRECISION,
        "the expected errors by severity": abs(weighted_error - found.weighted_error) > ERROR_PRECISION,
        "the outcomes": bool(not_assessable) != pooled.not_assessable,
        "what is settled for gold": gold != [found.gold, found.gold_sha256],
        "the open disputes": contested != set(pooled.open),
    }
    return ", ".join(name for name, differs in differences.items() if differs)


def _alike(stored: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Equal, but for the last digit of a probability that another machine worked out."""
    if stored.keys() != found.keys():
        return False
    return all(
        stored[key] | {"probability": None} == found[key] | {"probability": None}
        and _close(stored[key]["probability"], found[key]["probability"])
        for key in found
    )


def _close(one: float | None, other: float | None) -> bool:
    return one == other if one is None or other is None else abs(one - other) <= 2 * 10.0**-fits.DIGITS


# ---- imports and jobs -----------------------------------------------------------------------------------------------
@check("I7", "The counts of an import add up: every row is new, known, updated or refused, and every refusal is kept.")
def import_counts() -> Iterator[str]:
    taken = F("rows_created") + F("rows_duplicate") + F("rows_updated") + F("rows_refused")
    wrong = Import.objects.exclude(rows_total=taken, rows_done=F("rows_total"))
    yield from named(wrong.iterator(), "its counts do not add up")
    kept = RefusedRow.objects.values_list("run").annotate(n=Count("id")).order_by()
    refused = dict(kept)
    created = dict(
        Item.objects.exclude(first_import=None).values_list("first_import").annotate(n=Count("id")).order_by()
    )
    for pk, kind, n_refused, n_created in Import.objects.values_list("pk", "kind", "rows_refused", "rows_created"):
        if refused.get(pk, 0) != n_refused:
            yield f"import {pk}: {n_refused} rows refused, {refused.get(pk, 0)} kept"
        if kind == Import.Kind.ITEMS and created.get(pk, 0) != n_created:
            yield f"import {pk}: {n_created} items counted, {created.get(pk, 0)} are there"


@check("I9", "A job has its effects once: it is done once, and froze at most one release.")
def effects() -> Iterator[str]:
    done = Event.objects.filter(kind__startswith="job.done.").values("about")
    for row in done.annotate(n=Count("id")).filter(n__gt=1).order_by().iterator():
        yield f"{row['about']} was done {row['n']} times"
    frozen = Counter(data.get("job") for _, data in rows_by_id(Event.objects.filter(kind="release.frozen"), "data"))
    yield from (f"job {job} froze {n} releases" for job, n in frozen.items() if job and n > 1)


@check("I10", "No job stays running without a sign of life for two minutes.")
def heartbeats() -> Iterator[str]:
    silent = Q(heartbeat_at=None) | Q(heartbeat_at__lt=Now() - DEAD_AFTER)
    yield from named(Job.objects.filter(silent, state=Job.State.RUNNING).iterator(), "running without a heartbeat")


@check("I15", "Every job, sample, release and changed answer stands in the audit trail.")
def audit_trail() -> Iterator[str]:
    yield from _without_event(Job.objects.all(), "job.queued.")
    yield from _without_event(Job.objects.filter(state=Job.State.DONE), "job.done.")
    yield from _without_event(Draw.objects.all(), "sample.drawn")
    yield from _without_event(GoldRelease.objects.all(), "release.frozen")
    revised = Judgment.objects.filter(supersedes__isnull=False).exclude(source="import")
    yield from _without_event(revised, "judgment.revised")


def _without_event(rows: Any, kind: str) -> Iterator[str]:
    name = rows.model._meta.model_name
    for chunk in chunks_by_id(rows, size=500):
        abouts = [f"{name}:{pk}" for (pk,) in chunk]
        told = Event.objects.filter(kind__startswith=kind, about__in=abouts).values_list("about", flat=True)
        yield from (f"{about}: no event {kind.rstrip('.')}" for about in sorted(set(abouts) - set(told)))


# ---- gold -----------------------------------------------------------------------------------------------------------
@check("I8", "A release holds the bytes and rows its hashes name.")
def releases() -> Iterator[str]:
    for release in GoldRelease.objects.order_by("pk").iterator():
        yield from (f"release {release.pk} ({release}): {fault}" for fault in _faults_of(release))


def _faults_of(release: GoldRelease) -> Iterator[str]:
    files = ReleaseFile.objects.filter(release=release).select_related("blob")
    hashes: dict[str, str] = {}
    stored_rows: dict[str, str] | None = None
    for file in files.iterator(chunk_size=1):
        content = None if file.blob.content is None else bytes(file.blob.content)
        hashes[file.name] = file.blob_id
        if content is None:
            yield f"the bytes of {file.name} are gone"
        elif hashlib.sha256(content).hexdigest() != file.blob_id or len(content) != file.blob.size_bytes:
            yield f"the bytes of {file.name} are not those of its hash"
        elif file.name == "rows.sha256":
            stored_rows = row_hashes(content)
    if hashes.get("manifest.json") != release.manifest_sha256:
        yield "manifest.json is not the one of the record"
    rows = dict(GoldItem.objects.filter(release=release).values_list("item__public_id", "row_sha256"))
    if len(rows) != release.n_items:
        yield f"{release.n_items} items counted, {len(rows)} rows are there"
    if stored_rows is not None and rows != stored_rows:
        yield "the rows are not those of rows.sha256"


@check("rebuild", "The newest release of each project comes out again, byte for byte, from what its rows rest on.")
def rebuilds() -> Iterator[str]:
    for project in Project.objects.filter(releases__isnull=False).distinct().order_by("pk"):
        release = released.latest(project)
        if release is not None and not any(_faults_of(release)):  # bytes that are not whole are told above
            yield from (f"release {release.pk} ({release}): {fault}" for fault in _not_rebuilt(release))


def _not_rebuilt(release: GoldRelease) -> Iterator[str]:
    stored = dict(ReleaseFile.objects.filter(release=release).values_list("name", "blob_id"))
    try:
        again = {name: hashlib.sha256(content).hexdigest() for name, content in rebuild(release).items()}
    except Refused as refused:
        yield f"cannot be made again. {refused.sentence}"
        return
    yield from (f"{name} comes out otherwise" for name in sorted(dict(stored.items() ^ again.items())))


@check("I14", "The triggers that keep released and recorded rows as they are stand in the catalogue, whole.")
def triggers() -> Iterator[str]:
    yield from (f"the trigger {name} is missing or refuses too little" for name in immutability.missing())


@check("gold", "Every gold selection has the probability of its draw, and every draw its n items.")
def gold_selections() -> Iterator[str]:
    gold = Selection.objects.filter(stream=Stream.GOLD)
    without = gold.filter(Q(probability=None) | Q(draw=None))
    yield from named(without.iterator(), "a gold selection without probability or draw")
    for draw in Draw.objects.annotate(n=Count("selections")).order_by("pk").iterator():
        if draw.n != draw.size:
            yield f"draw {draw.pk}: {draw.size} items drawn, {draw.n} selections are there"
        chance = draw.size / draw.frame_size
        unlike = draw.selections.filter(Q(probability__lt=chance - PRECISION) | Q(probability__gt=chance + PRECISION))
        yield from named(_of_uniform(draw, unlike), "not the probability of its draw")


def _of_uniform(draw: Draw, rows: Any) -> Iterable[Model]:
    """Other designs give every item a probability of its own; their record is checked where it is made."""
    return rows.iterator() if draw.design == "uniform" else ()


# ---- pages with known answers ---------------------------------------------------------------------------------------
@check("known", "No page with a known answer is in an evaluation sample, and no answer about a person is a vote.")
def known_answers() -> Iterator[str]:
    drawn = Selection.objects.filter(item=OuterRef("item"), stream=Stream.GOLD)
    yield from named(Honeypot.objects.in_use().filter(Exists(drawn)).iterator(), "in use, and its page was drawn")
    of_probes = Assignment.objects.filter(purpose__in=PROBES)
    yield from named(of_probes.filter(round__lt=FIRST_PROBE_ROUND).iterator(), "about a person, in a round of work")
    among_work = Assignment.objects.filter(round__gte=FIRST_PROBE_ROUND).exclude(purpose__in=PROBES)
    yield from named(among_work.iterator(), "work, in a round about a person")
    counted = Judgment.objects.filter(assignment__purpose__in=PROBES).exclude(purpose=F("assignment__purpose"))
    yield from named(counted.iterator(), "about a person, and counted as another answer")
