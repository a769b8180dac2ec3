"""The browser of the tests: Debian's Chromium, or what stands in for it, driven by playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


class NoBrowser(Exception):
    """There is no Chromium on the PATH; the message says what to do."""


def find() -> str:
    """The path of the browser. Raises NoBrowser."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise NoBrowser(f"Chromium is missing (looked for {', '.join(NAMES)} on the PATH): apt-get install chromium.")


@contextmanager
def running() -> Iterator[Browser]:
    """A browser without a window, closed at the end. Raises NoBrowser."""
    path = find()
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # Chromium refuses its sandbox to root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*sandbox, "--disable-dev-shm-usage"])
        yield browser
        browser.close()
