"""The whole day, as a team lives it: pages in, answers, a decision, a model, a gold sample, a release anyone can check.

Real parts only: PostgreSQL, a broker, a worker process, Chromium. Nothing is written past the pages.
"""

import csv
import io
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from labeling import verification
from labeling.models import Adjudication, Assignment, Consensus, Judgment, Selection, State
from tests.e2e.album import Album
from tests.e2e.visitor import Visitor
from tests.factories import make_member, make_project

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
]

JOB_MS = 60_000
HOME = "/p/day"
# Title, text, and which letters the two annotators press. The last kind is where they disagree.
KINDS = {
    "Arcade": ("Play free games, puzzles and racing games online", ("g", "g")),
    "Gazette": ("Daily news, politics, weather and sport reports", ("n", "n")),
    "Bakery": ("Bread and cakes baked every morning in our village", ("0", "0")),
    "Clan forum": ("News about games, and games for readers of news", ("g", "n")),
}
QUEUED, POOL = range(12), range(12, 60)


def title(number: int) -> str:
    return f"{list(KINDS)[number % len(KINDS)]} {number}"


def file_of(numbers: range, *, extra: tuple[str, ...] = ()) -> bytes:
    lines = io.StringIO()
    rows = csv.writer(lines)
    rows.writerow(["url", "title", "text"])
    for number in numbers:
        kind = title(number).rsplit(" ", 1)[0]
        rows.writerow([f"https://www.site{number}.example/{kind.split()[0].lower()}/", title(number), KINDS[kind][0]])
    for url in extra:
        rows.writerow([url, "", ""])
    return lines.getvalue().encode()


