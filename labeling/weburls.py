"""Web addresses as browsers read them: canonical key, host, registrable domain, and marks for what looks odd.

An address is parsed by the WHATWG rules (can-ada), since that is what a browser, and so a web filter, sees. Its
identity is the SHA-256 of `key`, the canonical form without the fragment: two spellings of one address are one item,
and no index ever holds the long text. `raw` stays exactly as it was given. Only http and https are read, credentials
and U+0000 are refused, neither `raw` nor `key` may be longer than MAX_BYTES, and the host no longer than DNS can hold.
A host with a final dot is kept apart from the one without, as browsers do.

`flags` mark addresses that are legal items but must be shown inert and never be fetched, in this order:

    ip_address          the host is a literal IPv4 or IPv6 address
    private_host        that address is not public, or the name has no dot or belongs to a local network
    confusable_host     a label mixes scripts, or its letters can pass for Latin ones
    bidi                bidirectional control characters, or a host with right-to-left letters
    odd_host            a name that DNS cannot hold: empty or overlong labels, a hyphen at an end, symbols
    trailing_dot        the host ends in a dot
    control_characters  tabs, line ends or other controls stood inside the raw text; browsers drop or encode them
    scheme_assumed      the raw text had no scheme; the caller's `assume_scheme` was put in front
"""

import hashlib
import ipaddress
import re
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

import can_ada
from publicsuffixlist import PublicSuffixList

MAX_BYTES = 16_384
MAX_HOST = 253  # RFC 1035, without a final dot; what is longer names no page, and its columns are indexed
REMEMBERED_HOSTS = 10_000  # a list names the same hosts again and again; each costs about a kilobyte at most
SCHEMES = ("http", "https")
FLAGS = (
    "ip_address",
    "private_host",
    "confusable_host",
    "bidi",
    "odd_host",
    "trailing_dot",
    "control_characters",
    "scheme_assumed",
)

BLANKS = " \t\r\n\f"
C0_AND_SPACE = "".join(map(chr, range(0x21)))
TAB_OR_NEWLINE = re.compile(r"[\t\r\n]")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
# What may be completed with a scheme: a name with a dot whose last label is not a number, a dotted quad, localhost or
# a bracketed address. "javascript:1", "a@b.org", "=SUM(1.5)" and "3.14" must not turn into hosts.
HOST_WITHOUT_SCHEME = re.compile(
    r"(?:localhost|\[[0-9a-f:.]+\]|(?:\d{1,3}\.){3}\d{1,3}|[\w-]+(?:[.\u3002][\w-]+)*[.\u3002](?!\d+\.?(?![\w-]))[\w-]+\.?)"
    r"(?::\d{0,5})?(?=[/\\?#]|$)",
    re.IGNORECASE,
)

BIDI_CONTROL = re.compile(
    "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|%D8%9C|%E2%80%(?:8[EF]|A[A-E])|%E2%81%A[6-9]", re.IGNORECASE
)
# Labels of letters, digits, - and _, without a hyphen at an end, and a dot only where another label follows.
DNS_NAME = re.compile(r"(?:(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?=.)|$))+")
LOCAL_SUFFIXES = (
    ".localhost",
    ".local",
    ".internal",
    ".intranet",
    ".lan",
    ".home",
    ".corp",
    ".localdomain",
    ".home.arpa",
)
TUNNELS = tuple(map(ipaddress.IPv6Network, ("2002::/16", "2001::/32")))  # 6to4 and Teredo carry an IPv4 address
PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
SPECIAL_IPV4 = tuple(
    map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24"))
)  # is_global says yes to parts of these

# The combinations of Unicode TR 39, "highly restrictive"; a label of any other mixture is confusable.
SCRIPTS_SEEN_TOGETHER = (
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA"},
    {"LATIN", "CJK", "BOPOMOFO"},
    {"LATIN", "CJK", "HANGUL"},
)
# Letters that can spell a whole word that reads as Latin (after Chromium's IDN policy), and Latin letters that pass
# for plain ones.
LATIN_LOOKALIKES = {
    "CYRILLIC": set("асԁеһіјӏорԛѕԝхуъьҽпгѵѡ"),
    "GREEK": set("αικνρυωηοτ"),
    "ARMENIAN": set("ագզէլհյոսւօ"),
}
LATIN_PRETENDERS = re.compile("[\u0131\u0138\u0185\u0250-\u02af]")
TURKIC_SUFFIXES = ("tr", "az")  # where the dotless i is an everyday letter

