"""Keywords of a project marked in a page's words: the words stay what they are, and no markup comes in."""

import re

import pytest
from django.utils.html import escape
from hypothesis import example, given
from hypothesis import strategies as st

from labeling import keywords, slots
from labeling.models import Selection
from labeling.views.material import shown
from tests.factories import make_item, make_judgment, make_member, make_project

CASINO = ("casino", "slot", "slot machine")
OURS = re.compile(r'</?mark>|<span class="unseen" data-code="U\+[0-9A-F]{4,6}">|</span>')

any_text = st.text(st.characters(codec="utf-8"))
tricky = st.lists(
    st.sampled_from(["casino", "CAFÉ", "e\u0301", "ß", "ﬁ", "<b>", "&amp;", "\u202e", "\u00ad", " ", "\n", "½"])
)
texts = any_text | tricky.map("".join)


def found(text: str, words=CASINO) -> list[str]:
    return [part for part, is_word in keywords.pieces(text, words) if is_word]


# ---- what is found --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("The Casino, and a CASINO.", CASINO, ["Casino", "CASINO"]),
        ("casinos, minicasino, casino_1", CASINO, []),
        ("A slot\n machine and a slot", CASINO, ["slot\n machine", "slot"]),
        ("Café, cafe, CAFE\u0301", ["café"], ["Café", "cafe", "CAFE\u0301"]),
        ("Straße und STRASSE", ["strasse"], ["Straße", "STRASSE"]),
        ("ca\u200bsi\u00adno", CASINO, ["ca\u200bsi\u00adno"]),
        ("c++ is no c", ["C++"], ["c++"]),
        ("a half is ½", ["1", "2"], []),
        ("казино и КАЗИНО", ["казино"], ["казино", "КАЗИНО"]),
    ],
)
def test_whole_words_are_found_whatever_their_case_and_accents(text, words, expected):
    assert found(text, words) == expected


def test_marks_are_limited():
    assert len(found("casino " * 1000)) == keywords.MOST_MARKS


@given(texts, st.lists(texts, max_size=5))
@example("ß", ["s"])
@example("x\u0301casino", ["casino"])
def test_the_parts_put_together_are_the_text(text, words):
    parts = keywords.pieces(text, words)
    assert "".join(part for part, _ in parts) == text
    assert all(part for part, _ in parts)


@given(texts, st.lists(texts, max_size=5))
@example("<script>casino</script>", ["casino", "<script>"])
@example("a\u202e<b>", ["b"])
def test_without_our_tags_the_html_is_the_escaped_text(text, words):
    assert OURS.sub("", shown(text, words=words)) == escape(text)


def test_what_nobody_sees_is_shown():
    assert shown("pay\u202epal", words=()) == 'pay<span class="unseen" data-code="U+202E">\u202e</span>pal'


# ---- on the page ----------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_the_page_marks_the_words_of_the_project_in_title_and_text(client):
    project = make_project(keywords=["casino"])
    item = make_item(project, title="Casino <news>", text="A casino & more")
    slots.open_up(project, [Selection.objects.create(item=item, stream="import")], overlap=2)
    make_judgment(item, "someone", yes=("games",))
    client.force_login(make_member(project, "annotator"))
    page = client.get(f"/p/{project.slug}/annotate/").content.decode()
    assert "<mark>Casino</mark> &lt;news&gt;" in page and "A <mark>casino</mark> &amp; more" in page