# ---- what people do -------------------------------------------------------------------------------------------------
def import_pages(manager: Visitor, name: str, content: bytes, *, queue: bool) -> Page:
    """Upload the file, and watch until the page itself says what became of the rows."""
    page = manager.open(f"{HOME}/items/import/")
    page.get_by_label("A file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    page.get_by_label("Have every new page judged").set_checked(queue)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("link", name="Import another list")).to_be_visible(timeout=JOB_MS)
    return page


def judge_all(visitor: Visitor, who: int) -> int:
    """Answer by keyboard every page this person is given; returns how many."""
    page = visitor.open(f"{HOME}/annotate/")
    n_answers = 0
    while page.locator("#page-title").count():
        heading = page.locator("#page-title .words").inner_text()
        _, keys = KINDS[heading.rsplit(" ", 1)[0]]
        answered = page.locator("[data-work]").get_attribute("data-work")
        visitor.press(keys[who], "Enter")
        # By its slot, not by its title: a gold sample may ask about a page that was answered before.
        page.locator(f'[data-work="{answered}"]').wait_for(state="detached")
        visitor.awake()
        n_answers += 1
    visitor.sees("Nothing left for you")
    return n_answers


def decide_all(visitor: Visitor) -> int:
    """Decide every open case: games yes, news no, the first cause."""
    page = visitor.open(f"{HOME}/adjudicate/")
    n_decisions = 0
    while page.locator("#page-title").count():
        decided = page.locator("[data-work]").get_attribute("data-work")
        while not page.get_by_text("All decided.").count():
            visitor.press("y" if page.locator(".case.now .name").inner_text() == "Games" else "n")
        visitor.press("1", "Enter")
        page.locator(f'[data-work="{decided}"]').wait_for(state="detached")
        visitor.awake()
        n_decisions += 1
    visitor.sees("No disagreements are open")
    return n_decisions


def train(manager: Visitor) -> None:
    page = manager.open(f"{HOME}/learning/")
    page.get_by_role("button", name="Train the first model").click()
    expect(page.get_by_text("Done")).to_be_visible(timeout=JOB_MS)
    manager.open(f"{HOME}/learning/")
    expect(page.get_by_role("button", name="Retrain now")).to_be_visible()


def choose_batch(manager: Visitor, size: int) -> Page:
    """Ask for a batch and open it from the page that says it is chosen."""
    page = manager.open(f"{HOME}/learning/")
    page.get_by_label("Pages", exact=True).fill(str(size))
    page.get_by_label("Share drawn at random").fill("0.5")
    page.get_by_role("button", name="Choose the pages").click()
    link = page.get_by_role("link", name="See the batch").or_(page.get_by_role("link", name="Batch 1"))
    expect(link.first).to_be_visible(timeout=JOB_MS)
    link.first.click()
    expect(page.locator("h1")).to_contain_text(f"Batch 1: {size} pages")
    return page


def draw_sample(manager: Visitor, size: int) -> None:
    page = manager.open(f"{HOME}/samples/")
    page.get_by_label("Pages to draw").fill(str(size))
    page.get_by_role("button", name="Draw the sample").click()
    expect(page.get_by_role("link", name="Sample 1")).to_be_visible(timeout=JOB_MS)


def freeze(manager: Visitor) -> None:
    page = manager.open(f"{HOME}/releases/")
    page.get_by_role("button", name="Freeze version").click()
    expect(page.get_by_role("link", name="1.0.0", exact=True)).to_be_visible(timeout=JOB_MS)


def make_token(manager: Visitor) -> str:
    page = manager.open("/accounts/tokens/")
    page.get_by_label("Name").fill("download")
    page.get_by_role("button", name="Make the token").click()
    return page.locator(".secret").inner_text()


def download(address: str, token: str, folder: Path) -> dict:
    """Every file of the release, by the API alone."""

    def get(url: str) -> bytes:
        asked = urllib.request.Request(url, headers={"Authorization": f"Token {token}"})
        with urllib.request.urlopen(asked) as answer:
            return answer.read()

    release = json.loads(get(f"{address}/api/v1/projects/day/releases/1.0.0/"))
    for file in release["files"]:
        target = folder / file["name"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(get(f"{address}/api/v1/projects/day/releases/1.0.0/files/{file['name']}"))
    return release


# ---- the day --------------------------------------------------------------------------------------------------------
def test_the_whole_day(visit, worker, live_server, tmp_path):
    project = make_project("day", name="Home pages of the village")
    make_member(project, "manager", name="mara", may_create_projects=True)
    for name, role in (("ann", "annotator"), ("bo", "annotator"), ("jo", "adjudicator")):
        make_member(project, role, name=name)
    manager, ann, bo, jo = (visit().log_in(name, "correct horse battery") for name in ("mara", "ann", "bo", "jo"))
    album = Album(settings.BASE_DIR / "var" / "pictures")

    # The manager brings pages in; the file that fills the pool has one row that is no address and one known already.
    import_pages(manager, "pages.csv", file_of(QUEUED), queue=True)
    known, wrong = "https://www.site0.example/arcade/", "https://"
    report = import_pages(manager, "pool.csv", file_of(POOL, extra=(known, wrong)), queue=False)
    expect(report.get_by_role("row").filter(has_text="51")).to_contain_text("The address has no host.")
    assert project.items.count() == 60
    album.add(manager, report.url, "import-report")

    # Two people judge by keyboard, and disagree on three pages; a third settles them.
    album.add(ann, f"{HOME}/annotate/", "annotate")
    assert (judge_all(ann, 0), judge_all(bo, 1)) == (12, 12)
    assert Consensus.objects.filter(project=project, state=Consensus.State.DISPUTED).count() == 3
    album.add(jo, f"{HOME}/adjudicate/", "adjudicate")
    assert decide_all(jo) == 3

    # What people agree on, what a model makes of it, and which pages it would ask about next.
    agreement = manager.open(f"{HOME}/agreement/")
    expect(agreement.locator("main")).to_contain_text("Games")
    train(manager)
    batch = choose_batch(manager, 4)
    reasons = list(Selection.objects.filter(item__project=project, batch_item__isnull=False).values("reason"))
    assert len(reasons) == 4 and all(row["reason"] for row in reasons)
    expect(batch.get_by_role("table")).to_contain_text(reasons[0]["reason"])

    # A gold sample by chance, judged blind among the rest, settled, frozen.
    draw_sample(manager, 5)
    # A page of the batch that the draw met too is asked once, for both.
    asked = set(Assignment.objects.filter(project=project, state=State.OPEN).values_list("item", flat=True))
    assert 5 <= len(asked) <= 9
    assert (judge_all(ann, 0), judge_all(bo, 1)) == (len(asked), len(asked))
    decide_all(jo)
    freeze(manager)

    # Anyone with the bytes can check them, with Python alone.
    release = download(live_server.url, make_token(manager), tmp_path / "gold")
    assert release["n_items"] == 5
    check = [sys.executable, "-I", verification.__file__, str(tmp_path / "gold")]
    checked = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    rows = [json.loads(line) for line in (tmp_path / "gold" / "data.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == 5
    assert Judgment.objects.filter(item__project=project).count() == 24 + 2 * len(asked)
    assert Adjudication.objects.in_force().filter(item__project=project).count() >= 3

    look_at_every_page(album, manager, ann, jo)
    assert album.findings == []


def look_at_every_page(album: Album, manager: Visitor, ann: Visitor, jo: Visitor) -> None:
    """Each page as the person it is for sees it at the end of the day."""
    for path, name in (
        ("/", "projects"), ("/new/", "project-new"), (f"{HOME}/", "overview"), (f"{HOME}/items/", "items"),
        (f"{HOME}/items/import/", "import"), (f"{HOME}/agreement/", "agreement"), (f"{HOME}/learning/", "learning"),
        (f"{HOME}/learning/batches/1/", "batch"), (f"{HOME}/samples/", "samples"), (f"{HOME}/samples/1/", "sample"),
        (f"{HOME}/releases/", "releases"), (f"{HOME}/releases/1.0.0/", "release"), (f"{HOME}/jobs/", "jobs"),
        (f"{HOME}/settings/", "settings"), (f"{HOME}/settings/labels/", "labels"),
        (f"{HOME}/settings/members/", "members"), ("/accounts/tokens/", "tokens"), ("/accounts/sessions/", "sessions"),
        ("/accounts/preferences/", "preferences"),
    ):  # fmt: skip
        album.add(manager, path, name)
    items = manager.open(f"{HOME}/items/").get_by_role("table")
    album.add(manager, items.get_by_role("link").first.get_attribute("href"), "item")
    album.add(ann, f"{HOME}/mine/", "mine")
    album.add(ann, f"{HOME}/annotate/", "nothing-left")
    album.add(jo, f"{HOME}/adjudicate/", "nothing-open")
