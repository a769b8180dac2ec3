"""What opening the annotate page costs a browser that has nothing of it: requests, and bytes on the wire.

The page asks thirty labels, each explained in full, about a long text. Served from this process, with the static files
hashed and compressed beforehand, as `./touchstone up` prepares them.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.core.management import call_command
from django.test import Client, override_settings
from playwright.sync_api import Browser

from benchmarks.figures import Figure, at_most
from benchmarks.rows import make_annotator
from labeling import projects, publishing, slots
from labeling.models import Project, Selection
from tests import chromium
from tests.factories import make_item
from tests.real_http import serving

N_LABELS = 30
MEANING = "A page counts when most of what it says is about this, whoever speaks and whatever they want to sell."
TEXT = "Words of the page, as a visitor would have read them on that day. " * 120
IN_ENGLISH = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}}


@dataclass(frozen=True, slots=True)
class Visit:
    """Where an annotator goes, and the cookie that says who it is."""

    path: str
    session: str


def measure() -> Iterator[Figure]:
    visit = prepare()  # before there is a browser: its loop keeps this thread from the database
    with chromium.running() as browser:
        yield from weigh(browser, visit)


def prepare() -> Visit:
    project, client = wordy_project(), Client()
    client.force_login(make_annotator(project))
    return Visit(f"/p/{project.slug}/annotate/", client.cookies[settings.SESSION_COOKIE_NAME].value)


def weigh(browser: Browser, visit: Visit) -> Iterator[Figure]:
    with compressed_files(), serving() as (host, port):
        fetched = fetch(browser, f"http://{host}:{port}", visit)
    yield at_most("annotate page, cold: requests", len(fetched), 8, digits=0)
    yield at_most("annotate page, cold: on the wire", sum(fetched.values()) / 1000, 120, "KB", digits=1)
    pages = [size for url, size in fetched.items() if "/static/" not in url]
    yield Figure("annotate page, cold: of it the page itself", sum(pages) / 1000, "KB")


def wordy_project() -> Project:
    project = projects.create({"name": "Weighed"}, by=None)
    labels = tuple(
        publishing.LabelDraft(
            key=f"label_{number:02}", name=f"Label number {number}", definition=MEANING, includes=(MEANING,),
            excludes=(MEANING,), examples=(MEANING, MEANING), near_misses=(MEANING, MEANING), severity=1 + number % 4,
        )
        for number in range(N_LABELS)
    )  # fmt: skip
    publishing.publish(project, publishing.Draft(labels=labels), by=None)
    item = make_item(project, title="A page among many", text=TEXT)
    slots.open_up(project, [Selection.objects.create(item=item, stream="import")], overlap=1)
    return project


@contextmanager
def compressed_files() -> Iterator[None]:
    """Our static files as `./touchstone up` lays them out; those of the admin's pages and the API's are left out."""
    with tempfile.TemporaryDirectory(prefix="touchstone-static-") as folder:
        hashed = {"staticfiles": {"BACKEND": "config.static.HashedStaticFiles"}}
        with override_settings(
            STORAGES={**settings.STORAGES, **hashed}, STATIC_ROOT=folder, WHITENOISE_USE_FINDERS=False,
            STATICFILES_FINDERS=["django.contrib.staticfiles.finders.FileSystemFinder"],
        ):  # fmt: skip
            call_command("collectstatic", interactive=False, verbosity=0)
            yield


def fetch(browser: Browser, address: str, visit: Visit) -> dict[str, int]:
    """{address: bytes received for it, headers included} of everything the page asks for, from an empty cache."""
    context = browser.new_context(base_url=address, **IN_ENGLISH)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": visit.session, "url": address}])
    page = context.new_page()
    wire = context.new_cdp_session(page)
    asked: dict[str, str] = {}
    sizes: dict[str, int] = {}
    wire.on("Network.requestWillBeSent", lambda said: asked.setdefault(said["requestId"], said["request"]["url"]))
    wire.on("Network.loadingFinished", lambda said: sizes.update({said["requestId"]: said["encodedDataLength"]}))
    wire.send("Network.enable")
    page.goto(visit.path, wait_until="networkidle")
    context.close()
    return {url: sizes[request] for request, url in asked.items() if not url.startswith("data:")}
