"""The random arm of a project: which pages chance drew, and which of their answers a model may be measured on.

`strategies/random_arm.py` says how it is drawn. Here the numbers u come from the project's seed and the public ids, so
the same pages have the same numbers on every database, and a selection in the stream "random" says that a page was
drawn.
"""

from typing import NamedTuple

import numpy as np
from django.db.models import Exists, OuterRef, QuerySet
from numpy.typing import NDArray

from active_learning.frame import candidates, frame, was_asked
from active_learning.strategies import random_arm
from active_learning.strategies.random_arm import Mask
from labeling import suggestions
from labeling.models import Assignment, Consensus, Project, Selection, Stream
from labeling.sampling import draws

ROW = np.dtype([("item", np.int64), ("u", np.int64), ("drawn", np.bool_), ("asked", np.bool_)])


class Frame(NamedTuple):
    """Every page of the frame by growing id, (n_frame,) each: its u, whether chance drew it, whether it was asked."""

    items: NDArray[np.int64]
    u: NDArray[np.int64]
    drawn: Mask
    asked: Mask

    @property
    def unasked(self) -> NDArray[np.int64]:
        return self.items[~self.asked]


class Extension(NamedTuple):
    """Pages that join the arm, by growing u.

    new: were never asked, so people are asked now. known: their answers are there, or come from where they were asked.
    probability: the share of the frame that is in the arm once they have joined; whichever pages a strategy asked, each
    page of the frame had this chance to be in it by now.
    """

    new: NDArray[np.int64]
    known: NDArray[np.int64]
    probability: float


def read(project: Project) -> Frame:
    seed = draws.arm_seed(project.slug)
    drawn = Exists(Selection.objects.filter(item=OuterRef("pk"), stream=Stream.RANDOM))
    rows = frame(project).annotate(is_drawn=drawn, is_asked=was_asked()).order_by("pk")
    found = np.fromiter(
        (
            (pk, draws.permanent_number(seed, public_id), is_drawn, is_asked)
            for pk, public_id, is_drawn, is_asked in rows.values_list(
                "pk", "public_id", "is_drawn", "is_asked"
            ).iterator()
        ),
        dtype=ROW,
    )
    return Frame(found["item"], found["u"], found["drawn"], found["asked"])


def extended(found: Frame, n_new: int) -> Extension:
    """What the arm gains so that n_new pages are newly asked; fewer where no more are left."""
    rows = random_arm.extension(found.u, drawn=found.drawn, asked=found.asked, n_new=n_new)
    drawn = found.drawn.copy()
    drawn[rows] = True
    n_arm = int(random_arm.standing(found.u, drawn=drawn).sum())
    asked = found.asked[rows]
    return Extension(found.items[rows[~asked]], found.items[rows[asked]], n_arm / max(len(drawn), 1))


def counted(project: Project) -> set[int]:
    """Items whose answers stand for the whole frame: those of the arm, wherever the answer came from.

    Where no page is left to draw because every one was asked, the whole frame takes the arm's place. Where people were
    shown what a model says, only the part of the frame that is kept blind counts: elsewhere the model would be measured
    by answers it had a hand in. That part is told by u alone, so that it is as fair a sample as the arm.
    """
    found = _kept_blind(read(project), project)
    is_whole = bool(found.asked.all())
    drawn = found.asked if is_whole else random_arm.standing(found.u, drawn=found.drawn)
    in_turn = np.flatnonzero(drawn)[np.argsort(found.u[drawn], kind="stable")]
    items = found.items[in_turn]
    slots = Assignment.objects.filter(project=project)
    new = slots if is_whole else slots.filter(selection__stream=Stream.RANDOM)
    kept = random_arm.counted(answered=_among(items, _answered(project)), new=_among(items, new))
    return set(items[kept].tolist())


def _kept_blind(found: Frame, project: Project) -> Frame:
    if not suggestions.were_shown(project):
        return found
    blind = found.u < suggestions.BLIND_BELOW
    return Frame(found.items[blind], found.u[blind], found.drawn[blind], found.asked[blind])


def n_answered(project: Project) -> int:
    """Answered pages of the arm, for a page to say: counted without reading the frame, and before any is held back."""
    arm = frame(project).filter(consensus__n_judgments__gt=0)
    if candidates(project).exists():
        arm = arm.filter(Exists(Selection.objects.filter(item=OuterRef("pk"), stream=Stream.RANDOM)))
    return arm.count()


def _answered(project: Project) -> QuerySet[Consensus]:
    return Consensus.objects.filter(project=project, n_judgments__gt=0)


def _among(items: NDArray[np.int64], rows: QuerySet[Assignment] | QuerySet[Consensus]) -> Mask:
    """(n_items,) True for items that one of the rows is about."""
    about = np.fromiter(rows.order_by().values_list("item", flat=True).iterator(), dtype=np.int64)
    return np.isin(items, about)
