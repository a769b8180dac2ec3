"""What the gold answers on a drawn item come to: settled per label, or waiting for an answer or a decision.

One function says so, `of_item`: what it finds is stored with every answer and decision, pages and API count what is
stored, and a freeze asks it again on one snapshot. Only answers from slots that a draw opened count, and only on labels
whose question is still the one in force. A rule per label says what is accepted: `adjudicated` (a person decided),
`unanimous` (that, or all who answered agree), or `consensus:0.95` (those, or at least that share of the yes and no
votes). A decision counts over the gold answers it has seen; where later ones contradict it, a person decides again.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from labeling import schemas
from labeling.refusals import Unacceptable
from labeling.tallies import ADJUDICATED, AGREED, JUDGED, Tally, Vote, tally

LABELLED, NOT_ASSESSABLE, WITHDRAWN = "labelled", "not_assessable", "withdrawn"
# What an item waits for: answers people are asked for; answers nobody is asked for, as labels changed; a decision.
ANSWER, LABELS, DECISION = "answer", "labels", "decision"
SETTLED = "settled"
BY_DECISION, UNANIMOUS, CONSENSUS = "adjudicated", "unanimous", "consensus"
DEFAULT_RULE = UNANIMOUS
RULE = re.compile(r"adjudicated|unanimous|consensus:(?P<share>0\.\d{1,6}|1|1\.0{1,6})")


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision in force on an item. `seen`: per label the newest answer (its id) there was when it was decided."""

    id: int
    schema_id: int
    verdicts: Mapping[str, str]
    seen: Mapping[str, int]


@dataclass(slots=True)
class Settled:
    """One drawn item. `waits_for` is empty when every asked label is settled; `how` is empty where a label is not."""

    outcome: str = LABELLED
    waits_for: str = ""
    missing: tuple[str, ...] = ()  # asked now, and not answered by as many people as were asked together
    labels: dict[str, str] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)
    n_judgments: int = 0
    schema_version: int = 0
    snapshot_id: int | None = None
    judgments: tuple[int, ...] = ()  # ids of the answers it rests on
    decision_id: int | None = None

    @property
    def undecided(self) -> list[str]:
        """The labels that wait for a person's decision."""
        return [key for key, how in self.how.items() if not how]

    @property
    def sha256(self) -> str:
        """Equal where the row of a release would be equal; empty for an item that waits, or was withdrawn."""
        if self.waits_for or self.outcome == WITHDRAWN:
            return ""
        said = [self.outcome, self.labels, self.how, self.n_judgments, self.schema_version, self.snapshot_id]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def checked_rules(raw: Mapping[str, Any], *, keys: Collection[str]) -> dict[str, str]:
    """The rules by label. Raises Unacceptable for a label that is not asked or a rule that is none."""
    errors = []
    for key, rule in raw.items():
        matched = RULE.fullmatch(rule) if isinstance(rule, str) else None
        if key not in keys:
            errors.append({"pointer": f"/accepted_by/{key[:60]}", "detail": f"No label “{key[:60]}” is asked."})
        elif matched is None or (matched["share"] and float(matched["share"]) <= 0.5):
            detail = "Choose adjudicated, unanimous, or consensus: with a share above 0.5, as in consensus:0.95."
            errors.append({"pointer": f"/accepted_by/{key}", "detail": detail})
    if errors:
        raise Unacceptable(errors[0]["detail"], errors)
    return dict(raw)


