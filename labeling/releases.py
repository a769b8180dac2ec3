"""Gold releases: what the samples' pages were settled as, frozen under a version that never changes.

A freeze reads one snapshot, computes the files and the version from the difference to the last release, and stores all
of it in one transaction under the project's lock. Freezing twice gives one release, because the second finds nothing
changed. Each row keeps what it rests on, the ids of its answers and its decision, so that `rebuild` computes the same
bytes again at any time.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.db import transaction

from labeling import candidates, jobs, readiness, released, samples, schemas, settling
from labeling.candidates import Candidate, Gold
from labeling.models import Blob, Event, GoldItem, GoldRelease, Job, Project, ReleaseFile, User
from labeling.readiness import Request
from labeling.refusals import Refused
from labeling.release_format import Files, Head, change_between, content_sha256, release_files, row_hashes, sha256_of
from labeling.rounds import Basis

FREEZING = "A version of this project is being frozen at this moment; look at it first."


def queue_freeze(project: Project, wanted: Request, *, by: User | None) -> Job:
    """Freeze in a worker. What counts can tell will be refused is refused here, so that the caller hears it at once."""
    key = f"freeze:{project.pk}"
    if Job.objects.unfinished().filter(exclusive=key).exists():
        raise Refused(FREEZING)
    readiness.require(project, wanted)
    params = {
        "samples": wanted.samples, "bump": wanted.bump, "notes": wanted.notes, "accepted_by": dict(wanted.accepted_by),
    }  # fmt: skip
    job = jobs.enqueue("freeze", project=project, params=params, by=by, exclusive=key)
    if job.params != params:  # somebody else's, queued at the same moment
        raise Refused(FREEZING)
    return job


def run(claim: jobs.Claim) -> dict[str, Any]:
    """The job. Run again after it was killed, it finds the release it made, or makes it."""
    job = claim.job
    made = _made_by(job)
    if made is None:
        claim.progress(None, "Reading answers and decisions")
        made = freeze(claim.project, Request(**claim.params), by=job.created_by, job=job, guard=claim.guard)
    return {"version": made.version, "manifest_sha256": made.manifest_sha256, "n_items": made.n_items}


def _made_by(job: Job) -> GoldRelease | None:
    told = Event.objects.filter(project=job.project, kind="release.frozen", data__job=str(job.pk)).first()
    return GoldRelease.objects.get(pk=int(told.about.partition(":")[2])) if told else None


def freeze(
    project: Project,
    wanted: Request,
    *,
    by: User | None,
    job: Job | None = None,
    guard: Callable[[], None] = lambda: None,
) -> GoldRelease:
    """Store the next release, whole or not at all."""
    candidate = candidates.prepare(project, wanted)
    change = candidate.change
    files = release_files(candidate.content, _head(candidate), change=change)
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # rows that point to it go on being written
        if released.latest(project) != candidate.parent:
            raise Refused("Another version was frozen at the same moment; look at it first.")
        made = _store(candidate, files, by=by)
        Event.record(
            "release.frozen", by=by, project=project, about=made, version=made.version,
            manifest_sha256=made.manifest_sha256, job=str(job.pk) if job else None,
        )  # fmt: skip
        guard()
    return made


def _head(candidate: Candidate) -> Head:
    project, parent = candidate.project, candidate.parent
    head = Head(project.slug, project.name, candidate.version_text, candidate.created, candidate.wanted.notes)
    return head if parent is None else _after(head, parent)


def _after(head: Head, parent: GoldRelease) -> Head:
    return replace(
        head,
        parent_version=parent.version,
        parent_manifest_sha256=parent.manifest_sha256,
        parent_changes=released.read_file(parent, "CHANGES.md").decode(),
    )


def _store(candidate: Candidate, files: Files, *, by: User | None) -> GoldRelease:
    major, minor, patch = candidate.version
    made = GoldRelease.objects.create(
        project=candidate.project, major=major, minor=minor, patch=patch, parent=candidate.parent,
        manifest_sha256=sha256_of(files["manifest.json"]), rows_sha256=content_sha256(candidate.content),
        n_items=len(candidate.rows), notes=candidate.wanted.notes, accepted_by=dict(candidate.wanted.accepted_by),
        created_by=by, created_at=candidate.created,
    )  # fmt: skip
    by_name = {name: sha256_of(content) for name, content in files.items()}
    known = set(Blob.objects.filter(pk__in=by_name.values()).values_list("pk", flat=True))
    fresh = {by_name[name]: content for name, content in files.items() if by_name[name] not in known}
    Blob.objects.bulk_create(
        [Blob(sha256=sha256, content=content, size_bytes=len(content)) for sha256, content in fresh.items()],
        ignore_conflicts=True,  # another project may be storing the same bytes now
    )
    ReleaseFile.objects.bulk_create(ReleaseFile(release=made, name=name, blob_id=by_name[name]) for name in files)
    GoldItem.objects.bulk_create((_gold_item(made, *row) for row in candidate.rows.items()), batch_size=1_000)
    return made


def _gold_item(made: GoldRelease, item_id: int, row: Gold) -> GoldItem:
    settled = row.settled
    return GoldItem(
        release=made, item_id=item_id, row_sha256=row.row_sha256, probability=float(row.probability),
        outcome=settled.outcome, settled_sha256=settled.sha256, judgments=list(settled.judgments),
        decision_id=settled.decision_id,
    )  # fmt: skip


# ---- made again -----------------------------------------------------------------------------------------------------
def rebuild(release: GoldRelease) -> Files:
    """The release's files, computed again from the answers and decisions it rests on, whatever came of them since."""
    project = release.project
    content, _ = candidates.content_of(
        samples.chosen_draws(project, released.draws_of(release)), release.accepted_by,
        schema=schemas.numbered(project, released.labels_of(release).version), bases=_bases(release),
    )  # fmt: skip
    stored = json.loads(released.read_file(release, "manifest.json"))
    head = Head(stored["project"], stored["name"], release.version, release.created_at, release.notes)
    parent = release.parent
    if parent is None:
        return release_files(content, head, change=None)
    change = change_between(row_hashes(released.read_file(parent, "rows.sha256")), row_hashes(content["rows.sha256"]))
    return release_files(content, _after(head, parent), change=change)


def _bases(release: GoldRelease) -> dict[int, Basis]:
    rows = release.gold_items.values_list("item_id", "judgments", "decision_id", "outcome")
    return {item_id: Basis(judgments, decision, outcome == settling.WITHDRAWN)
            for item_id, judgments, decision, outcome in rows}  # fmt: skip
