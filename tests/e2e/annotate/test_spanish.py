"""The whole screen in Spanish: what the server writes and what the scripts say."""

import pytest
from playwright.sync_api import expect

from tests.e2e.annotate.screen import WORK, answers, bar, saved, words
from tests.e2e.visitor import axe_findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_spanish_browser_judges_in_spanish(visit, alice, pages):
    visitor = visit(alice, locale="es-ES")
    visitor.excuse("422", "ERR_INTERNET_DISCONNECTED", "htmx:")
    page = visitor.open(WORK)
    expect(page.locator("html")).to_have_attribute("lang", "es")
    visitor.press("Enter")
    expect(page.locator(".errors")).to_contain_text("Elige al menos una etiqueta, o Ninguno de estos temas.")
    visitor.awake()
    visitor.press("g", "Shift+N")
    assert words(visitor) == "Games: sí, News: duda, y no para la otra."
    expect(saved(visitor)).to_have_text("Borrador guardado")
    visitor.press("?")
    expect(page.locator("#keys")).to_contain_text("Enviar y siguiente")
    expect(page.locator("#keys")).to_contain_text("Cerrar, salir del campo")
    visitor.press("Escape")
    assert axe_findings(page) == []
    visitor.context.set_offline(True)
    visitor.press("Enter")
    expect(bar(visitor)).to_contain_text("Sin guardar. Tus marcas siguen aquí. Se vuelve a probar en")
    visitor.context.set_offline(False)
    visitor.sees("Second page")
    assert answers() == [{"games": "yes", "news": "unsure", "self_harm": "no"}]
    visitor.awake()
    visitor.press("0", "Enter")
    visitor.sees("No queda nada para ti")
    expect(visitor.open("/p/keys/mine/").locator("main")).to_contain_text("Games: sí, News: duda")
