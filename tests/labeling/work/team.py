"""A team at work in two projects, day after day, and a ledger beside it that knows the rules by itself.

The ledger never asks the database: it writes down what was given out and answered, and works out from the promises
alone what a person may be given. It is compared with the queue at every page and, when nobody is given anything more,
page by page.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from labeling import judging, queue
from labeling.models import Assignment, Project, User

Page = int  # an item's id
PUZZLED = 1e-6  # what a hundredth, rounded up, may differ from the exact number at a limit


@dataclass(slots=True)
class Person:
    user: User
    per_day: dict[int, int | None]  # quota by project
    in_all: dict[int, int | None]
    spares: frozenset[str]  # labels this person would rather not judge


@dataclass(slots=True)
class Known:
    """What the ledger knows of one page."""

    project: int
    truth: str  # the label that holds, or ""
    model: dict[str, float]
    answers: list[tuple[int, str]] = field(default_factory=list)  # person, label ticked
    skipped_by: set[int] = field(default_factory=set)
    holders: set[int] = field(default_factory=set)

    def estimate(self, label: str) -> float:
        if not self.answers:
            return self.model.get(label, 0.0)
        return sum(ticked == label for _, ticked in self.answers) / len(self.answers)


@dataclass(slots=True)
class Ledger:
    budget: int
    in_a_row: int
    overlap: int
    severities: dict[str, int]
    pages: dict[Page, Known] = field(default_factory=dict)
    costs: dict[tuple[int, datetime], list[int]] = field(default_factory=lambda: defaultdict(list))  # person, day
    counts: dict[tuple[int, int, datetime], int] = field(default_factory=lambda: defaultdict(int))
    totals: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    held: dict[tuple[int, int], Page] = field(default_factory=dict)  # person, project

    def expected(self, page: Page) -> float:
        known = self.pages[page]
        return max(severity * known.estimate(label) for label, severity in self.severities.items())

    def bearable(self, person: Person, project: int, day: datetime) -> float:
        """The most a page may be expected to cost; below nothing when none may be given."""
        who = person.user.pk
        costs = self.costs[who, day]
        elsewhere = [page for (holder, where), page in self.held.items() if holder == who and where != project]
        spent, worst = sum(costs), max(self.severities.values()) * len(elsewhere)
        if spent >= self.budget or (worst and spent + worst >= self.budget):
            return -1.0
        row = self.in_a_row - len(elsewhere)  # what is held elsewhere may turn out grave, and be answered first
        is_mild_next = row <= 0 or (len(costs) >= row and min(costs[-row:]) >= 3)
        return min(self.budget - spent - worst, 1.0 if is_mild_next else 4.0)

    def has_room(self, person: Person, project: int, day: datetime) -> bool:
        who = person.user.pk
        day_limit, limit = person.per_day[project], person.in_all[project]
        return (day_limit is None or self.counts[who, project, day] < day_limit) and (
            limit is None or self.totals[who, project] < limit
        )

    def may_have(self, person: Person, page: Page, day: datetime) -> str:
        """Why this person may not be given this page now; empty when they may."""
        who, known = person.user.pk, self.pages[page]
        if not self.has_room(person, known.project, day):
            return "a quota is reached"
        if self.expected(page) > self.bearable(person, known.project, day) + PUZZLED:
            return "it is more than the person can bear today"
        if any(known.estimate(label) >= 0.5 for label in person.spares):
            return "it is likely to be about what the person would rather not judge"
        if who in known.skipped_by or any(who == person_id for person_id, _ in known.answers):
            return "the person is done with it"
        if len(known.answers) + len(known.holders) >= self.overlap:
            return "enough people are asked"
        return ""

    def take(self, person: Person, page: Page) -> None:
        self.held[person.user.pk, self.pages[page].project] = page
        self.pages[page].holders.add(person.user.pk)

    def drop(self, person: Person, page: Page) -> None:
        del self.held[person.user.pk, self.pages[page].project]
        self.pages[page].holders.discard(person.user.pk)

    def answer(self, person: Person, page: Page, label: str, day: datetime) -> None:
        who, known = person.user.pk, self.pages[page]
        self.drop(person, page)
        known.answers.append((who, label))
        self.costs[who, day].append(self.severities.get(label, 0))
        self.counts[who, known.project, day] += 1
        self.totals[who, known.project] += 1


@dataclass(slots=True)
class Team:
    people: list[Person]
    projects: list[Project]
    ledger: Ledger
    rng: Random
    day: datetime
    now: datetime

    def works_a_day(self) -> None:
        """Everyone in turn by chance, in both projects, until nobody is given anything any more."""
        self.now = self.day + timedelta(hours=8)
        seats = [(person, project) for person in self.people for project in self.projects]
        idle: set[int] = set()
        while len(idle) < len(seats):
            place = self.rng.randrange(len(seats))
            if self._sits_down(*seats[place]):
                idle.clear()  # an answer changes what others may be given
            elif self._all_refuse(seats):
                idle = set(range(len(seats)))
        self._check_the_day()
        self.day += timedelta(days=1)

    def _all_refuse(self, seats: list[tuple[Person, Project]]) -> bool:
        """Somebody was given nothing: is it so for everyone? Whoever still gets or holds a page works on."""
        return not any(self._sits_down(person, project) for person, project in seats)

    def _sits_down(self, person: Person, project: Project) -> bool:
        """One step of this person here: be given a page, or answer or skip the one they hold. False when neither."""
        self.now += timedelta(seconds=1)
        assert self.now < self.day + timedelta(days=1), "the day is over before everyone has stopped"
        held = self.ledger.held.get((person.user.pk, project.pk))
        slot = queue.lease_next(project, annotator=person.user, now=self.now)
        if slot is None:
            assert held is None, "a page that is held was not given back"
            return False
        if held is None:
            reason = self.ledger.may_have(person, slot.item_id, self.day)
            assert not reason, f"{person.user} was given page {slot.item_id}, but {reason}"
            self.ledger.take(person, slot.item_id)
            return True
        assert slot.item_id == held
        self._deals_with(person, slot)
        return True

    def _deals_with(self, person: Person, slot: Assignment) -> None:
        page, by_chance = slot.item_id, self.rng.random()
        if by_chance < 0.05:
            judging.skip(slot, by=person.user, now=self.now)
            self.ledger.drop(person, page)
            self.ledger.pages[page].skipped_by.add(person.user.pk)
            return
        label = self.ledger.pages[page].truth if by_chance < 0.9 else ""  # some overlook it
        said = judging.Answer(yes=(label,)) if label else judging.Answer(none=True)
        judging.submit(slot, by=person.user, answer=said, now=self.now)
        self.ledger.answer(person, page, label, self.day)

    def _check_the_day(self) -> None:
        """Nobody holds anything, everything allowed was given, and no day overshot by more than one page."""
        assert not self.ledger.held
        left = self.left_for()
        assert not left, f"{len(left)} pages could still be given, such as {left[0]}"
        for (person, day), costs in self.ledger.costs.items():
            if day == self.day and sum(costs) > self.ledger.budget:
                assert sum(costs) - max(costs) <= self.ledger.budget, f"person {person} read too much: {costs}"

    def left_for(self) -> list[tuple[str, Page]]:
        """Pages the promises alone would still give to somebody today."""
        return [
            (person.user.username, page)
            for person in self.people
            for page in self.ledger.pages
            if not self.ledger.may_have(person, page, self.day)
        ]
