"""A person at a browser: one context, one page, and everything that went wrong on the way kept in lists."""

import json
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"
ANSWERS_WITHIN_SECONDS = 5
PATIENCE_MS = 30_000  # the first page of a run imports everything, on a machine that may be busy
BLAMED = {"serious", "critical"}

# Two frames until the new page is painted, then the 250 ms in which no key is taken, and a little more.
AWAKE = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 270))))"""
IS_WIDER = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


class Visitor:
    """Opens pages, presses keys, and remembers console errors and requests that left the site."""

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        self.address = address
        self.context = browser.new_context(base_url=address, **({"viewport": {"width": 1280, "height": 800}} | options))
        self.complaints: list[str] = []
        self.strays: list[str] = []
        self.unanswered: set[Request] = set()
        self.excused: tuple[str, ...] = ()
        self.page = self.new_tab()

    def new_tab(self, *, watched: bool = True) -> Page:
        """Another tab of the same browser. One that takes pictures goes unwatched."""
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        if not watched:
            return page
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("request", self._follow)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)
        page.on("close", lambda _: self.unanswered.clear())
        return page

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.location.get('url', '')}: {message.text}")

    def _follow(self, request: Request) -> None:
        self.unanswered.add(request)
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.strays.append(request.url)

    def _answered(self, request: Request) -> None:
        self.unanswered.discard(request)

    def excuse(self, *words: str) -> None:
        """Lines of the console with these words are wanted: a refused request is always written there."""
        self.excused += words

    def unexcused(self) -> list[str]:
        return [line for line in self.complaints if not any(words in line for words in self.excused)]

    def enter(self, person: Any) -> Self:
        """Be logged in as this person, without the form."""
        client = Client()
        client.force_login(person)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        self.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.address}])
        return self

    def log_in(self, username: str, password: str, *, page: Page | None = None) -> Self:
        """Log in as people do, by the form."""
        page = page or self.page
        page.goto("/accounts/login/")
        page.get_by_label("Name", exact=False).first.fill(username)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        expect(page).not_to_have_url(f"{self.address}/accounts/login/")
        return self

    def open(self, path: str) -> Page:
        answer = self.page.goto(path)
        assert answer is not None and answer.ok, f"{path} answered {answer and answer.status}"
        if self.page.locator("[data-work]").count() and self.has_scripts():
            self.awake()
        return self.page

    def has_scripts(self) -> bool:
        return self.page.evaluate("typeof window.htmx") == "object"

    def awake(self) -> None:
        """Wait until the page takes keys."""
        self.page.evaluate(AWAKE)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def sees(self, words: str) -> None:
        """The heading says so: the next page has arrived."""
        expect(self.page.locator("h1")).to_contain_text(words)

    def is_too_wide(self) -> bool:
        return self.page.evaluate(IS_WIDER)

    def leave(self) -> None:
        """Close the browser once all is answered: the server works on without it, and the database is emptied next."""
        until = monotonic() + ANSWERS_WITHIN_SECONDS
        while self.unanswered and self.context.pages and monotonic() < until:
            self.context.pages[0].wait_for_timeout(20)
        self.context.close()


@cache
def axe_source() -> str:
    return AXE.read_text("utf-8")


def axe_findings(page: Page, *rules: str) -> list[str]:
    """Serious and critical violations of the page as it is shown now, one line each; of these rules, or of all."""
    page.evaluate(axe_source())
    found = page.evaluate("(rules) => axe.run({preload: false, ...(rules.length && {runOnly: rules})})", list(rules))
    return [
        f"{urlsplit(page.url).path} {rule['id']}: {json.dumps([node['target'] for node in rule['nodes']][:3])}"
        for rule in found["violations"]
        if rule["impact"] in BLAMED
    ]
