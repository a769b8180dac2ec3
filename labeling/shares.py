"""Partial overlap: a share of the pages is asked of several people, the others of one.

Within a stream, pages stand sorted by site and, inside a site, by a number made of project and page; of that row every
so-many-th page is taken (systematic sampling). So each site has its part, and the same pages come out whenever the same
list is queued.
"""

import hashlib
import math
from collections.abc import Sequence

from labeling.models import Item, Project, Selection


def groups(project: Project, stream: str, selections: Sequence[Selection]) -> list[tuple[int, list[Selection]]]:
    """The selections of one stream, by how many people are asked.

    The numbers are those in force, and stay so until the caller's transaction ends: a job may have read the project
    minutes ago, and slots opened by an older number would be granted beyond the one of today.
    """
    if not selections:
        return []
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    overlap = project.overlap_for(stream)
    if overlap == 1 or project.overlap_share >= 1:
        return [(overlap, list(selections))]
    several = chosen(project, [selection.item_id for selection in selections])
    parted = [(overlap, True), (1, False)]
    split = [(n, [one for one in selections if (one.item_id in several) is wanted]) for n, wanted in parted]
    return [(n, part) for n, part in split if part]


def chosen(project: Project, item_ids: Sequence[int]) -> set[int]:
    """Which of these items are asked of several people."""
    rows = Item.objects.filter(pk__in=item_ids).values_list("pk", "public_id", "registrable_domain")
    ordered = sorted((site, _number(project, public_id), pk) for pk, public_id, site in rows)
    if not ordered:
        return set()
    start, share = ordered[0][1], project.overlap_share
    return {
        pk for place, (_, _, pk) in enumerate(ordered)
        if math.floor(start + (place + 1) * share) > math.floor(start + place * share)
    }  # fmt: skip


def _number(project: Project, public_id: str) -> float:
    """The same for ever, in [0, 1)."""
    digest = hashlib.sha256(f"{project.pk}.{public_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
