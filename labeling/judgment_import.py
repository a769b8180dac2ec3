"""Existing answers in: kept as judgments of pseudonymous raters, source "import", and counted like any other vote.

The same answer again is known and changes nothing. Another answer of the same rater on the same page is refused: which
of the two holds cannot be told from a file, and judgments are never overwritten.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.utils import timezone

from labeling import bulk, cells, chunks, consensus, jobs, judging, schemas, summaries, weburls
from labeling.cells import BadCell
from labeling.chunks import Outcome
from labeling.models import Consensus, Import, Item, Judgment, Project, Rater
from labeling.models.work import NOT_ASSESSABLE
from labeling.refusals import Refused, Unacceptable
from labeling.rows import Refusal, Row

SEPARATORS = str.maketrans(";,", "||")
YES = frozenset({"1", "true", "yes", "y", "x"})
NO = frozenset({"", "0", "false", "no", "n"})
MAX_CODE = 80
LONGEST_SECONDS = 24 * 3600
UNKNOWN_PAGE = "No page of this project has this {what}; import the page first."
TWO_PAGES = "Two pages of this project have this external_id; name the page by its url."
A_PERSON = "The annotator “{code}” is the pseudonym of a person with an account here; choose another code."
DIFFERENTLY = "The annotator “{code}” answered this page differently already; the earlier answer stands."


@dataclass(slots=True)
class Given:
    """One row as a judgment would hold it."""

    row: Row
    public_id: str
    external_id: str
    code: str
    outcome: str
    verdicts: dict[str, str]
    submitted_at: datetime | None
    active_seconds: float | None


# ---- the job --------------------------------------------------------------------------------------------------------
def run(claim: jobs.Claim) -> dict[str, int]:
    """Handler of the job "judgment_import"."""
    this = Import.objects.select_related("project").get(pk=claim.job.pk)
    schema = _schema(this.project)
    work = chunks.Work(
        required=("url", "external_id"),
        read=partial(read_row, schema=schema, assume_scheme=this.assume_scheme or None),
        store=partial(store, this, schema),
    )
    counts = chunks.carry_out(claim, this, work)
    bulk.analyze(Judgment, Consensus)
    summaries.count(this.project, most=summaries.AFTER_IMPORT, claim=claim)
    return counts


def _schema(project: Project) -> schemas.Schema:
    schema = schemas.in_force(project)
    if not schema.keys:
        raise Refused("This project asks no label yet; publish a version with labels first.")
    return schema


# ---- one row --------------------------------------------------------------------------------------------------------
def read_row(row: Row, *, schema: schemas.Schema, assume_scheme: str | None) -> Given | Refusal:
    """What a row says, or the sentence why it cannot be taken."""
    try:
        return _given(row, schema, assume_scheme)
    except (weburls.BadURL, BadCell) as bad:
        return row.refusal(str(bad))
    except Unacceptable as bad:
        return row.refusal(bad.sentence)


def _given(row: Row, schema: schemas.Schema, assume_scheme: str | None) -> Given:
    values = row.values
    url = cells.text_of(values, "url", None)
    outcome, verdicts = _answer(values, schema)
    return Given(
        row=row,
        public_id=weburls.parse(url, assume_scheme=assume_scheme).public_id if url.strip() else "",
        external_id=cells.text_of(values, "external_id", cells.MAX_EXTERNAL_ID).strip(),
        code=_code(values),
        outcome=outcome,
        verdicts=verdicts,
        submitted_at=cells.moment_of(values, "submitted_at"),
        active_seconds=_seconds(values.get("active_seconds")),
    )


def _code(values: dict[str, Any]) -> str:
    value = values.get("annotator")
    code = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not code or len(code) > MAX_CODE or not code.isprintable():
        raise BadCell(f"“annotator” must name the rater in 1 to {MAX_CODE} characters.")
    return code


def _answer(values: dict[str, Any], schema: schemas.Schema) -> tuple[str, dict[str, str]]:
    yes, unsure, none = _keys(values, "yes"), _keys(values, "unsure"), _truth(values, "none")
    reason = cells.text_of(values, "skip_reason", 40).strip()
    if reason:
        _refuse_reason(reason, is_answered=bool(yes or unsure or none))
        return Judgment.Outcome.NOT_ASSESSABLE, {}
    asked = _keys(values, "asked") or schema.keys
    unknown = sorted(set(asked) - set(schema.keys))
    if unknown:
        raise BadCell(f"“asked” names no label of this project: {', '.join(unknown)[:200]}.")
    answer = judging.Answer(yes=yes, unsure=unsure, none=none)
    return Judgment.Outcome.JUDGED, judging.verdicts_of(answer, asked=asked, schema=schema)


def _refuse_reason(reason: str, *, is_answered: bool) -> None:
    if reason not in NOT_ASSESSABLE:
        codes = ", ".join(NOT_ASSESSABLE)
        raise BadCell(f"“{reason}” is no outcome of a page. Of skipped pages only these are kept: {codes}.")
    if is_answered:
        raise BadCell("The row has both an answer and a skip_reason. Keep one of the two.")


def _keys(values: dict[str, Any], name: str) -> tuple[str, ...]:
    """Label keys of a cell, separated by | ; or a comma, or of a JSON list."""
    value = values.get(name)
    if value is None:
        return ()
    if isinstance(value, str):
        value = value.translate(SEPARATORS).split("|")
    if not isinstance(value, list) or not all(isinstance(key, str) for key in value):
        raise BadCell(f"“{name}” must be a list of label keys.")
    return tuple(dict.fromkeys(key.strip() for key in value if key.strip()))


def _truth(values: dict[str, Any], name: str) -> bool:
    value = values.get(name)
    word = "" if value is None else str(value).strip().lower()
    if isinstance(value, list | dict) or word not in YES | NO:
        raise BadCell(f"“{name}” must be true or false.")
    return word in YES


def _seconds(value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        seconds = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise BadCell(f"“active_seconds” must be a number from 0 to {LONGEST_SECONDS:,}.")
    return seconds


# ---- a chunk --------------------------------------------------------------------------------------------------------
def store(run: Import, schema: schemas.Schema, given: list[Given]) -> Outcome:
    """Write a chunk in the caller's transaction, and count its pages again."""
    project = Project.objects.select_for_update(no_key=True).get(pk=run.project_id)
    find = _finder(project, given)
    people = _people(project, given)
    standing = _standing(find, given)
    outcome, fresh = Outcome(), []
    for answer in given:
        item, fault = find(answer)
        said = (answer.outcome, answer.verdicts)
        if item is None:
            outcome.refused.append(answer.row.refusal(fault))
        elif answer.code in people:
            outcome.refused.append(answer.row.refusal(A_PERSON.format(code=answer.code)))
        elif standing.setdefault((item.pk, answer.code), said) is said:
            fresh.append((item, answer))
            outcome.created += 1
        elif standing[item.pk, answer.code] == said:
            outcome.duplicate += 1
        else:
            outcome.refused.append(answer.row.refusal(DIFFERENTLY.format(code=answer.code)))
    raters = _raters(project, {answer.code for _, answer in fresh})
    bulk.insert([_judgment(item, raters[answer.code], schema, answer) for item, answer in fresh])
    consensus.refresh_many(sorted({item.pk for item, _ in fresh}), project=project)
    return outcome


