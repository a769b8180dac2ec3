"""The demo: real pages and real answers, the same at every start, and passwords only their owner can read."""

import csv
import gzip
import json
import stat
from io import StringIO

import pytest
from django.core.management import call_command

from labeling import demo
from labeling.models import Assignment, Import, Item, Judgment, Project, Rater, Selection, User


@pytest.fixture
def seeded(db, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.BLOB_DIR = tmp_path / "blobs"
    said = StringIO()
    call_command("seed_demo", "--json", stdout=said)
    return json.loads(said.getvalue())


def test_the_demo_holds_what_its_readme_says_and_can_be_repeated(seeded, settings):
    homepages, lists = Project.objects.get(slug="homepages"), Project.objects.get(slug="ut1-lists")
    assert (homepages.items.count(), lists.items.count()) == (562, 20_000)
    assert Judgment.objects.filter(item__project=homepages).count() == 1_686
    assert Judgment.objects.filter(item__project=homepages, outcome="not_assessable").count() == 34
    assert Rater.objects.filter(project=homepages).count() == 37
    assert list(Rater.objects.filter(project=lists).values_list("code", flat=True)) == ["UT1 lists"]
    assert Judgment.objects.filter(item__project=lists).count() == 1_000
    assert set(Selection.objects.filter(stream="random").values_list("probability", flat=True)) == {0.01}
    assert not Import.objects.exclude(rows_refused=0).exists()
    slots = Assignment.objects.filter(project=lists, state="open")
    assert (slots.count(), slots.values("item").distinct().count()) == (400, 200)

    accounts = settings.DATA_DIR / "accounts.json"
    assert stat.S_IMODE(accounts.stat().st_mode) == 0o600
    assert json.loads(accounts.read_text()) == seeded["accounts"]
    assert all(User.objects.get(username=row["username"]).check_password(row["password"]) for row in seeded["accounts"])

    counts = [model.objects.count() for model in (Item, Judgment, Assignment, Selection, Import, User)]
    again = StringIO()
    call_command("seed_demo", "--json", stdout=again)
    assert json.loads(again.getvalue()) == seeded
    assert [model.objects.count() for model in (Item, Judgment, Assignment, Selection, Import, User)] == counts


def test_every_answer_is_the_one_in_the_file():
    with gzip.open(demo.FOLDER / "homepage_crowd.csv.gz", "rt", newline="") as file:
        given = list(csv.DictReader(file))
    made = [json.loads(line) for line in demo.homepage_judgments()]
    assert [row.get("yes", []) for row in made] == [
        [topic.lower() for topic in row["labels"].split("|") if topic] for row in given
    ]
    assert sum(row.get("none", False) for row in made) == 12


@pytest.mark.parametrize("name", ["homepages", "ut1_lists"])
def test_every_label_of_the_demo_has_a_meaning_and_a_letter_of_its_own(name):
    labels = demo.project_body(name)["labels"]
    assert all(label["definition"] for label in labels)
    assert len({label["shortcut"] for label in labels}) == len(labels)
