"""Take the README's pictures anew, from a fresh demo in a folder of its own.

    .venv/bin/python -m tools.screenshots [FOLDER]

Needs what the tests need (`./touchstone test` or `./touchstone lint` installs it) and Chromium. Nobody's data is
touched: the demo is made in a temporary folder, on a free port, and goes when the pictures are taken.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect

from labeling import weburls
from tests import chromium
from tests.e2e.visitor import Visitor

REPOSITORY = Path(__file__).resolve().parent.parent
HOME = "/p/homepages"
# Both are real pages of the demo; tests/labeling/intake/test_demo.py keeps them where the steps below look for them.
JUDGED = "www.hevercastle.co.uk"  # one of the pages the demo asks about
SETTLED = "https://www.tolkientrail.com/"  # one of the pages on which the study's workers disagree
MAX_SKIPS = 100


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with fresh_demo() as (address, passwords), chromium.running() as browser:

        def enter(name: str) -> Visitor:
            return Visitor(browser, address, reduced_motion="reduce").log_in(name, passwords[name])

        see_overview(enter("manager"), folder / "overview.png")
        judge(enter("annotator"), folder / "annotate.png")
        settle(enter("adjudicator"), folder / "adjudicate.png")


# ---- what is done before each picture -------------------------------------------------------------------------------
def see_overview(manager: Visitor, picture: Path) -> None:
    """As a manager finds it, before anybody did anything."""
    manager.open(f"{HOME}/")
    manager.page.screenshot(path=picture)


def judge(annotator: Visitor, picture: Path) -> None:
    """Skip until the page wanted comes, tick Recreation, be unsure about Society, and wait until the draft is saved."""
    page = annotator.open(f"{HOME}/annotate/")
    host = page.locator(".material .where b")
    for _ in range(MAX_SKIPS):
        if host.inner_text() == JUDGED:
            break
        leaving = page.locator("[data-work]").get_attribute("data-work")
        annotator.press("5")
        expect(page.locator(f'[data-work="{leaving}"]')).to_have_count(0)
        annotator.awake()
    expect(host).to_have_text(JUDGED)
    annotator.press("r", "Shift+S")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.screenshot(path=picture)


def settle(adjudicator: Visitor, picture: Path) -> None:
    """Open one case and decide its first two labels by key."""
    page = adjudicator.open(f"{HOME}/adjudicate/{weburls.parse(SETTLED).public_id}/")
    adjudicator.press("y", "n")
    expect(page.get_by_text("2 of 8 decided")).to_be_visible()
    page.screenshot(path=picture)


# ---- where it happens -----------------------------------------------------------------------------------------------
@contextmanager
def fresh_demo() -> Iterator[tuple[str, dict[str, str]]]:
    """`./touchstone up` on a new data folder and a free port: its address, and the password of each account."""
    with tempfile.TemporaryDirectory(prefix="touchstone-demo-") as data:
        up = subprocess.Popen(
            [REPOSITORY / "touchstone", "up", "--port", "0"],
            env={**without_settings(os.environ), "TOUCHSTONE_DATA": data}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            yield address_of(up), passwords_in(Path(data))
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(timeout=60)


def without_settings(environ: os._Environ[str]) -> dict[str, str]:
    """A database or broker that this shell names is not the demo's."""
    return {name: value for name, value in environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}


def address_of(up: subprocess.Popen[str]) -> str:
    """Wait for the line that names the address, and keep reading behind it."""
    assert up.stdout is not None
    for line in up.stdout:
        if "is ready at " in line:
            return line.split("is ready at ")[1].split()[0].rstrip("/")
    sys.exit("The demo did not start; what it said stands above.")


def passwords_in(data: Path) -> dict[str, str]:
    return {account["username"]: account["password"] for account in json.loads((data / "accounts.json").read_text())}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "docs" / "screenshots")
