"""How numbers are said to people: 0.15 (0.10 to 0.21), 1,686, "two of 37 people". One place, so that pages agree."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.quality.intervals import Estimate

SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
WHOLE_PERCENTS_FROM = 0.1


def number(value: float, *, places: int = 2) -> str:
    """With a true minus sign, and never a negative zero."""
    text = f"{abs(value):.{places}f}"
    return f"−{text}" if value < 0 and float(text) != 0 else text


def estimate(found: Estimate) -> str:
    """The value with its interval; where there is none, the words that say so."""
    if found.value is None:
        return too_few(found)
    if found.low is None or found.high is None:
        return _("%(value)s, no interval yet") % {"value": number(found.value)}
    said = {"value": number(found.value), "low": number(found.low), "high": number(found.high)}
    return _("%(value)s (%(low)s to %(high)s)") % said


def too_few(found: Estimate) -> str:
    if found.n < 20:
        return _("too few (n %(n)s)") % {"n": f"{found.n:,}"}
    return found.reason or _("cannot tell yet")


def share(value: float) -> str:
    """Whole percents above 10 %."""
    return f"{100 * value:.0f} %" if value >= WHOLE_PERCENTS_FROM else f"{100 * value:.1f} %"


def percents(found: Estimate) -> str:
    """ "42 % (30 to 55)", "2.1 % (1.2 to 3.4)"; where there is no value, the words that say so."""
    if found.value is None or found.low is None or found.high is None:
        return found.reason or "cannot tell yet"
    digits = 0 if found.value >= WHOLE_PERCENTS_FROM else 1
    return f"{share(found.value)} ({100 * found.low:.{digits}f} to {100 * found.high:.{digits}f})"


def share_of_pages(found: Estimate) -> str:
    """Of all pages; where chance has drawn too few to tell, no more than that: the page says once why."""
    return percents(found) if found.value is not None else "cannot tell yet"


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
        return _n(round(seconds), ngettext("%(n)s second", "%(n)s seconds", round(seconds)))
    hours, rest = divmod(minutes, 60)
    said = [_n(hours, ngettext("%(n)s hour", "%(n)s hours", hours))] if hours else []
    return " ".join([*said, _n(rest, ngettext("%(n)s minute", "%(n)s minutes", rest))] if rest or not hours else said)


def _n(n: int, words: str) -> str:
    return words % {"n": f"{n:,}"}


def listed(words: Sequence[str], *, most: int = 4) -> str:
    """ "Arts", "Arts and News", "Arts, News and 5 more"."""
    if len(words) > most:
        some, more = ", ".join(words[: most - 1]), len(words) - most + 1
        return _("%(some)s and %(n)s more") % {"some": some, "n": more}
    if len(words) < 2:
        return words[0] if words else ""
    return _("%(some)s and %(last)s") % {"some": ", ".join(words[:-1]), "last": words[-1]}


def sentence_start(text: str) -> str:
    return text[:1].upper() + text[1:]
