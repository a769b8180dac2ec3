"""JSON read strictly: what two parsers could read differently, or PostgreSQL could not store, is refused.

Refused beyond RFC 8259: repeated keys, NaN and Infinity, numbers that overflow, integers of more than
MAX_INTEGER_DIGITS digits, U+0000 and lone surrogates in any string or key, and nesting deeper than `max_depth`.
One byte order mark at the start is ignored, since Windows programs write it. Every refusal is a BadJSON whose
text is a sentence for the person who sent the data.
"""

import json
import math
import re

MAX_DEPTH = 64
MAX_INTEGER_DIGITS = 400

BYTE_ORDER_MARK = "\ufeff"
STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class BadJSON(ValueError):
    """The data is not acceptable JSON; the text says why, in a sentence."""


def loads(data: bytes | str, *, max_depth: int = MAX_DEPTH) -> object:
    """The value that `data` spells. Raises BadJSON, and nothing else, for data that is refused."""
    text = _text(data)
    _refuse_deep_nesting(text, max_depth)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_short_integer,
        )
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")  # some of the messages already end in it
        raise BadJSON(f"This is not valid JSON: {what} at character {error.pos + 1}.") from None
    if "\\u" in text:  # decoded UTF-8 holds no surrogate and JSON no raw U+0000: only an escape can make one
        _refuse_unstorable(value)
    return value


def _text(data: bytes | str) -> str:
    try:
        if isinstance(data, str):
            data.encode()
            text = data
        else:
            text = data.decode()
    except UnicodeDecodeError as error:
        raise BadJSON(f"The text is not UTF-8: byte {error.start + 1} does not belong.") from None
    except UnicodeEncodeError as error:
        raise BadJSON(f"The text holds a lone surrogate at character {error.start + 1}.") from None
    return text.removeprefix(BYTE_ORDER_MARK)


def _refuse_deep_nesting(text: str, max_depth: int) -> None:
    """Counted before parsing, without recursion: the parser itself would end in a RecursionError."""
    if text.count("[") + text.count("{") <= max_depth:
        return
    depth = 0
    for token in STRING_OR_BRACKET.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > max_depth:
                raise BadJSON(f"The JSON is nested more than {max_depth} levels deep.")
        elif token[0] in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for at, name in enumerate(names) if name in names[:at])
        raise BadJSON(f"The key {_quoted(repeated)} appears twice in one object, so its value is a guess.")
    return members


def _refuse_constant(name: str) -> object:
    raise BadJSON(f"{name} is not a JSON number; use null where there is no value.")


def _finite_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise BadJSON(f"The number {_shortened(digits)} is too large.")
    return value


def _short_integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_INTEGER_DIGITS:
        raise BadJSON(f"An integer has {len(digits):,} digits; at most {MAX_INTEGER_DIGITS} are read.")
    return int(digits)


def _refuse_unstorable(value: object) -> None:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting.extend(part)
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, str) and (found := UNSTORABLE.search(part)):
            what = "a null character (U+0000)" if found[0] == "\x00" else "a lone surrogate"
            raise BadJSON(f"The text {_quoted(part)} holds {what}, which cannot be stored.")


def _quoted(text: str) -> str:
    return json.dumps(_shortened(text))


def _shortened(text: str, length: int = 60) -> str:
    return text if len(text) <= length else f"{text[:length]}..."
