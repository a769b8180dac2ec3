"""The steps by which a page was decided, in words."""

from typing import Any

from labeling import decision_trail, schemas
from labeling.decision_trail import Step
from labeling.models import Cause, Item, Project

TITLES = {
    "decided": "Decided",
    "accepted": "Accepted with others: all agreed",
    "reopened": "Re-opened",
    "sent_back": "An answer was sent back",
    "asked_more": "One more person was asked",
}


def rows(item: Item, project: Project) -> list[dict[str, Any]]:
    name_of = {label.key: label.name for label in schemas.in_force(project).labels}
    return [_row(step, name_of) for step in decision_trail.of(item)]


def _row(step: Step, name_of: dict[str, str]) -> dict[str, Any]:
    keys = [*(key for key in name_of if key in step.new or key in step.old)]
    keys += sorted((step.new.keys() | step.old.keys()) - name_of.keys())
    return {
        "title": TITLES.get(step.kind, step.kind),
        "at": step.at,
        "by": step.by,
        "changes": [
            {"name": name_of.get(key, key), "old": step.old.get(key) or "not decided",
             "new": step.new.get(key) or "not decided"}
            for key in keys
        ],
        "cause": str(Cause(step.cause).label) if step.cause in Cause.values else "",
        "words": step.words,
    }  # fmt: skip
