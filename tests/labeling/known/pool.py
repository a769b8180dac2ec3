"""Pools, queues and days of work for the tests of what is asked about people."""

from collections.abc import Iterator, Sequence

from labeling import honeypots, judging, queue, slots
from labeling.models import Assignment, Honeypot, Project, Selection, Stream, User
from tests.factories import make_item

NONE = judging.Answer(none=True)
GAMES = judging.Answer(yes=("games",))
KNOWN = {"games": "yes", "news": "no", "self_harm": "no"}


def known_page(project: Project, *, is_onboarding: bool = False, explanation: str = "It sells a game.") -> Honeypot:
    """A page on which games holds, and nothing else."""
    return honeypots.add(make_item(project), by=None, verdicts=KNOWN, is_onboarding=is_onboarding,
                         explanation=explanation)  # fmt: skip


def known_pages(project: Project, n: int, *, is_onboarding: bool = False) -> list[Honeypot]:
    return [known_page(project, is_onboarding=is_onboarding) for _ in range(n)]


def queue_pages(project: Project, n: int, *, overlap: int = 1) -> None:
    selections = [Selection.objects.create(item=make_item(project), stream=Stream.IMPORT) for _ in range(n)]
    slots.open_up(project, selections, overlap=overlap)


def given(project: Project, person: User, n: int, answer: judging.Answer = NONE) -> Iterator[Assignment]:
    """The next n pages this person is given, each answered alike."""
    for _ in range(n):
        slot = queue.lease_next(project, annotator=person)
        if slot is None:
            return
        judging.submit(slot, by=person, answer=answer)
        yield slot


def purposes(project: Project, person: User, n: int, answer: judging.Answer = NONE) -> Sequence[str]:
    return [slot.purpose for slot in given(project, person, n, answer)]
