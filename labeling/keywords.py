"""Words of a project's list, found in the text of a page: whole words, whatever their case and accents. No Django.

The list is the project's and the same for everybody: a mark tells what the page says and nothing about an answer.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Literal

MOST_MARKS = 300  # of one text: more would hide the page, and slow the browser
LONGEST_READ = 200_000  # characters of a text that are looked at


Index = Mapping[str, tuple[re.Pattern[str], ...]]  # by the first run of letters or the first sign of a word
TOKEN = re.compile(r"\w+|[^\w\s]")


def pieces(text: str, words: Iterable[str], *, most: int = MOST_MARKS) -> list[tuple[str, bool]]:
    """The text cut into [(part, whether it is one of the words)]: the parts put together again are the text.

    Case, accents and characters that take no room do not count: "Café" and "ca\u00adfe" are found by "cafe".
    """
    index = _index(tuple(words))
    if not index or not text:
        return [(text, False)] if text else []
    found, done = [], 0
    for start, end in islice(_places(text, index), most):
        if start > done:
            found.append((text[done:start], False))
        found.append((text[start:end], True))
        done = end
    if done < len(text):
        found.append((text[done:], False))
    return found


def _places(text: str, index: Index) -> Iterator[tuple[int, int]]:
    """Where the words stand, from first to last, none inside another."""
    read = text[:LONGEST_READ]
    plain, origin = (read.lower(), None) if read.isascii() else _plain_with_origin(read)
    done = 0
    for start, last in _matches(plain, index):
        begin, end = (start, last + 1) if origin is None else (origin[start], origin[last] + 1)
        while end < len(read) and not _plain(read[end]):  # an accent written as a character of its own belongs to it
            end += 1
        if begin >= done:
            yield begin, end
            done = end


def _matches(plain: str, index: Index) -> Iterator[tuple[int, int]]:
    """First and last character of each word of the index. A look-up a token: the length of the list costs nothing."""
    done = 0
    for token in TOKEN.finditer(plain):
        if token.start() < done:
            continue
        for pattern in index.get(token[0], ()):
            if match := pattern.match(plain, token.start()):
                yield match.start(), match.end() - 1
                done = match.end()
                break


def _plain_with_origin(text: str) -> tuple[str, list[int]]:
    """The text without case and accents, and for each of its characters the place it came from."""
    plain: list[str] = []
    origin: list[int] = []
    for place, character in enumerate(text):
        for each in _plain(character):
            plain.append(each)
            origin.append(place)
    return "".join(plain), origin


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    """Nothing for an accent or a character without width; two characters for one that is written so ("ß", "ﬁ")."""
    form: Literal["NFKD", "NFD"] = "NFKD" if character.isalpha() else "NFD"  # "½" holds no word "1"
    parts = unicodedata.normalize(form, character.casefold())
    return "".join(part for part in parts if unicodedata.category(part) not in {"Mn", "Me", "Cf"})


@lru_cache(maxsize=64)
def _index(words: tuple[str, ...]) -> Index:
    """The longest first, so that "slot machine" wins over "slot"."""
    index: dict[str, list[re.Pattern[str]]] = {}
    plain = {" ".join("".join(map(_plain, word)).split()) for word in words}
    for word in sorted(plain, key=lambda word: (-len(word), word)):
        if first := TOKEN.match(word):
            index.setdefault(first[0], []).append(_whole(word))
    return {first: tuple(patterns) for first, patterns in index.items()}


def _whole(word: str) -> re.Pattern[str]:
    end = r"(?!\w)" if re.search(r"\w$", word) else ""
    return re.compile(r"\s+".join(map(re.escape, word.split())) + end)
