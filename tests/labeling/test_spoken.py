"""Every page a person who judges may open is spoken whole: no text of ours is left that no translation can reach.

The pages are walked in a tongue made for the test, in which whatever went through gettext stands in brackets. All that
was stored is written without a Latin letter, so a Latin word outside of brackets is one that nobody marked.
"""

import re
from datetime import timedelta
from types import SimpleNamespace

import html5lib
import pytest
from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import trans_real

from labeling import flags, invites, person_quality
from labeling.models import Draft, Honeypot, Label, Purpose, Skip
from labeling.person_quality import Own
from labeling.quality.intervals import Estimate
from labeling.repeats import Consistency
from tests.factories import make_assignment, make_item, make_judgment, make_member, make_project
from tests.full_house import named_patterns
from tools import translations

pytestmark = pytest.mark.django_db
SPOKEN = ("aria-label", "alt", "title", "placeholder", "data-key-name", "data-saving")
UNHEARD = ("script", "style", "kbd", "code", "template")
# Names, keys and units that are the same in every language, and what stands between day and month in Spanish.
SAME = re.compile(r"\b(Touchstone|UTC|de|Enter|Esc|Shift|English|Español)\b")
WORD = re.compile(r"[A-Za-z]{2,}")
# Pages that stay English as a whole: what programs are set up with, jobs, and the figures of everybody, of which a
# person who judges sees their own row (what they need of it is said under My work, in their language).
ENGLISH = {"accounts:tokens", "labeling:jobs", "labeling:annotators", "labeling:pairs", "labeling:pair"}


# ---- the tongue -----------------------------------------------------------------------------------------------------
@pytest.fixture
def tongue(monkeypatch):
    """What was looked up stands in brackets."""
    for name in ("gettext", "ngettext"):
        plain = getattr(trans_real.DjangoTranslation, name)

        def bracketed(self, *said, plain=plain):
            found = plain(self, *said)
            return found if "\x04" in said[0] else f"⟦{found}⟧"

        monkeypatch.setattr(trans_real.DjangoTranslation, name, bracketed)


def outside_brackets(text: str) -> str:
    kept, depth = [], 0
    for letter in text:
        depth += {"⟦": 1, "⟧": -1}.get(letter, 0)
        if depth == 0 and letter != "⟧":
            kept.append(letter)
    assert depth == 0, f"half a text: {text}"
    return "".join(kept)


def texts_of(html: str) -> list[str]:
    """What a reader sees and a screen reader says: the whole text once, then each spoken attribute."""
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    said, attributes = [], []

    def walk(element):
        if element.tag in UNHEARD or element.get("dir") == "ltr":
            return
        attributes.extend(element.get(name) for name in SPOKEN if element.get(name))
        said.append(element.text or "")
        for child in element:
            if isinstance(child.tag, str):
                walk(child)
            said.append(child.tail or "")

    walk(tree)
    return ["\n".join(said), *attributes]


def unmarked(html: str) -> list[str]:
    """The Latin words of a page that no translation can reach, line by line."""
    lines = [line for text in texts_of(html) for line in outside_brackets(text).splitlines()]
    return [line.strip() for line in lines if WORD.search(SAME.sub("", line))]