Finder = Callable[[Given], tuple[Item | None, str]]


def _finder(project: Project, given: list[Given]) -> Finder:
    """A function that finds the page of a row among those of this chunk, which it locks in the order of their ids."""
    by_id = {answer.public_id for answer in given if answer.public_id}
    by_external = {answer.external_id for answer in given if not answer.public_id}
    pages = Item.objects.filter(project=project).only("id", "public_id", "external_id", "snapshot_id")
    wanted = pages.filter(public_id__in=by_id) | pages.filter(external_id__in=by_external - {""})
    found = list(wanted.order_by("pk").select_for_update(no_key=True))
    urls = {item.public_id: item for item in found}
    names: dict[str, list[Item]] = {}
    for item in found:
        names.setdefault(item.external_id, []).append(item)

    def find(answer: Given) -> tuple[Item | None, str]:
        if answer.public_id:
            return urls.get(answer.public_id), UNKNOWN_PAGE.format(what="address")
        named = names.get(answer.external_id, [])
        if len(named) > 1:
            return None, TWO_PAGES
        return (named[0] if named else None), UNKNOWN_PAGE.format(what="external_id")

    return find


def _people(project: Project, given: list[Given]) -> set[str]:
    """The codes among these that are pseudonyms of people with an account."""
    codes = {answer.code for answer in given}
    found = Rater.objects.filter(project=project, code__in=codes).exclude(user=None)
    return set(found.values_list("code", flat=True))


def _raters(project: Project, codes: set[str]) -> dict[str, Rater]:
    """The raters with these codes, made where they are new: only for answers that are stored."""
    raters = Rater.objects.filter(project=project, code__in=codes)
    missing = sorted(codes - set(raters.values_list("code", flat=True)))
    Rater.objects.bulk_create([Rater(project=project, code=code) for code in missing], ignore_conflicts=True)
    return {rater.code: rater for rater in raters.all()}


def _standing(find: Finder, given: list[Given]) -> dict[tuple[int, str], tuple[str, dict[str, str]]]:
    """What these raters answered on these pages before: {(item, code): (outcome, verdicts)}."""
    items = {item.pk for item, _ in map(find, given) if item is not None}
    rows = Judgment.objects.current().filter(item__in=items, rater__code__in={answer.code for answer in given})
    return {
        (item_id, code): (outcome, verdicts)
        for item_id, code, outcome, verdicts in rows.values_list("item_id", "rater__code", "outcome", "verdicts")
    }


def _judgment(item: Item, rater: Rater, schema: schemas.Schema, answer: Given) -> Judgment:
    return Judgment(
        item=item, rater=rater, schema_id=schema.id, snapshot_id=item.snapshot_id, source=Judgment.Source.IMPORT,
        outcome=answer.outcome, verdicts=answer.verdicts, active_seconds=answer.active_seconds,
        submitted_at=answer.submitted_at or timezone.now(),
    )  # fmt: skip
