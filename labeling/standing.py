"""What the counts of a project and its agreement say: how it stands in a sentence, and the biggest obstacle."""

from typing import Literal

from labeling.phrases import count, counted, listed, number, sentence_start
from labeling.project_counts import Counts
from labeling.reports import Report, TicksMost

Obstacle = Literal["import", "queue", "answer", "people", "decide", "label", "sample", "freeze", "evaluate"]


def obstacle(now: Counts, report: Report, *, names_people: bool) -> Obstacle:
    """What most stands between this project and a release one can trust."""
    if not now.n_pages:
        return "import"
    if not now.n_answers_wanted:
        return "queue"
    if names_people and report.ticks_most is not None and report.ticks_most.matters:
        return "people"
    if now.n_waiting:
        return "answer"
    if now.n_disputed:
        return "decide"
    if not report.readings["reliable"] and report.readings["revise"]:
        return "label"
    if not now.n_samples:
        return "sample"
    return "freeze" if not now.release else "evaluate"


def headline(now: Counts, report: Report) -> str:
    """One or two short sentences: how far the answers are, and whether the labels can be relied on."""
    if not now.n_pages:
        return "No pages yet."
    if not now.n_answers_wanted:
        return f"{counted(now.n_pages, 'page')} imported, and nobody has been asked yet."
    if not now.n_answers:
        return f"Nobody has answered yet: {counted(now.n_waiting, 'answer')} to give."
    return f"{_answers(now, report)} {reliability(report)}"


def reliability(report: Report) -> str:
    """What the intervals allow one to say about the labels together."""
    said = report.readings
    n_labels = len(report.labels)
    if said["reliable"] == n_labels > 0:
        return "Every label is reliable."
    if said["reliable"]:
        verb = "is" if said["reliable"] == 1 else "are"
        return f"{sentence_start(count(said['reliable']))} of {n_labels} labels {verb} reliable."
    if said["cannot tell yet"] == n_labels:
        return "Whether labels are reliable cannot be told yet."
    return "No label is reliable enough to release."


def agreement_finding(report: Report) -> str:
    """The heading over the alphas: no more than what every interval supports."""
    highs = [label.alpha.high for label in report.labels]
    if not highs or any(high is None for high in highs):
        return reliability(report).rstrip(".")
    highest = max(high for high in highs if high is not None)
    if highest < 0.5:
        return "Agreement is far below “tentative” on every label"
    if highest < 0.667:
        return "Agreement is below “tentative” on every label"
    return reliability(report).rstrip(".")


def about_people(found: TicksMost, names: tuple[str, ...]) -> str:
    """What a few people who tick nearly everything do to agreement, if the paired differences support it."""
    n = len(found.codes)
    verb = "ticks" if n == 1 else "tick"
    first = (
        f"{sentence_start(count(n))} of {found.n_people} people {verb} more than half of the labels on an average page."
    )
    if not found.matters:
        return f"{first} Without them agreement cannot be told apart from what it is."
    best = max(found.risen, key=lambda place: found.rises[place].value or 0)
    after = found.without.labels[best].alpha.value or 0
    before = after - (found.rises[best].value or 0)
    return (
        f"{first} Without their {found.n_answers:,} answers agreement rises on {len(found.risen)} of {len(names)} "
        f"labels: {names[best]} from {number(before)} to {number(after)}."
    )


def pairs_finding(report: Report, shown: list[int]) -> str:
    """The heading over the pair matrix: who is apart from everyone, or a neutral one."""
    found = report.ticks_most
    odd = [rater for rater in (found.raters if found else ()) if rater in shown]
    apart = [rater for rater in odd if _is_apart(report, rater, shown)]
    if apart:
        codes = [report.votes.codes[rater] for rater in apart]
        return f"{listed(codes)} hardly {'agrees' if len(codes) == 1 else 'agree'} with anyone"
    return "Who agrees with whom"


def _is_apart(report: Report, rater: int, shown: list[int]) -> bool:
    """Every pair of this person that can be judged has its whole interval below 0.2."""
    known = [pair for pair in (report.pair(rater, other) for other in shown if other != rater) if pair.high is not None]
    return bool(known) and all((pair.high or 0) < 0.2 for pair in known)


def _answers(now: Counts, report: Report) -> str:
    if now.n_waiting:
        return f"{now.n_answers:,} of {now.n_answers_wanted:,} answers are in."
    fewest, most = report.answers_per_page
    if fewest == most:
        return f"Every page asked has {count(most)} {'answer' if most == 1 else 'answers'}."
    return f"Every page asked has {count(fewest)} to {count(most)} answers."