# ---- the house ------------------------------------------------------------------------------------------------------
@pytest.fixture
def house():
    """A project in Greek, and somebody who has something of everything there."""
    project = make_project("1-2", labels=(), name="Έργο", help_text="Βοήθεια", help_contact="30", ask_confidence=True)
    Label.objects.bulk_create(
        Label(schema=project.schema, key=f"label{n}", name="αβγδ"[n], definition="ορισμός", position=n,
              shortcut="xyzw"[n], severity=1 + n, parent="label0" if n == 1 else "")
        for n in range(4)
    )  # fmt: skip
    person = make_member(project, "annotator", name="Άννα", language="es", daily_goal=40)
    boss = make_member(project, "manager", name="Νίκος")
    pages = iter(range(1, 99))

    def page(**more):
        return make_item(project, f"https://10.0.0.{next(pages)}/7", title="Τίτλος", **more)

    answers = [make_judgment(page(), person, yes=yes, active_seconds=30) for yes in ((), ["label0"]) * 3]
    told = [flags.raise_flag(answers[n].item, by=person, kind=kind, label="label2", text="Τι;")
            for n, kind in enumerate(("broken", "guideline", "comment"))]  # fmt: skip
    flags.resolve(told[0], by=boss, text="Ναι")
    flags.comment(told[1], by=boss, text="Όχι")
    begun = page()
    Draft.objects.create(
        annotator=person, item=begun, answer={"yes": ["label0"], "unsure": ["label2"]}, saved_at=timezone.now()
    )
    Draft.objects.create(annotator=person, item=page(), answer={}, saved_at=timezone.now())
    make_assignment(project, begun)
    make_assignment(project, page(), purpose=Purpose.REJUDGE, assigned_to=person)
    Skip.objects.create(item=page(), round=1, annotator=person, reason="rather_not")
    held = make_assignment(project, page(text="Κείμενο"), leased_to=person, asked=["label0", "label1"],
                           expires_at=timezone.now() + timedelta(minutes=10))  # fmt: skip
    _, secret = invites.create(project, role="viewer", note="", by=boss)
    kwargs = {
        "slug": [project.slug], "judgment_id": [answers[0].pk], "flag_id": [flag.pk for flag in told],
        "public_id": [held.item.public_id], "secret": [secret, "0"], "assignment_id": [held.pk],
        "uidb64": [urlsafe_base64_encode(force_bytes(person.pk))],
        "token": [default_token_generator.make_token(person), "0"],
    }  # fmt: skip
    return SimpleNamespace(project=project, person=person, held=held, told=told, answers=answers, kwargs=kwargs)


@pytest.fixture
def known(monkeypatch, house):
    """Figures and an example, as a person with weeks of work has them."""
    half = Estimate(0.5, 0.25, 0.75, n=30)
    label = SimpleNamespace(
        name="α", found=SimpleNamespace(same=half, kappa=Estimate(None, None, None, n=3, reason="x"))
    )
    missed = SimpleNamespace(missed=("label0", "label1"))
    page = Honeypot(item=house.held.item, schema=house.project.schema, verdicts={"label0": "yes", "label1": "no"})
    monkeypatch.setattr(person_quality, "shown_to", lambda *_: Own(half, [(missed, page)], Consistency(half, [label])))


def browser_of(person=None) -> Client:
    client = Client(headers={"accept-language": "es"})
    if person:
        client.force_login(person)
    return client


def pages(house, client):
    """(name, HTML) of every page of the product this browser can open."""
    for name, pattern in named_patterns():
        parts = pattern.pattern.converters
        if name.startswith(("api:", "learning_api:")) or not set(parts) <= set(house.kwargs):
            continue
        for n in range(max((len(house.kwargs[part]) for part in parts), default=1)):
            filled = {part: house.kwargs[part][n % len(house.kwargs[part])] for part in parts}
            answer = client.get(reverse(name, kwargs=filled), follow=True)
            if answer.status_code in {200, 404} and answer.headers.get("Content-Type", "").startswith("text/html"):
                yield name, answer.content.decode()


def found_on(walked) -> dict[str, list[str]]:
    """{page: what nobody marked there}; a page in English must be one of those that are."""
    wrong = {}
    for name, html in walked:
        if '<html lang="en">' in html:
            wrong |= {} if name in ENGLISH else {name: ["in English"]}
        elif lines := unmarked(html):
            wrong[name] = lines
    return wrong


# ---- the walk -------------------------------------------------------------------------------------------------------
def test_every_page_of_a_person_who_judges_is_spoken_whole(tongue, house, known):
    walked = list(pages(house, browser_of(house.person)))
    assert len({name for name, _ in walked}) > 15
    assert found_on(walked) == {}


def test_every_page_of_a_stranger_is_spoken_whole(tongue, house):
    assert found_on(pages(house, browser_of())) == {}


