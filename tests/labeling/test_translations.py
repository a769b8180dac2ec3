"""The pages where people judge speak Spanish, too: every text is translated, whole, and compiled."""

import gettext
import re
from collections import Counter

import pytest
from django.conf import settings

from labeling.models import User
from tests.factories import make_item, make_member, make_project
from tools import translations

PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}|</?\w+[^>]*>")
LANGUAGES = [code for code, _name in settings.LANGUAGES[1:]]
each_file = pytest.mark.parametrize(
    ("language", "domain"), [(code, d) for code in LANGUAGES for d in translations.DOMAINS]
)


def forms(text) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


@each_file
def test_every_text_of_the_sources_is_translated_and_nothing_else_is_kept(language, domain):
    catalog = translations.read(translations.file_of(language, domain))
    wanted = {message if isinstance(message, str) else message[0] for message in translations.DOMAINS[domain]()}
    kept = {forms(message.id)[0]: message for message in catalog if message.id}
    assert kept.keys() == wanted, "run `python -m tools.translations`"
    assert [text for text, message in kept.items() if not translations.is_translated(message.string)] == []


@each_file
def test_what_is_filled_in_and_marked_up_is_the_same_in_both(language, domain):
    for message in translations.read(translations.file_of(language, domain)):
        if message.id:
            wanted = Counter(PLACEHOLDER.findall(forms(message.id)[-1]))
            singular, *others = forms(message.string)
            if others or isinstance(message.id, str):  # a singular may say "one" in words
                assert Counter(PLACEHOLDER.findall([singular, *others][-1])) == wanted, message.id


@each_file
def test_what_the_product_reads_is_what_the_translators_wrote(language, domain):
    path = translations.file_of(language, domain)
    with path.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in translations.read(path):
        if isinstance(message.id, str) and message.id:
            assert compiled.gettext(message.id) == message.string
        elif message.id:
            assert compiled.ngettext(*message.id, 2) == message.string[1]


# ---- on the page ----------------------------------------------------------------------------------------------------
@pytest.fixture
def person(db) -> User:
    project = make_project("home")
    make_item(project)
    return make_member(project, "annotator", name="ana")


def page(client, path: str, **headers: str) -> str:
    return client.get(path, headers=headers).content.decode()


def test_a_page_speaks_the_language_of_the_browser_until_its_person_chooses_one(client, person):
    client.force_login(person)
    assert '<html lang="en">' in page(client, "/p/home/annotate/")
    assert '<html lang="es">' in page(client, "/p/home/annotate/", accept_language="es-MX,es;q=0.9")
    User.objects.update(language="es")
    said = page(client, "/p/home/annotate/")
    assert '<html lang="es">' in said and "Aún no espera ninguna página." in said
    User.objects.update(language="en")
    assert '<html lang="en">' in page(client, "/p/home/annotate/", accept_language="es")


def test_a_login_and_a_page_that_is_not_there_speak_as_the_browser_asks(client, db):
    assert "Contraseña" in page(client, "/accounts/login/", accept_language="es")
    assert "Aquí no hay nada" in page(client, "/nowhere/", accept_language="es")


@pytest.mark.django_db
def test_a_page_that_is_not_translated_and_the_api_stay_english(client):
    manager = make_member(make_project("home"), "manager", language="es")
    client.force_login(manager)
    assert '<html lang="en">' in page(client, "/p/home/settings/", accept_language="es")
    answer = client.get("/api/v1/projects/nowhere/", headers={"accept-language": "es"})
    assert "not" in answer.json()["detail"]


def test_the_language_is_chosen_in_ones_own_settings(client, person):
    client.force_login(person)
    client.post("/accounts/preferences/", {"language": "es", "single_keys": "on", "daily_goal": ""})
    person.refresh_from_db()
    assert person.language == "es"
    assert "Mis ajustes" in page(client, "/accounts/preferences/")
