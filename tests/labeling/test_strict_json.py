"""JSON is read strictly: the RFC's own corpus, what other parsers let pass, and anything at all."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.strict_json import BadJSON, loads
from tests.corpora import records, redos_strings

SUITE = {r["name"]: r for r in records("third_party/json_test_suite.jsonl") if r.get("b64") is not None}
# RFC 8259 leaves repeated keys to the reader, and the suite's authors accept these; here a repeated key is refused.
REPEATED_KEYS = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}
# Legal escapes of characters that PostgreSQL text cannot store.
NULL_CHARACTERS = {"y_object_escaped_null_in_key.json", "y_string_null_escape.json"}
REFUSED_ON_PURPOSE = REPEATED_KEYS | NULL_CHARACTERS

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), inner)
    ),
)


@pytest.mark.parametrize("name", SUITE)
def test_agrees_with_the_json_test_suite(name):
    verdict, data = SUITE[name]["verdict"], base64.b64decode(SUITE[name]["b64"])
    accepted = is_accepted(data)
    if name.rpartition("/")[2] in REFUSED_ON_PURPOSE:
        assert not accepted
    elif verdict in ("accept", "reject"):
        assert accepted == (verdict == "accept")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"a": 1, "b": 2, "a": 1}', 'The key "a" appears twice in one object, so its value is a guess.'),
        ('{"score": NaN}', "NaN is not a JSON number; use null where there is no value."),
        ('{"score": -Infinity}', "-Infinity is not a JSON number; use null where there is no value."),
        ("1e999999", "The number 1e999999 is too large."),
        ('["a\\u0000b"]', 'The text "a\\u0000b" holds a null character (U+0000), which cannot be stored.'),
        ('{"\\ud800": 1}', 'The text "\\ud800" holds a lone surrogate, which cannot be stored.'),
        ("9" * 50_000, "An integer has 50,000 digits; at most 400 are read."),
        ("[" * 100_000 + "]" * 100_000, "The JSON is nested more than 64 levels deep."),
        ("[" * 100_000, "The JSON is nested more than 64 levels deep."),
        ('{"a": 1} {"b": 2}', "This is not valid JSON: Extra data at character 10."),
        (b'"\xff"', "The text is not UTF-8: byte 2 does not belong."),
        ('"\ud800"', "The text holds a lone surrogate at character 2."),
        ("", "This is not valid JSON: Expecting value at character 1."),
    ],
)
def test_says_why_it_refuses(text, sentence):
    with pytest.raises(BadJSON) as refusal:
        loads(text)
    assert str(refusal.value) == sentence


def test_a_byte_order_mark_at_the_start_is_ignored():
    assert loads(b"\xef\xbb\xbf{}") == {}


def test_a_second_byte_order_mark_is_refused():
    with pytest.raises(BadJSON):
        loads(b"\xef\xbb\xbf\xef\xbb\xbf{}")


def test_nesting_up_to_the_limit_is_read():
    assert loads("[" * 64 + "]" * 64)
    with pytest.raises(BadJSON):
        loads("[" * 65 + "]" * 65)


def test_brackets_inside_strings_are_not_nesting():
    text = "[" * 500 + '\\"' + "{" * 500
    assert loads(f'["{text}"]') == ["[" * 500 + '"' + "{" * 500]


def test_a_pair_of_surrogate_escapes_is_one_character():
    assert loads('"\\ud83d\\ude00"') == "\U0001f600"


def test_an_escaped_backslash_before_u0000_is_not_a_null_character():
    assert loads('"\\\\u0000"') == "\\u0000"


@given(json_values)
def test_what_json_can_write_is_read_back(value):
    assert loads(json.dumps(value), max_depth=200) == value


@given(st.binary() | st.text() | st.text('[]{}",:\\u0d8e1-NaIf '))
def test_nothing_but_bad_json_is_ever_raised(data):
    is_accepted(data)


@pytest.mark.parametrize("text", redos_strings())
def test_strings_made_to_be_slow_are_read(text):
    assert loads(json.dumps(text)) == text
    is_accepted(text)


def is_accepted(data):
    try:
        loads(data)
    except BadJSON:
        return False
    return True
