"""The demo's bundled data as files an import reads. What each thing is and where it comes from: demo/README.md."""

import csv
import gzip
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from labeling import slots
from labeling.models import Item, Project, Selection, Stream
from labeling.sampling.draws import arm_seed, draw_uniform

FOLDER = Path(settings.BASE_DIR) / "demo"
UT1_RATER = "UT1 lists"
UT1_JUDGED = 1_000
OFFLINE = "dead"
QUEUED = {"homepages": 60, "ut1-lists": 200}


def project_body(name: str) -> dict[str, Any]:
    """Settings and labels of a demo project, in the shape of the API."""
    body: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return body


def homepage_items() -> Iterator[bytes]:
    seen = set()
    for row in _rows("homepage_crowd.csv.gz"):
        if row["item_id"] not in seen:
            seen.add(row["item_id"])
            yield _line(url=row["url"], title=row["title"], text=row["description"], external_id=row["item_id"])


def homepage_judgments() -> Iterator[bytes]:
    for row in _rows("homepage_crowd.csv.gz"):
        topics = [topic.lower() for topic in row["labels"].split("|") if topic]
        is_offline = row["site_offline"] == "1" and not topics
        answer = {"skip_reason": OFFLINE} if is_offline else {"yes": topics, "none": not topics}
        yield _line(external_id=row["item_id"], annotator=row["rater_id"], active_seconds=row["seconds"], **answer)


def ut1_items() -> Iterator[bytes]:
    for row in _rows("ut1_20000.csv.gz"):
        yield _line(url=row["url"])


def ut1_judgments() -> Iterator[bytes]:
    """List membership of 1,000 addresses drawn by chance, as what one rater said."""
    rows = list(_rows("ut1_20000.csv.gz"))
    for place in sorted(random.Random(UT1_JUDGED).sample(range(len(rows)), UT1_JUDGED)):  # noqa: S311 (no secret)
        yield _line(url=rows[place]["url"], annotator=UT1_RATER, yes=rows[place]["labels"].split("|"))


def queue_by_chance(project: Project) -> int:
    """Queue pages drawn by chance from all of the project, with the probability stored. Returns the slots opened.

    They are the first of the project's random arm, which every batch goes on with: the same pages in every demo.
    """
    items = {item.public_id: item for item in Item.objects.filter(project=project).select_related("snapshot")}
    drawn = draw_uniform(list(items), size=QUEUED[project.slug], seed=arm_seed(project.slug))
    selections = [
        Selection(
            item=items[public_id], stream=Stream.RANDOM, origin="demo", rank=rank, probability=len(drawn) / len(items),
            reason=f"one of {len(drawn)} drawn by chance from {len(items):,}",
        )
        for rank, public_id in enumerate(drawn, 1)
    ]  # fmt: skip
    Selection.objects.bulk_create(selections, batch_size=100)
    return slots.open_up(project, selections, overlap=project.overlap_for(Stream.RANDOM))


def _rows(name: str) -> Iterable[dict[str, str]]:
    with gzip.open(FOLDER / name, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _line(**values: object) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"