# ---- one item -------------------------------------------------------------------------------------------------------
def of_item(
    votes: Iterable[Vote],
    decision: Decided | None,
    *,
    questions: schemas.Questions,
    rules: Mapping[str, str] | None = None,
    is_asked: bool = False,
    others_asked: bool = False,
    confirmed: Collection[str] = (),
) -> Settled:
    """What the gold votes among `votes`, in the order of their rounds, and the decision in force come to.

    `is_asked`: a slot of a draw still waits; `others_asked`: a slot of another stream does. `confirmed`: labels so rare
    that a person decides every yes.
    """
    gold = (on_todays_questions(vote, questions) for vote in votes if vote.is_gold)
    given = [vote for vote in gold if vote.verdicts or vote.outcome != JUDGED]
    decided = questions.answered_by(decision.verdicts, under=decision.schema_id) if decision else {}
    found = _counted(given, decision, decided, asked=questions.schema.keys, rules=rules or {},
                     confirmed=confirmed)  # fmt: skip
    if is_asked:
        found.waits_for = ANSWER
    elif found.outcome == LABELLED and found.missing:
        found.waits_for = LABELS
    elif found.undecided:  # people decide once everyone asked has answered
        found.waits_for = ANSWER if others_asked else DECISION
    return found


def on_todays_questions(vote: Vote, questions: schemas.Questions) -> Vote:
    """The vote with its verdicts on labels that asked then what they ask today."""
    return replace(vote, verdicts=questions.answered_by(vote.verdicts, under=vote.schema_id))


def _counted(
    given: Sequence[Vote],
    decision: Decided | None,
    decided: Mapping[str, str],
    *,
    asked: Sequence[str],
    rules: Mapping[str, str],
    confirmed: Collection[str],
) -> Settled:
    informed = {key: verdict for key, verdict in decided.items() if decision and _has_seen(decision, key, given)}
    counted = tally(given, complete=True, decided=informed)
    out = Settled(
        n_judgments=counted.n_judgments,
        schema_version=max((schemas.by_id(vote.schema_id).number for vote in given), default=0),
        snapshot_id=given[-1].snapshot_id if given else None,
        judgments=tuple(vote.id for vote in given),
        decision_id=decision.id if decision and decided else None,
    )
    if given and counted.n_not_assessable * 2 > counted.n_judgments and not counted.labels:
        out.outcome = NOT_ASSESSABLE
        return out
    out.missing = _missing(given, counted, asked)
    for key, label in counted.labels.items():
        earlier = None if key in informed else decided.get(key)
        rule = BY_DECISION if key in confirmed and label["yes"] else rules.get(key, DEFAULT_RULE)
        out.labels[key], out.how[key] = _accepted(label, rule, earlier=earlier)
    return out


def _accepted(label: Mapping[str, Any], rule: str, *, earlier: str | None) -> tuple[str, str]:
    """Verdict and how it was settled; two empty strings when a person has to decide.

    `earlier` was decided without these answers: it settles nothing, and what contradicts it settles nothing either.
    """
    verdict, how = _by_rule(label, rule)
    return ("", "") if earlier not in (None, verdict) else (verdict, how)


def _by_rule(label: Mapping[str, Any], rule: str) -> tuple[str, str]:
    if label["state"] == ADJUDICATED:
        return label["verdict"], BY_DECISION
    if label["state"] == AGREED and rule != BY_DECISION:
        return label["verdict"], UNANIMOUS
    share = label["probability"]
    if rule.startswith(CONSENSUS) and share is not None and max(share, 1 - share) >= float(rule.split(":")[1]):
        return ("yes" if share > 0.5 else "no"), CONSENSUS
    return "", ""


def _has_seen(decision: Decided, key: str, given: Iterable[Vote]) -> bool:
    return all(vote.id <= decision.seen.get(key, 0) for vote in given if key in vote.verdicts)


def _missing(given: Iterable[Vote], counted: Tally, asked: Sequence[str]) -> tuple[str, ...]:
    """The labels asked now that fewer people have answered than answered together in one round."""
    together = Counter(vote.round for vote in given if vote.outcome == JUDGED)
    wanted = max(together.values(), default=1)
    answers = {key: label["yes"] + label["no"] + label["unsure"] for key, label in counted.labels.items()}
    return tuple(key for key in asked if answers.get(key, 0) < wanted)
