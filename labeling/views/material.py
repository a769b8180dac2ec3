"""What work pages show of an item and its labels: the same words for annotating and adjudicating."""

import re
from collections.abc import Iterable
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_info, gettext_noop
from django.utils.translation import gettext as _

from labeling import keywords, schemas, weburls
from labeling.models import Item, Judgment, Label, Project, Snapshot

# What people who judge should know of an address; other marks of weburls.py are for those who run the project.
FLAGS = {
    "ip_address": gettext_noop("The address is a number, not a name."),
    "private_host": gettext_noop("The address belongs to a private network."),
    "confusable_host": gettext_noop("The host mixes letters of several alphabets, as look-alike addresses do."),
    "bidi": gettext_noop("The address holds marks or letters that run from right to left."),
    "odd_host": gettext_noop("The host is spelled in a way that no name server knows."),
}

# Characters nobody sees, by which words are hidden or turned round: controls, directions, tags, spaces without width.
# Soft hyphens and joiners are left: whole languages are written with them.
UNSEEN = re.compile(
    r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\U000e0000-\U000e007f]"
)
MOST_UNSEEN = 300


def material(item: Item, snapshot: Snapshot | None, *, project: Project) -> dict[str, Any]:
    """The page being judged, as text. Queries can carry pupils' data: hidden unless the project allows them."""
    display = address(item, project=project)
    return {
        "host": item.host,
        "display": display,
        "is_home": display.removesuffix("/") == item.host,
        "title": shown(snapshot.title, words=project.keywords) if snapshot else "",
        "text": shown(snapshot.text, words=project.keywords) if snapshot else "",
        "captured_at": snapshot.captured_at if snapshot else None,
        "language": language_name(item.language),
        "language_code": item.language,
        "flags": [_(FLAGS[flag]) for flag in item.flags if flag in FLAGS],
    }


def shown(text: str, *, words: Iterable[str]) -> SafeString:
    """Words of a page as HTML: the project's keywords marked, characters nobody sees made to be seen.

    Every part is escaped for itself; take the tags away and the text is as it was captured.
    """
    parts = keywords.pieces(text, words)
    escaped = ((escape(part), found) for part, found in parts)
    html = "".join(f"<mark>{part}</mark>" if found else part for part, found in escaped)
    return mark_safe(UNSEEN.sub(_seen, html, count=MOST_UNSEEN))  # noqa: S308  escaped above, part by part


def _seen(found: re.Match[str]) -> str:
    return f'<span class="unseen" data-code="U+{ord(found[0]):04X}">{found[0]}</span>'


def language_name(code: str) -> str:
    """The language in words of the page where its code is known, else the code as given."""
    try:
        return str(get_language_info(code)["name_translated"]) if code else ""
    except KeyError:
        return code


def address(item: Item, *, project: Project) -> str:
    return weburls.display_of(item.url_key, show_query=True) if project.show_queries else item.url_display


def label_row(label: Label, *, value: str = "no") -> dict[str, Any]:
    return {
        "key": label.key,
        "name": label.name,
        "definition": label.definition,
        "examples": label.examples,
        "includes": label.includes,
        "excludes": label.excludes,
        "near_misses": label.near_misses,
        "letter": label.shortcut.lower(),
        "severity": label.severity,
        "value": value,
    }


def in_words(judgment: Judgment, schema: schemas.Schema) -> str:
    """The answer as one line: "Games yes, News unsure", or that none holds, or why the page could not be judged."""
    if judgment.outcome == Judgment.Outcome.NOT_ASSESSABLE:
        why = judgment.note and _(
            judgment.note
        )  # as the reason was kept, in English; a person's own words stay as they are
        return _("Nobody can judge it: %(why)s") % {"why": f"{why[0].lower()}{why[1:]}"} if why else _("Not judged")
    named = [_("%(name)s yes") % {"name": schema.label(key).name} for key in judgment.yes]
    named += [_("%(name)s unsure") % {"name": schema.label(key).name} for key in judgment.unsure]
    return ", ".join(named) or _("None of these")
