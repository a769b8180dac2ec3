"""What suggestions do to the answers of a project: every answer on which the model had said something, in both halves.

The numbers are those of `quality/anchoring`; here it is read what was said, by whom, and what others say of it who were
shown nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db.models import QuerySet

from labeling import phrases, schemas
from labeling.models import Honeypot, Judgment, Project, Suggestion
from labeling.models.work import COUNTED, KNOWN
from labeling.quality.agreement import nominal_alpha
from labeling.quality.anchoring import NO, NOTHING, UNSURE, YES, Anchoring, Answers, measure
from labeling.quality.cells import cells_from_counts
from labeling.quality.intervals import Estimate

CODES = {"yes": YES, "no": NO, "unsure": UNSURE}
MEASURED_AGAINST = (
    "A suggestion counts as wrong where most of the other people who answered the page without one say otherwise, or "
    "where the page’s answer is known. The answer itself, the consensus and decisions are not used."
)

Codes = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class LabelAnchoring:
    """One label: the rates, and how far people agree with each other with and without a suggestion (alpha)."""

    key: str
    name: str
    found: Anchoring
    alpha_shown: Estimate
    alpha_hidden: Estimate


@dataclass(frozen=True, slots=True)
class Report:
    n_shown: int
    n_hidden: int
    pooled: Anchoring
    labels: list[LabelAnchoring]


@dataclass(frozen=True, slots=True)
class _Answer:
    """One judged answer, as it is read."""

    item: int
    rater: int
    said: Codes
    suggested: Codes | None  # None: the model had said nothing
    is_shown: bool
    is_vote: bool


def has_any(project: Project) -> bool:
    """Whether the model was ever asked here what it says of a page that was given out."""
    return _suggestions(project).exists()


def report(project: Project) -> Report:
    schema = schemas.in_force(project)
    rows = _read(project, schemas.Questions(schema))
    spoken = [row for row in rows if row.suggested is not None]
    answers = _as_answers(spoken, rows, _known(project, schemas.Questions(schema)), n_labels=len(schema.keys))
    votes = np.array([row.is_vote for row in spoken], dtype=bool)
    alphas = [_alphas(answers, votes & half) for half in (answers.shown, ~answers.shown)]
    labels = [
        LabelAnchoring(label.key, label.name, measure(answers, label=place), alphas[0][place], alphas[1][place])
        for place, label in enumerate(schema.asked)
    ]
    n_shown = int(answers.shown.sum())
    return Report(n_shown, len(spoken) - n_shown, measure(answers), labels)


# ---- reading --------------------------------------------------------------------------------------------------------
def _suggestions(project: Project) -> QuerySet[Suggestion]:
    return Suggestion.objects.filter(item__project=project, run__isnull=False)


def _read(project: Project, questions: schemas.Questions) -> list[_Answer]:
    """Every answer to a page of which the model said something to anybody."""
    said = {
        (item, person, turn): (is_shown, says)
        for item, person, turn, is_shown, says in _suggestions(project)
        .values_list("item", "annotator", "round", "is_shown", "says")
        .iterator()
    }
    rows = Judgment.objects.current().filter(
        rater__project=project, outcome=Judgment.Outcome.JUDGED, purpose__in=[*COUNTED, *KNOWN],
        item__in=_suggestions(project).values("item"),
    )  # fmt: skip
    found = []
    for item, rater, person, turn, purpose, schema, verdicts, saw in (
        rows.order_by("round", "pk")
        .values_list("item", "rater", "rater__user", "round", "purpose", "schema", "verdicts", "saw_suggestion")
        .iterator()
    ):
        is_shown, says = said.get((item, person, turn), (saw, None))
        suggested = None if says is None else _coded(questions, says, schema)
        is_vote = purpose in COUNTED
        found.append(_Answer(item, rater, _coded(questions, verdicts, schema), suggested, is_shown, is_vote))
    return found


def _coded(questions: schemas.Questions, verdicts: dict[str, str], schema: int) -> Codes:
    same = questions.answered_by(verdicts, under=schema)
    return np.array([CODES[same[key]] if key in same else NOTHING for key in questions.schema.keys], dtype=np.int8)


def _known(project: Project, questions: schemas.Questions) -> dict[int, Codes]:
    rows = Honeypot.objects.filter(project=project).values_list("item", "verdicts", "schema")
    return {item: _coded(questions, verdicts, schema) for item, verdicts, schema in rows}


# ---- what others say ------------------------------------------------------------------------------------------------
def _as_answers(
    spoken: Sequence[_Answer], everything: Iterable[_Answer], known: dict[int, Codes], *, n_labels: int
) -> Answers:
    votes = _blind_votes(everything)
    reference = [known[row.item] if not row.is_vote and row.item in known else _others(votes, row) for row in spoken]
    return Answers(
        persons=np.array([row.rater for row in spoken], dtype=np.int64),
        items=np.array([row.item for row in spoken], dtype=np.int64),
        shown=np.array([row.is_shown for row in spoken], dtype=bool),
        suggested=_matrix([row.suggested for row in spoken], n_labels),
        verdicts=_matrix([row.said for row in spoken], n_labels),
        reference=_matrix(reference, n_labels),
    )


def _matrix(rows: Sequence[Codes | None], n_labels: int) -> Codes:
    return np.array(rows, dtype=np.int8).reshape(len(rows), n_labels)


def _blind_votes(rows: Iterable[_Answer]) -> dict[int, dict[int, Codes]]:
    """Item -> rater -> their vote, of people who were never shown anything on that page. A later one adds to it."""
    found: dict[int, dict[int, Codes]] = {}
    seen: set[tuple[int, int]] = set()
    for row in rows:
        if row.is_shown:
            seen.add((row.item, row.rater))
        elif row.is_vote:
            before = found.setdefault(row.item, {}).get(row.rater, row.said)
            found[row.item][row.rater] = np.where(row.said == NOTHING, before, row.said)
    for item, rater in seen:
        found.get(item, {}).pop(rater, None)
    return found


def _others(votes: dict[int, dict[int, Codes]], row: _Answer) -> Codes:
    """What most of the others say, label by label; NOTHING where there is none or they are divided."""
    others = [vote for rater, vote in votes.get(row.item, {}).items() if rater != row.rater]
    if not others:
        return np.full(len(row.said), NOTHING, dtype=np.int8)
    votes_of_all = np.array(others)
    lead = (votes_of_all == YES).sum(axis=0) - (votes_of_all == NO).sum(axis=0)
    return np.where(lead > 0, YES, np.where(lead < 0, NO, NOTHING)).astype(np.int8)


# ---- agreement with and without -------------------------------------------------------------------------------------
def _alphas(answers: Answers, where: npt.NDArray[np.bool_]) -> list[Estimate]:
    """Alpha of each label over the answers of one half: between people who were in the same condition."""
    distinct, places = np.unique(answers.items[where], return_inverse=True)
    n, k = (np.zeros((len(distinct), answers.verdicts.shape[1]), dtype=np.int64) for _ in range(2))
    np.add.at(n, places, np.isin(answers.verdicts[where], (YES, NO)))
    np.add.at(k, places, answers.verdicts[where] == YES)
    return [nominal_alpha(cells) for cells in cells_from_counts(n, k)]


# ---- in words -------------------------------------------------------------------------------------------------------
def heading(found: Anchoring) -> str:
    """The finding, claimed only where the interval of the difference bears it."""
    shift = found.accepted.shift
    if shift.value is None or shift.low is None or shift.high is None:
        return "Cannot tell yet whether suggestions carry people along"
    if shift.low > 0:
        return "People agree with a wrong suggestion more often when they see it"
    if shift.high < 0:
        return "People agree with a wrong suggestion less often when they see it"
    return "That suggestions carry people along is neither shown nor ruled out"


def sentence(found: Anchoring) -> str:
    """For whoever decides: both rates, their intervals, and the difference."""
    shown, hidden, shift = found.accepted.shown, found.accepted.hidden, found.accepted.shift
    if shift.value is None:
        return f"Shown: {phrases.percents(shown)}. Hidden: {phrases.percents(hidden)}."
    return (
        f"With the suggestion shown, people agreed with a wrong suggestion in {phrases.percents(shown)}; without it in "
        f"{phrases.percents(hidden)}. The difference is {phrases.points(shift)}."
    )
