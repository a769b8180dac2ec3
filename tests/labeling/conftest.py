"""The real answers that several tests read."""

import csv
from pathlib import Path

import pytest

from labeling import consensus, summaries
from labeling.models import Item, Judgment, Label, Rater
from tests.factories import make_project

VERDICTS = Path(__file__).parent / "quality" / "data" / "homepage_verdicts.csv"


@pytest.fixture
def homepages():
    """1,686 answers of 37 real people to 562 home pages."""
    rows = list(csv.DictReader(VERDICTS.open()))
    keys = sorted({key for row in rows for key in row["yes"].lower().split()})
    project = make_project(labels=())
    Label.objects.bulk_create(
        Label(schema=project.schema, key=key, name=key.title(), position=place) for place, key in enumerate(keys)
    )
    pages = {
        number: Item(
            project=project, public_id=f"{int(number):032x}", url_raw=f"https://{number}.example.org/",
            url_key=f"https://{number}.example.org/", url_display=f"{number}.example.org", host=f"{number}.example.org",
            registrable_domain="example.org",
        )
        for number in sorted({row["item"] for row in rows})
    }  # fmt: skip
    Item.objects.bulk_create(pages.values())
    raters = {code: Rater(project=project, code=code) for code in sorted({row["rater"] for row in rows})}
    Rater.objects.bulk_create(raters.values())
    schema = project.schema
    Judgment.objects.bulk_create(
        Judgment(
            item=pages[row["item"]], rater=raters[row["rater"]], schema=schema, source="import",
            verdicts={key: "yes" if key in row["yes"].lower().split() else "no" for key in keys},
        )
        for row in rows
    )  # fmt: skip
    consensus.refresh_many(list(Item.objects.filter(project=project).values_list("pk", flat=True)), project=project)
    summaries.count(project)
    return project
