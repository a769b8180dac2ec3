"""Addresses are read as browsers read them, and each refusal is a sentence."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.weburls import BadURL, display_of, parse, registrable_domain, unicode_host
from tests.corpora import BAD_INPUTS, records, redos_strings

URLS = {record["id"]: record for record in records("urls.jsonl")}
PAIRS = {record["id"]: record for record in records("url_equivalence.jsonl")}
WPT = [
    case
    for case in json.loads((BAD_INPUTS / "third_party/wpt_urltestdata.json").read_bytes())
    if isinstance(case, dict)
]
ABSOLUTE = {case["input"]: case for case in WPT if case.get("base") in (None, "about:blank")}
BAD_PUNYCODE = json.loads((BAD_INPUTS / "third_party/bad_punycode_tests.json").read_bytes())

# Marks that say how the text was read; they do not make an address suspicious.
NOTES = {"trailing_dot", "control_characters", "scheme_assumed"}


@pytest.mark.parametrize("case", URLS)
def test_each_address_of_the_corpus_meets_its_verdict(case):
    record = URLS[case]
    assert record["verdict"] in (verdict_on(record["input"]), "either")


@pytest.mark.parametrize("case", [case for case in URLS if URLS[case]["verdict"] in ("accept", "flag")])
def test_the_key_is_what_a_browser_gives_and_the_raw_text_is_kept(case):
    url = parse(URLS[case]["input"])
    assert (url.key, url.raw) == (URLS[case]["whatwg_key"], URLS[case]["input"])


@pytest.mark.parametrize("pair", PAIRS)
def test_two_spellings_are_one_item_exactly_when_they_should_be(pair):
    a, b = parse(PAIRS[pair]["a"]), parse(PAIRS[pair]["b"])
    assert (a.public_id == b.public_id) is PAIRS[pair]["same_item"]


@pytest.mark.parametrize("text", ABSOLUTE)
def test_agrees_with_the_web_platform_tests(text):
    case = ABSOLUTE[text]
    readable = not case.get("failure") and case["protocol"] in ("http:", "https:") and "\x00" not in text
    if readable and not case["username"] and not case["password"]:
        assert parse(text).key == case["href"].partition("#")[0]
    else:
        assert verdict_on(text) == "reject"


@pytest.mark.parametrize("case", BAD_PUNYCODE, ids=lambda case: case["description"])
def test_hosts_that_punycode_cannot_hold_are_refused(case):
    assert verdict_on(f"https://{case['decoded']}.org/") == "reject"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The address is empty."),
        (" \t ", "The address is empty."),
        ("http://", "The address has no host."),
        ("http://:80/", "The address has no host."),
        ("example.org/path", "The address does not start with http:// or https://."),
        ("javascript:alert(1)", "Only http and https pages can be judged."),
        ("ftp://exa mple/", "Only http and https pages can be judged."),
        ("https://anna@example.org/", "The address contains a user name or a password."),
        ("https://example.org/\x00", "The address contains a null character."),
        ("https://example.org/\udfff", "The address contains a lone surrogate, which is half of a character."),
        ("https://example.org/" + "a" * 16_384, "The address is longer than 16,384 bytes."),
        ("https://example.org/" + "é" * 5_000, "The address is longer than 16,384 bytes in its canonical form."),
        ("https://example.org:65536/", "The port of the address is not a number from 0 to 65,535."),
        ("https://exa mple.org/", "The host of the address is not a valid name or IP address."),
        (f"https://{'a.' * 130}com/", "The host is longer than 253 characters."),
        (f"https://{'é.' * 60}com/", "The host is longer than 253 characters."),
        (f"https://{'a' * 254}./", "The host is longer than 253 characters."),
    ],
)
def test_says_why_it_refuses(text, sentence):
    with pytest.raises(BadURL) as refusal:
        parse(text)
    assert str(refusal.value) == sentence


def test_an_address_of_exactly_the_longest_size_is_read():
    longest = "https://example.org/".ljust(16_384, "a")
    assert parse(longest).key == longest


@pytest.mark.parametrize("end", ["", "."])
def test_a_host_as_long_as_a_name_may_be_is_read(end):
    host = ".".join(["a" * 49] * 5) + ".org"
    assert len(host) == 253
    assert parse(f"https://{host}{end}/").host == host + end


def test_the_public_id_is_the_first_half_of_the_digest_of_the_key():
    assert parse("HTTP://Example.org").public_id == hashlib.sha256(b"http://example.org/").hexdigest()[:32]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("example.org/path", "https://example.org/path"),
        ("//example.org/path", "https://example.org/path"),
        (" www.example.org", "https://www.example.org/"),
        ("example.org:8080/x", "https://example.org:8080/x"),
        ("localhost:3000", "https://localhost:3000/"),
        ("192.0.2.1", "https://192.0.2.1/"),
        ("münchen.example?q", "https://xn--mnchen-3ya.example/?q"),
    ],
)
def test_an_address_without_a_scheme_is_completed_when_the_caller_says_so(text, key):
    url = parse(text, assume_scheme="https")
    assert (url.key, url.raw) == (key, text)
    assert "scheme_assumed" in url.flags


def test_an_address_with_a_scheme_is_not_completed():
    assert parse("http://example.org/", assume_scheme="https").flags == ()


@pytest.mark.parametrize(
    "text",
    ["mailto:x", "host:8080/x", "javascript:1", "tel:112", "a@example.org", "=SUM(1.5)", "3.14", "e.g. this", "-2+3"],
)
def test_what_is_no_address_is_not_completed_into_one(text):
    with pytest.raises(BadURL):
        parse(text, assume_scheme="https")


def test_only_web_schemes_can_be_assumed():
    with pytest.raises(ValueError, match="assume_scheme is 'ftp'"):
        parse("example.org", assume_scheme="ftp")


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("https://8.8.8.8/", ("ip_address",)),
        ("https://[2606:4700::1111]/", ("ip_address",)),
        ("https://169.254.169.254/", ("ip_address", "private_host")),
        ("https://100.100.100.200/", ("ip_address", "private_host")),
        ("https://224.0.0.1/", ("ip_address", "private_host")),
        ("https://192.88.99.1/", ("ip_address", "private_host")),
        ("https://[64:ff9b::a9fe:a9fe]/", ("ip_address", "private_host")),
        ("https://[2002:7f00:1::]/", ("ip_address", "private_host")),
        ("https://[fec0::1]/", ("ip_address", "private_host")),
        ("https://intranet/", ("private_host",)),
        ("https://printer.local/", ("private_host",)),
        (
            "https://\u0430\u0440\u0440\u04cf\u0435.com/",
            ("confusable_host",),
        ),  # Cyrillic letters alone that read "apple"
        ("https://faceboo\u0138.com/", ("confusable_host",)),
        ("https://example.com\u2044evil.org/", ("confusable_host",)),
        ("https://москва.рф/", ()),
        ("https://сом.рф/", ()),
        ("https://яндекс.com/", ()),
        ("https://mañana.es/", ()),
        ("https://ışık.tr/", ()),
        ("https://例え.テスト/", ()),
        ("https://שלום.co.il/", ("bidi",)),
        ("https://example.org/%e2%80%ae", ("bidi",)),
        ("https://example.org/#\u202e", ("bidi",)),
        ("https://example..org/", ("odd_host",)),
        ("https://-example.org/", ("odd_host",)),
        (f"https://{'a' * 64}.org/", ("odd_host",)),
        ("https://a_b.example.org:8443/", ()),
        ("https://example.org./", ("trailing_dot",)),
        ("https://example.org/a\tb", ("control_characters",)),
        ("\thttps://example.org/\r\n", ()),
    ],
)
def test_marks_what_must_be_shown_inert(text, flags):
    assert parse(text).flags == flags


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://example.org/a/b?pupil=anna#top", "example.org/a/b?…"),
        ("https://example.org:8443/", "example.org:8443/"),
        ("https://example.org/a%2Fb", "example.org/a%2Fb"),
        ("https://example.org/~anna/cv", "example.org/~…/cv"),
        ("https://example.org/~anna?x=@b", "example.org/~…?…"),
        ("https://example.org/a?", "example.org/a?"),
        ("https://example.org/%7eanna", "example.org/%7e…"),
        ("https://example.org/@anna/1", "example.org/@…/1"),
        ("https://example.org/to/anna@school.example/1", "example.org/to/…@school.example/1"),
        ("https://аpple.com/", "xn--pple-43d.com/"),
    ],
)
def test_what_people_see_hides_the_query_and_names_of_persons(text, shown):
    assert parse(text).display == shown


def test_a_project_may_show_the_whole_address():
    assert display_of("https://example.org/~anna?pupil=1", show_query=True) == "example.org/~anna?pupil=1"


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("xn--mnchen-3ya.example", "münchen.example"),
        ("example.org", None),
        ("xn--pple-43d.com", None),
        ("xn--9dbne9b.co.il", None),
    ],
)
def test_the_own_script_of_a_host_is_shown_only_where_it_cannot_deceive(host, shown):
    assert unicode_host(host) == shown


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("a.b.example.co.uk", "example.co.uk"),
        ("www.example.org.", "example.org"),
        ("anna.github.io", "anna.github.io"),
        ("www.anna.github.io", "anna.github.io"),
        ("github.io", "github.io"),
        ("com", "com"),
        ("www.ck", "www.ck"),
        ("localhost", "localhost"),
        ("192.0.2.1", "192.0.2.1"),
        ("[::1]", "[::1]"),
        ("example..org", "example..org"),
        (".", "."),
        ("www.xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
    ],
)
def test_the_registrable_domain_knows_public_and_private_suffixes(host, domain):
    assert registrable_domain(host) == domain


hosts = st.from_regex(r"[\w.-]{1,20}", fullmatch=True) | st.sampled_from(
    ["example.org", "[::1]", "127.1", "xn--a", "ß.de"]
)
addresses = st.builds("{}{}{}".format, st.sampled_from(["http://", "HTTPS:\\", "//", ""]), hosts, st.text(max_size=30))


@given(addresses | st.text(), st.sampled_from([None, "https"]))
def test_reading_is_idempotent_and_fails_only_as_a_bad_url(text, scheme):
    try:
        url = parse(text, assume_scheme=scheme)
    except BadURL:
        return
    again = parse(url.key)
    assert (again.key, again.host, again.public_id) == (url.key, url.host, url.public_id)
    assert url.display.isprintable()
    assert url.key.isascii()


@pytest.mark.parametrize("text", redos_strings())
@pytest.mark.parametrize("before", ["", "https://", "https://example.org/", "https://example.org/?"])
@pytest.mark.timeout(60)
def test_strings_made_to_be_slow_are_read(before, text):
    for length in (16_000, 5_000, 250):
        verdict_on(before + text[:length], assume_scheme="https")


def verdict_on(text, **options):
    try:
        url = parse(text, **options)
    except BadURL:
        return "reject"
    return "flag" if set(url.flags) - NOTES else "accept"