@pytest.mark.parametrize("comfort", [{"shows_figures": False, "cover_pages": True, "single_keys": False}, {}])
def test_so_is_a_day_without_anything(tongue, house, comfort):
    new = make_member(house.project, "annotator", name="Ζωή", language="es", **comfort)
    house.kwargs |= {"slug": [house.project.slug]}
    assert found_on(pages(house, browser_of(new))) == {}
    alone = make_member(make_project("3", labels=(), name="Άλλο"), "annotator", name="Μία", language="es")
    house.kwargs = {"slug": ["3"]}
    assert found_on(pages(house, browser_of(alone))) == {}


def test_what_is_refused_is_refused_in_the_same_tongue(tongue, house):
    client, slug = browser_of(house.person), house.project.slug
    url = {name: reverse(f"labeling:{name}", args=[slug, house.held.pk]) for name in ("submit", "skip", "flag_raise")}
    thread = reverse("labeling:flag", args=[slug, house.told[2].pk])
    sent = [
        (url["submit"], {}),
        (url["submit"], {"none": "1", "note": "α" * 3000}),
        (url["skip"], {"reason": "7"}),
        (url["flag_raise"], {"kind": "guideline"}),
        (url["flag_raise"], {"kind": "comment", "text": ""}),
        (url["flag_raise"], {"kind": "7"}),
        (url["flag_raise"], {"kind": "broken"}),
        (f"{thread}comment/", {"text": ""}),
        (f"{thread}comment/", {"text": "α" * 3000}),
        (reverse("labeling:letters", args=[slug]), {"label0": "x", "label2": "x"}),
        (reverse("labeling:opt_outs", args=[slug]), {"opted_out": "7"}),
        (reverse("labeling:change", args=[slug, house.answers[0].pk]), {"version": "7", "none": "1"}),
        ("/accounts/preferences/", {"email": "7", "daily_goal": "-1"}),
        ("/accounts/password/", {"old_password": "7", "new_password1": "1", "new_password2": "2"}),
    ]
    wrong = {}
    for path, values in sent:
        for headers in ({}, {"HX-Request": "true"}):
            html = client.post(path, values, headers=headers, follow=True).content.decode()
            if lines := unmarked(html):
                wrong[path, *values] = lines
    assert wrong == {}


def test_a_word_nobody_marked_is_found():
    planted = (
        '<p>⟦Hola⟧</p><p>Hello there</p><b title="Two words">⟦a <i>b</i> c⟧</b><kbd>Enter</kbd><q dir="ltr">host</q>'
    )
    assert unmarked(planted) == ["Hello there", "Two words"]


# ---- scripts --------------------------------------------------------------------------------------------------------
LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`')
COMMENT = re.compile(r"/\*.*?\*/|(?:^|(?<=\s))//[^\n]*", re.S)
FILLED_IN = re.compile(r"\$\{[^}]*\}")
FOR_PEOPLE = re.compile(r"[A-Z]?[a-z]+[,:]?( [a-z]+[,.:;]?)+")  # words in a row: no selector, no header, no key


def unmarked_in_script(source: str) -> list[str]:
    """Texts of a module that read like a sentence and do not go through t()."""
    bare = COMMENT.sub("", source)
    texts = [(bare[: found.start()].rstrip(), found[0][1:-1]) for found in LITERAL.finditer(bare)]
    said = [text for before, text in texts if not before.endswith(("t(", "from")) and "{ passive" not in text]
    return [text for text in said if FOR_PEOPLE.fullmatch(FILLED_IN.sub("", text).strip(" .?!"))]


@pytest.mark.parametrize("name", ["annotate.js", "work.js", "keys.js"])
def test_the_scripts_of_the_work_say_nothing_that_is_not_marked(name):
    source = (translations.ROOT / "static" / "touchstone" / name).read_text("utf-8")
    assert unmarked_in_script(source) == []
    assert unmarked_in_script(f'{source}\nbutton("Keep what is here", send);') == ["Keep what is here"]
