"""Votes counted: per label how many said what, the verdict and its state. The votes have been read by the caller.

The rule: a label that is not unanimous is a dispute, once everyone asked has answered. So is one on which several agree
although it is likely that they are wrong, and a yes on a label so rare that each is confirmed. Probability is what a
fit of the raters says (fits.py), and until it can say something the share of yes among yes and no votes. One vote a
rater and label: the latest that was asked that label, in the order of rounds.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from labeling.models import Consensus, Judgment

PENDING, AGREED, DISPUTED, ADJUDICATED = Consensus.State.values
JUDGED = Judgment.Outcome.JUDGED


@dataclass(frozen=True, slots=True)
class Vote:
    """One rater's counted answer on one item. `id` is its judgment's: the later answer has the larger one."""

    rater: int
    round: int
    outcome: str
    verdicts: dict[str, str]
    id: int = 0
    schema_id: int = 0
    snapshot_id: int | None = None
    is_gold: bool = False  # its slot was opened by a draw


def _nothing_known(_votes: Sequence[Vote]) -> Mapping[str, float]:
    return {}


@dataclass(frozen=True, slots=True)
class Standards:
    """What a project asks of an answer beyond that nobody contradicts it.

    chances: P(yes) by label from the vote of each rater, where it can be told. stop: by label, how likely an error may
    be. confirmed: labels of which a person decides every yes.
    """

    chances: Callable[[Sequence[Vote]], Mapping[str, float]] = _nothing_known
    stop: Mapping[str, float] = field(default_factory=dict)
    confirmed: frozenset[str] = frozenset()

    def is_doubtful(self, key: str, chance: float | None) -> bool:
        return chance is not None and key in self.stop and min(chance, 1 - chance) >= self.stop[key]


NONE = Standards()


@dataclass(slots=True)
class Tally:
    """The state of one item: per label counts and what follows from them."""

    state: str = PENDING
    labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    n_judgments: int = 0
    n_not_assessable: int = 0
    not_assessable: bool = False
    is_calibrated: bool = False

    @property
    def open(self) -> list[str]:
        return [key for key, label in self.labels.items() if label["state"] == DISPUTED]

    @property
    def expected_error(self) -> float:
        chances: list[float | None] = [self.labels[key]["probability"] for key in self.open]
        return sum(min(p, 1 - p) for p in chances if p is not None)


def tally(
    votes: Iterable[Vote],
    *,
    complete: bool,
    decided: Mapping[str, str] | None = None,
    contested: Collection[str] = (),
    standards: Standards = NONE,
) -> Tally:
    """Count the votes of one item.

    `complete`: everyone asked has answered. `decided`: verdicts a person gave. `contested`: labels that need a person
    whatever these votes say.
    """
    decided = {key: verdict for key, verdict in (decided or {}).items() if key not in contested}
    latest = one_a_rater(votes)
    judged = [vote for vote in latest if vote.outcome == JUDGED]
    out = Tally(n_judgments=len(latest), n_not_assessable=len(latest) - len(judged))
    if complete and out.n_not_assessable * 2 > out.n_judgments and not decided and not contested:
        out.not_assessable, out.state = True, AGREED
        return out
    chances = standards.chances(judged)
    out.is_calibrated = bool(chances)
    is_tied = out.n_not_assessable > 0 and out.n_not_assessable * 2 == out.n_judgments
    for key in sorted({key for vote in judged for key in vote.verdicts}):
        given = [vote.verdicts[key] for vote in judged if key in vote.verdicts]
        # Tied: half of the people could not judge the page at all, so whatever the other half says needs a decision.
        needs_person = is_tied or key in contested or len(set(given)) > 1 or set(given) == {"unsure"}
        needs_person |= "yes" in given and key in standards.confirmed
        # One answer was all that was asked for: where a project wants that doubted, it asks one more person.
        needs_person |= len(given) > 1 and standards.is_doubtful(key, chances.get(key))
        out.labels[key] = _label(
            given, complete=complete, contested=needs_person, decided=decided.get(key), chance=chances.get(key)
        )
    out.state = _state(out, complete=complete and bool(out.labels))
    return out


def one_a_rater(votes: Iterable[Vote]) -> list[Vote]:
    """The vote of each rater. Votes come in the order of their rounds."""
    latest: dict[int, Vote] = {}
    for vote in votes:
        kept = latest.get(vote.rater)
        if kept is None or vote.round >= kept.round:
            latest[vote.rater] = vote if kept is None else _after(kept, vote)
    return list(latest.values())


def _after(kept: Vote, vote: Vote) -> Vote:
    """A later answer leaves what the rater said on labels it was not asked, unless it says that nobody can judge it."""
    adds = kept.outcome == vote.outcome == JUDGED
    return replace(vote, verdicts={**kept.verdicts, **vote.verdicts}) if adds else vote


def _label(
    given: list[str], *, complete: bool, contested: bool, decided: str | None, chance: float | None
) -> dict[str, Any]:
    yes, no, unsure = (given.count(verdict) for verdict in ("yes", "no", "unsure"))
    state = ADJUDICATED if decided else PENDING if not complete else DISPUTED if contested else AGREED
    verdict = decided or (given[0] if state == AGREED else None)
    probability = chance if chance is not None else yes / (yes + no) if yes + no else None
    return {"yes": yes, "no": no, "unsure": unsure, "probability": probability, "verdict": verdict, "state": state}


def _state(out: Tally, *, complete: bool) -> str:
    states = {label["state"] for label in out.labels.values()}
    if not complete or PENDING in states:
        return PENDING
    return DISPUTED if DISPUTED in states else ADJUDICATED if ADJUDICATED in states else AGREED
