"""How numbers are said to people: 0.15 (0.10 to 0.21), 1,686, "two of 37 people". One place, so that pages agree."""

from collections.abc import Sequence

from labeling.quality.intervals import Estimate

SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def number(value: float, *, places: int = 2) -> str:
    """With a true minus sign, and never a negative zero."""
    text = f"{abs(value):.{places}f}"
    return f"−{text}" if value < 0 and float(text) != 0 else text


def estimate(found: Estimate) -> str:
    """The value with its interval; where there is none, the words that say so."""
    if found.value is None:
        return too_few(found)
    if found.low is None or found.high is None:
        return f"{number(found.value)}, no interval yet"
    return f"{number(found.value)} ({number(found.low)} to {number(found.high)})"


def too_few(found: Estimate) -> str:
    return f"too few (n {found.n:,})" if found.n < 20 else (found.reason or "cannot tell yet")


def share(value: float) -> str:
    """Whole percents above 10 %."""
    percent = 100 * value
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %"


def percents(found: Estimate) -> str:
    """ "42 % (30 to 55)"; where there is no value, the words that say so."""
    if found.value is None or found.low is None or found.high is None:
        return found.reason or "cannot tell yet"
    return f"{share(found.value)} ({100 * found.low:.0f} to {100 * found.high:.0f})"


def points(found: Estimate) -> str:
    """A difference of two shares: "+30 points (+12 to +46)"."""
    if found.value is None or found.low is None or found.high is None:
        return found.reason or "cannot tell yet"
    value, low, high = (_signed(part) for part in (found.value, found.low, found.high))
    return f"{value} points ({low} to {high})"


def _signed(part: float) -> str:
    whole = number(100 * part, places=0)
    return f"+{whole}" if part > 0 and whole != "0" else whole


def count(n: int) -> str:
    """Small counts as words: "three"; from thirteen on as digits: "1,686"."""
    return SMALL[n] if 0 <= n < len(SMALL) else f"{n:,}"


def counted(n: int, one: str, many: str = "") -> str:
    """ "1 page", "1,686 pages"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """ "40 seconds", "12 minutes", "2 hours 5 minutes"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return counted(round(seconds), "second")
    hours, rest = divmod(minutes, 60)
    said = [counted(hours, "hour")] if hours else []
    return " ".join([*said, counted(rest, "minute")] if rest or not hours else said)


def listed(words: Sequence[str], *, most: int = 4) -> str:
    """ "Arts", "Arts and News", "Arts, News and 5 more"."""
    if len(words) > most:
        return f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def sentence_start(text: str) -> str:
    return text[:1].upper() + text[1:]
