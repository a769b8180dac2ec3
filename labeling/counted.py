"""Which answers to a page say how far people agree, and what they say: the part of it that is counted.

Agreement is measured on answers that were asked for before anybody knew another one: more are asked where people
differ, so with those contested pages would weigh more than others. Left out are therefore slots that were added, and
the one more that settled pages are asked at random. Answers that came in a file all count: how their people were
chosen is not known here.

Of a person on a page the latest answer to each label counts, in the whole project or in one stream of it. Who was
shown what a model says answered under another condition and is counted apart.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from labeling import schemas
from labeling.models import Judgment, Stream
from labeling.models.work import ONE_MORE

YES, NO, UNSURE, NOT_ASKED = "y", "n", "u", "-"  # a letter a label
LETTERS = {"yes": YES, "no": NO, "unsure": UNSURE}
WHAT_COUNTS = (
    "Counted: one current answer a person and page, asked for before anyone knew another one. Left out are answers "
    "that were asked for because others differed, decisions of adjudicators, and unsure, which is no answer."
)

Answers = dict[int, str]  # rater id -> letters


class Whose(NamedTuple):
    """Whose sum a page counts in: see models/summaries.py."""

    stream: str
    is_mixed: bool
    is_aided: bool


@dataclass(frozen=True, slots=True)
class View:
    """The answers to one page that count in one sum. `later`: people whose answer is a vote, and left out here."""

    whose: Whose
    week: date
    answers: Answers
    later: tuple[int, ...] = ()

    def stored(self) -> list[Any]:
        return [*self.whose, self.week.isoformat(), sorted(self.answers.items()), list(self.later)]

    @classmethod
    def read(cls, stored: Iterable[Any]) -> "View":
        stream, is_mixed, is_aided, week, answers, later = stored
        return cls(Whose(stream, is_mixed, is_aided), date.fromisoformat(week), dict(answers), tuple(later))


ROW = (
    "item_id", "rater_id", "round", "assignment_id", "schema_id", "outcome", "verdicts", "purpose", "saw_suggestion",
    "submitted_at", "revision", "assignment__selection__stream",
)  # fmt: skip


class Said(NamedTuple):
    item: int
    rater: int
    round: int
    slot: int | None
    schema: int
    outcome: str
    verdicts: dict[str, str]
    purpose: str
    is_aided: bool
    at: datetime
    revision: int
    stream: str | None


def of_items(item_ids: Collection[int], questions: schemas.Questions) -> dict[int, list[View]]:
    """What is counted of each of these pages today; pages without an answer are not there."""
    rows = Judgment.objects.votes().filter(item__in=item_ids).order_by("round", "id").values_list(*ROW)
    by_item: dict[int, list[Said]] = defaultdict(list)
    for row in rows:
        by_item[row[0]].append(Said(*row))
    given = _first_given(said for of_one in by_item.values() for said in of_one if said.revision > 1)
    found = {item: views_of(said, questions, given) for item, said in by_item.items()}
    return {item: views for item, views in found.items() if views}


def _first_given(revised: Iterable[Said]) -> Mapping[tuple[Any, ...], datetime]:
    """When answers that were changed since were given first."""
    items = {said.item for said in revised}
    if not items:
        return {}
    first = Judgment.objects.filter(item__in=items, revision=1)
    return {
        tuple(where): at for *where, at in first.values_list("item", "rater", "round", "assignment", "submitted_at")
    }


def views_of(
    said: Iterable[Said], questions: schemas.Questions, given: Mapping[tuple[Any, ...], datetime]
) -> list[View]:
    """What is counted of one page, from its votes in the order of their rounds."""
    conditions = {False: _Gathered(), True: _Gathered()}
    for answer in said:
        stream = answer.stream or Stream.IMPORT.value
        if answer.outcome != Judgment.Outcome.JUDGED:  # they take back what they said
            for gathered in conditions.values():
                gathered.take_back(answer.rater, stream)
        elif answer.purpose in ONE_MORE:
            conditions[answer.is_aided].later.add((answer.rater, stream))
        else:
            at = given.get((answer.item, answer.rater, answer.round, answer.slot), answer.at)
            letters = _letters(answer, questions)
            conditions[answer.is_aided].add(answer.rater, stream, letters, at)
    return [view for is_aided, gathered in conditions.items() for view in gathered.views(is_aided=is_aided)]


def monday_of(moment: datetime) -> date:
    day = moment.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def _letters(answer: Said, questions: schemas.Questions) -> str:
    same = questions.same_under(answer.schema)
    return "".join(
        LETTERS[answer.verdicts[key]] if key in answer.verdicts and key in same else NOT_ASKED
        for key in questions.schema.keys
    )


class _Gathered:
    """The answers of one page under one condition, by stream and in all."""

    def __init__(self) -> None:
        self.in_stream: dict[tuple[int, str], str] = {}
        self.in_all: Answers = {}
        self.at: dict[tuple[int, str], datetime] = {}
        self.later: set[tuple[int, str]] = set()

    def add(self, rater: int, stream: str, letters: str, at: datetime) -> None:
        """A later answer counts on the labels it was asked and leaves what the person said on the others."""
        where = (rater, stream)
        self.in_stream[where] = _over(self.in_stream.get(where), letters)
        self.in_all[rater] = _over(self.in_all.get(rater), letters)
        self.at[where] = at

    def take_back(self, rater: int, stream: str) -> None:
        self.in_stream.pop((rater, stream), None)
        self.at.pop((rater, stream), None)
        self.in_all.pop(rater, None)

    def views(self, *, is_aided: bool) -> list[View]:
        streams = sorted({stream for _, stream in [*self.in_stream, *self.later]})
        parts = {stream: self._of(stream) for stream in streams}
        if len(parts) == 1 and parts[streams[0]] == self.in_all:
            return self._views({Whose(streams[0], False, is_aided): self.in_all})
        mixed = {Whose(stream, True, is_aided): answers for stream, answers in parts.items()}
        return self._views({**mixed, Whose("", False, is_aided): self.in_all})

    def _of(self, stream: str) -> Answers:
        return {rater: letters for (rater, where), letters in self.in_stream.items() if where == stream}

    def _views(self, answers: dict[Whose, Answers]) -> list[View]:
        if not self.at:  # what is left out has no week: nothing to compare it with was asked
            return []
        week = monday_of(max(self.at.values()))
        return [
            View(whose, week, said, tuple(sorted(self._later_of(whose.stream) - said.keys())))
            for whose, said in answers.items()
            if said
        ]

    def _later_of(self, stream: str) -> set[int]:
        return {rater for rater, where in self.later if stream in {"", where}}


def _over(before: str | None, letters: str) -> str:
    if before is None or NOT_ASKED not in letters:
        return letters
    return "".join(old if new == NOT_ASKED else new for old, new in zip(before, letters, strict=True))
