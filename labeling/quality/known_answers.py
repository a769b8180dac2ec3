"""How a person does on pages whose answer is known: a score per page, its interval, and when to stop and talk."""

from collections.abc import Mapping, Sequence

from .intervals import LEVEL, Estimate, jeffreys_interval, undefined

YES, NO, UNSURE = "yes", "no", "unsure"
NO_PAGE = "no page with a known answer yet"
# A pause is looked for after every known page. At 99 % somebody exactly on the bar is paused in 5 of 100 runs of 200
# pages, somebody a tenth above it in none of 2,000 (simulated); at 95 % the repeated looks made that 20 of 100.
PAUSE_LEVEL = 0.99
FEWEST_PAGES = 5


def page_score(known: Mapping[str, str], said: Mapping[str, str]) -> float | None:
    """The share of a page's known answers that were right, in [0, 1]; None when none of its labels was answered.

    known: label -> yes or no. said: label -> yes, no or unsure; labels that are not known are not looked at.
    Where both yes and no are known, each weighs half: on a page with one yes among fifteen no, whoever ticks nothing
    has seen half of it, not nine tenths. Unsure counts half a right answer: as much as a guess, and no more.
    """
    shares = [_right(known, said, verdict) for verdict in (YES, NO)]
    found = [share for share in shares if share is not None]
    return sum(found) / len(found) if found else None


def missed(known: Mapping[str, str], said: Mapping[str, str]) -> list[str]:
    """The labels that were answered otherwise than is known, in the order of `known`."""
    return [key for key, verdict in known.items() if key in said and said[key] != verdict]


def score(pages: Sequence[float], *, level: float = LEVEL) -> Estimate:
    """Mean score over pages, n = pages, with the Jeffreys interval at that many pages.

    pages: scores in [0, 1], one a page. A page is one trial: its labels are answered together. A score bounded by 0
    and 1 varies at most as a coin of the same mean does, so the interval is never too short. Undefined without a page.
    Source: Brown, Cai & DasGupta 2001, "Interval Estimation for a Binomial Proportion"; see jeffreys_interval.
    """
    if not pages:
        return undefined(NO_PAGE, level=level)
    n, total = len(pages), sum(pages)
    low, high = jeffreys_interval(min(total, n), n, level=level)
    return Estimate(min(total / n, 1.0), low, high, level=level, n=n)


def is_below(pages: Sequence[float], bar: float) -> bool:
    """Whether the score lies below the bar beyond doubt: the whole interval does, on five pages or more.

    The same as to say that the lower bound of the share missed is above 1 - bar.
    """
    found = score(pages, level=PAUSE_LEVEL)
    return len(pages) >= FEWEST_PAGES and found.high is not None and found.high < bar


def _right(known: Mapping[str, str], said: Mapping[str, str], verdict: str) -> float | None:
    answers = [said[key] for key, true in known.items() if true == verdict and key in said]
    if not answers:
        return None
    return sum(1.0 if answer == verdict else 0.5 if answer == UNSURE else 0.0 for answer in answers) / len(answers)