AT_SIGN = re.compile("(@|%40)")
NAMED_BY_MARK = re.compile("~|%7e|@|%40", re.IGNORECASE)


class BadURL(ValueError):
    """The text is not an address of a page that can be judged; the text of the error says why, in a sentence."""


class WebURL(NamedTuple):
    """One address. `public_id` is the first 32 hex characters of the SHA-256 of `key`; `host` is in its ASCII form."""

    raw: str
    key: str
    public_id: str
    display: str
    host: str
    registrable_domain: str
    flags: tuple[str, ...]


def parse(raw: str, *, assume_scheme: str | None = None) -> WebURL:
    """Read `raw` as a browser would. Raises BadURL with a sentence for the person who gave the address.

    assume_scheme: "http" or "https" to complete addresses without a scheme (example.org/path); None refuses them.
    """
    if assume_scheme not in (None, *SCHEMES):
        raise ValueError(f"assume_scheme is {assume_scheme!r}; it can be http, https or None")
    _refuse_unstorable(raw)
    text = raw.strip(C0_AND_SPACE)
    completed = _completed(text, assume_scheme) if assume_scheme else text
    url = _whatwg(completed)
    key = url.href.partition("#")[0]
    if len(key) > MAX_BYTES:
        raise BadURL(f"The address is longer than {MAX_BYTES:,} bytes in its canonical form.")
    host = url.hostname
    return WebURL(
        raw=raw,
        key=key,
        public_id=hashlib.sha256(key.encode()).hexdigest()[:32],
        display=display_of(key, show_query=False),
        host=host,
        registrable_domain=registrable_domain(host),
        flags=_flags(raw, key, host, scheme_assumed=completed is not text),
    )


def display_of(key: str, *, show_query: bool) -> str:
    """The address as people see it: host and path, nothing decoded, without the scheme.

    A query becomes "?…", and names of persons in the path (~name, @name, name@host) become "…", because addresses can
    carry the data of pupils; `show_query` shows both, for projects that allow it.
    """
    shown = key.partition("://")[2]
    if show_query:
        return shown
    path, mark, query = shown.partition("?")
    if NAMED_BY_MARK.search(path):
        host, *segments = path.split("/")
        path = "/".join([host, *map(_without_person, segments)])
    return f"{path}?…" if query else path + mark


def _without_person(segment: str) -> str:
    """One segment of a path, with ~name, @name and name@host cut to what is no name."""
    if named := NAMED_BY_MARK.match(segment):
        return f"{named[0]}…"
    parts = AT_SIGN.split(segment, maxsplit=1)
    return f"…{parts[1]}{parts[2]}" if len(parts) == 3 and "." in parts[2] else segment


def unicode_host(host: str) -> str | None:
    """The host in its own script, to be shown in brackets after the ASCII form.

    None where it says nothing more or could deceive.
    """
    marks = _host_flags(host)
    if "xn--" not in host or "confusable_host" in marks or "bidi" in marks:
        return None
    return _unicode(host)


def _unicode(host: str) -> str:
    decoded: str = can_ada.idna_decode(host.encode())  # type: ignore[arg-type]  # its stub says str, its code takes bytes
    return decoded


@lru_cache(maxsize=REMEMBERED_HOSTS)
def registrable_domain(host: str) -> str:
    """The part of `host` that someone registered, by the public suffix list and its private section (x.github.io).

    An IP address, a public suffix and a name with empty labels are their own domain.
    """
    if _address(host):
        return host
    name = host.removesuffix(".")
    return _suffixes().privatesuffix(name) or name or host


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def _refuse_unstorable(raw: str) -> None:
    if "\x00" in raw:
        raise BadURL("The address contains a null character.")
    try:
        size = len(raw.encode())
    except UnicodeEncodeError:
        raise BadURL("The address contains a lone surrogate, which is half of a character.") from None
    if size > MAX_BYTES:
        raise BadURL(f"The address is longer than {MAX_BYTES:,} bytes.")


def _completed(text: str, scheme: str) -> str:
    """`text` with the scheme in front where it has none; the very same object where there is nothing to complete."""
    seen = TAB_OR_NEWLINE.sub("", text)
    if seen.startswith(("//", "\\\\")):
        return f"{scheme}:{text}"
    return f"{scheme}://{text}" if HOST_WITHOUT_SCHEME.match(seen) else text


