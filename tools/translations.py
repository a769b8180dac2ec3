"""The words of the pages in other languages: `python -m tools.translations` brings locale/ up to date with the sources.

Every text marked in Python, in a template or in an ES module gets its line in the .po files; what nobody says any more
goes. Then the .mo files are written, which is all the product reads: no msgfmt is needed anywhere, and nothing is
compiled at start. A test fails when a text has no translation or a .mo is not what its .po says.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.template import engines
from django.template.base import Node, Template
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
PYTHON = ("labeling", "active_learning", "config")
KEYWORDS = {"_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "ngettext": (1, 2)}
IN_SCRIPTS = re.compile(r'\bt\(\s*("(?:[^"\\]|\\.)*")')

BEGUN = datetime(2026, 11, 25, tzinfo=UTC)  # always the same, so that only words make a difference

Message = str | tuple[str, str]  # one text, or singular and plural


def of_pages() -> set[Message]:
    """What Python and the templates say: the domain django."""
    return {*_in_python(), *_in_templates()}


def of_scripts() -> set[Message]:
    """What the ES modules say: the domain djangojs."""
    texts = (path.read_text("utf-8") for path in sorted((ROOT / "static" / "touchstone").glob("*.js")))
    return {found[1:-1].replace('\\"', '"') for text in texts for found in IN_SCRIPTS.findall(text)}


DOMAINS = {"django": of_pages, "djangojs": of_scripts}


def _in_python() -> Iterator[Message]:
    for folder in PYTHON:
        for path in sorted((ROOT / folder).rglob("*.py")):
            with path.open("rb") as source:
                for _line, message, _comments, _context in extract("python", source, KEYWORDS):
                    yield message if isinstance(message, str) else (message[0], message[1])


def _in_templates() -> Iterator[Message]:
    for path in sorted([*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.txt")]):
        parsed = engines["django"].from_string(path.read_text("utf-8")).template
        for node in _nodes(parsed):
            if isinstance(node, TranslateNode):
                yield str(node.filter_expression.var.literal)
            elif isinstance(node, BlockTranslateNode):
                singular = node.render_token_list(node.singular)[0]
                yield (singular, node.render_token_list(node.plural)[0]) if node.plural else singular


def _nodes(parsed: Template) -> Iterator[Node]:
    for node in parsed.nodelist:
        yield from node.get_nodes_by_type(Node)


# ---- files ----------------------------------------------------------------------------------------------------------
def file_of(language: str, domain: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{domain}.po"


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def update(language: str, domain: str) -> int:
    """Bring one .po up to date and write its .mo; returns how many texts have no translation."""
    path = file_of(language, domain)
    known = read(path) if path.exists() else Catalog(locale=language)
    fresh = Catalog(
        locale=language, project="Touchstone", fuzzy=False, charset="utf-8", creation_date=BEGUN, revision_date=BEGUN
    )
    for message in sorted(DOMAINS[domain](), key=str):
        before = known.get(message if isinstance(message, str) else message[0])
        fresh.add(message, before.string if before else None)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, fresh, width=120, omit_header=False)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, fresh)
    return sum(not is_translated(message.string) for message in fresh if message.id)


def is_translated(string: str | tuple[str, ...]) -> bool:
    return all(string) if isinstance(string, tuple) else bool(string)


def main() -> None:
    from django.conf import settings

    for language, _name in settings.LANGUAGES[1:]:
        for domain in DOMAINS:
            print(f"{file_of(language, domain).relative_to(ROOT)}: {update(language, domain)} without a translation")


if __name__ == "__main__":
    import os

    import django

    from tests.environment import values

    os.environ.update(values())
    django.setup()
    main()
