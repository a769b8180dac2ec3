"""The queue of a project in a few numbers: what waits, for whom, and since when."""

from datetime import datetime
from typing import Any

from labeling import phrases
from labeling.project_counts import Counts


def queue_health(counts: Counts, *, now: datetime) -> dict[str, Any]:
    """What waits, for whom, and since when."""
    facts = [
        ("Answers to give", counts.n_open, "anyone may take them", counts.oldest_open),
        ("In people’s hands", counts.n_leased, "taken and not answered yet", None),
        ("Run out", counts.n_run_out, "not answered in time; others may take them", None),
        ("Set aside", counts.n_aside, "skipped, and waiting for a manager", None),
        ("Pages to decide", counts.n_disputed, "people disagree about a label", counts.oldest_dispute),
    ]
    return {
        "heading": _queue_finding(counts, now=now),
        "caption": "Answers asked for and not given yet, and disputed pages.",
        "rows": [
            {"name": name, "n": f"{n:,}", "words": words, "since": since if n else None, "age": age(since, now=now)}
            for name, n, words, since in facts
        ],
        "csv": (
            ["what", "count", "oldest"],
            [[name, n, since.isoformat() if since and n else ""] for name, n, _, since in facts],
        ),
    }


def _queue_finding(counts: Counts, *, now: datetime) -> str:
    if counts.n_aside:
        return f"{phrases.counted(counts.n_aside, 'answer')} set aside {_wait(counts.n_aside)} for a manager"
    oldest = age(counts.oldest_dispute, now=now)
    if counts.n_disputed and oldest:
        pages = f"{phrases.counted(counts.n_disputed, 'page')} {_wait(counts.n_disputed)}"
        return f"{pages} for a decision, the oldest for {oldest}"
    if counts.n_waiting:
        return (
            f"{phrases.counted(counts.n_waiting, 'answer')} {_wait(counts.n_waiting)} to be given; nothing is set aside"
        )
    return "Nothing waits in the queue"


def _wait(n: int) -> str:
    return "waits" if n == 1 else "wait"


def age(since: datetime | None, *, now: datetime) -> str:
    """ "40 minutes", "12 days"; nothing where there is no beginning."""
    if since is None:
        return ""
    days = (now - since).days
    return phrases.counted(days, "day") if days else phrases.duration(max((now - since).total_seconds(), 0))