def _whatwg(text: str) -> can_ada.URL:
    try:
        url = can_ada.parse(text)
    except ValueError:
        raise BadURL(_why_unparsable(TAB_OR_NEWLINE.sub("", text))) from None
    if url.protocol not in ("http:", "https:"):
        raise BadURL("Only http and https pages can be judged.")
    if url.has_credentials():
        raise BadURL("The address contains a user name or a password.")
    if len(url.hostname.removesuffix(".")) > MAX_HOST:
        raise BadURL(f"The host is longer than {MAX_HOST} characters.")
    return url


def _why_unparsable(text: str) -> str:
    if not text:
        return "The address is empty."
    scheme = SCHEME.match(text)
    if not scheme:
        return "The address does not start with http:// or https://."
    if scheme[1].lower() not in SCHEMES:
        return "Only http and https pages can be judged."
    authority = re.split(r"[/\\?#]", text[scheme.end() :].lstrip("/\\"), maxsplit=1)[0].rpartition("@")[2]
    name, colon, port = authority.rpartition(":")
    if not authority or (colon and not name):
        return "The address has no host."
    if colon and "]" not in port and not (port.isascii() and port.isdigit() and int(port[:9]) < 65_536):
        return "The port of the address is not a number from 0 to 65,535."
    return "The host of the address is not a valid name or IP address."


def _flags(raw: str, key: str, host: str, *, scheme_assumed: bool) -> tuple[str, ...]:
    of_host = _host_flags(host)
    if not of_host and not scheme_assumed and raw.isprintable() and "%" not in key:  # most: nothing else to look for
        return ()
    marks = set(of_host)
    if BIDI_CONTROL.search(raw) or BIDI_CONTROL.search(key):
        marks.add("bidi")
    if CONTROL.search(raw.strip(BLANKS)):
        marks.add("control_characters")
    if scheme_assumed:
        marks.add("scheme_assumed")
    return tuple(flag for flag in FLAGS if flag in marks)


@lru_cache(maxsize=REMEMBERED_HOSTS)
def _host_flags(host: str) -> tuple[str, ...]:
    if address := _address(host):
        return ("ip_address",) if _is_public(address) else ("ip_address", "private_host")
    name = host.removesuffix(".")
    script = _unicode(name) if "xn--" in name else ""
    marks = {
        "private_host": "." not in name or name.endswith(LOCAL_SUFFIXES),
        "confusable_host": _is_confusable(script),
        "bidi": any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in script),
        "odd_host": not DNS_NAME.fullmatch(name),
        "trailing_dot": host.endswith("."),
    }
    return tuple(flag for flag, holds in marks.items() if holds)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if host.startswith("["):
        return ipaddress.IPv6Address(host[1:-1])
    if not host[-1].isdigit():  # what ends in a number is an IPv4 address or unparsable
        return None
    try:
        return ipaddress.IPv4Address(host)
    except ValueError:
        return None


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        return address.is_global and address in PUBLIC_IPV6 and not any(address in tunnel for tunnel in TUNNELS)
    return address.is_global and not address.is_multicast and not any(address in block for block in SPECIAL_IPV4)


def _is_confusable(name: str) -> bool:
    labels = name.split(".")
    suffix = labels[-1]
    return any(_is_confusable_label(label, suffix) for label in labels)


def _is_confusable_label(label: str, suffix: str) -> bool:
    if label.isascii():
        return False
    scripts = _scripts(label)
    mixed = len(scripts) > 1 and not any(scripts <= together for together in SCRIPTS_SEEN_TOGETHER)
    if mixed or "SYMBOL" in scripts:
        return True
    if _reads_as_latin(label, scripts - _scripts(suffix)):
        return True
    pretenders = set(LATIN_PRETENDERS.findall(label))
    return bool(pretenders - ({"\u0131"} if suffix in TURKIC_SUFFIXES else set()))


def _reads_as_latin(label: str, foreign_scripts: set[str]) -> bool:
    letters = {letter for letter in label if letter.isalpha()}
    return any(letters <= LATIN_LOOKALIKES.get(script, set()) for script in foreign_scripts)


def _scripts(label: str) -> set[str]:
    """The scripts of a label, by the first word of each character's name; ASCII digits and hyphens fit every script."""
    return {_script(letter) for letter in label} - {""}


@cache
def _script(letter: str) -> str:
    if letter in "0123456789-_" or unicodedata.category(letter) in ("Mn", "Mc") or letter in "ー・々〆":
        return ""
    if letter.isalnum():
        first = unicodedata.name(letter, "SYMBOL").split()[0]
        return first.partition("-")[0]
    return "SYMBOL"
