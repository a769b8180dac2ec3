"""What the strict content policy would break silently in a browser is refused here, in milliseconds."""

import gzip
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STATIC = ROOT / "static"
STYLES = sorted((STATIC / "touchstone").glob("*.css"))
ANNOTATE_LOADS = [
    "vendor/pico-2.1.1.min.css",
    "touchstone/app.css",
    "touchstone/work.css",
    "vendor/htmx-2.0.11.min.js",
    "touchstone/annotate.js",
    "touchstone/keys.js",
    "touchstone/work.js",
]
FORBIDDEN = {
    "an inline style": re.compile(r"<style|\sstyle=", re.I),
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)", re.I),
    "an inline handler": re.compile(r"\son[a-z]+=|hx-on", re.I),
    # With eval off htmx drops the filter and then fires on every event.
    "an htmx event filter or js: value": re.compile(r"hx-trigger=\"[^\"]*\[|[\"']js:|hx-vars", re.I),
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_template_holds_nothing_that_the_content_policy_blocks(template):
    text = template.read_text("utf-8")
    assert [what for what, pattern in FORBIDDEN.items() if pattern.search(text)] == []


def test_the_annotate_page_loads_little():
    """At most 120 KB on the wire and 8 requests, the page itself (under 8 KB with 30 labels) included."""
    on_the_wire = sum(len(gzip.compress((STATIC / name).read_bytes())) for name in ANNOTATE_LOADS)
    assert on_the_wire < 112_000
    assert len(ANNOTATE_LOADS) + 1 <= 8


def test_what_the_annotate_page_loads_is_what_its_files_name():
    named = set()
    for template in ("base.html", "labeling/annotate.html"):
        named |= set(re.findall(r"static '([^']+)'", (ROOT / "templates" / template).read_text("utf-8")))
    for name in [name for name in named if name.endswith(".js")]:
        imported = re.findall(r"from \"\./([^\"]+)\"", (STATIC / name).read_text("utf-8"))
        named |= {f"touchstone/{module}" for module in imported}
    assert named == set(ANNOTATE_LOADS)


@pytest.mark.parametrize("sheet", STYLES, ids=lambda path: path.name)
def test_colours_are_written_once_as_tokens(sheet):
    rules = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.S)
    rules = re.sub(r"--[\w-]+:\s*#[0-9a-f]+", "", rules, flags=re.I)
    assert re.findall(r"#[0-9a-f]{3,8}\b(?!\.)", rules, flags=re.I) == []
