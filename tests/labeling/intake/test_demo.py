"""The demo: real pages and real answers, the same at every start, and passwords only their owner can read."""

import csv
import gzip
import json
import re
import shlex
import stat
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import override_settings

from labeling import demo
from labeling.models import Assignment, Consensus, Dispute, Import, Item, Judgment, Project, Rater, Selection, User
from tools import screenshots

README = demo.FOLDER.parent / "README.md"


@pytest.fixture(scope="module")
def demo_day(module_db, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    with override_settings(DATA_DIR=folder, BLOB_DIR=folder / "blobs"):
        said = StringIO()
        call_command("seed_demo", "--json", stdout=said)
        yield json.loads(said.getvalue())


@pytest.fixture
def seeded(demo_day, db):
    return demo_day


def test_the_demo_holds_what_its_readme_says_and_can_be_repeated(seeded, settings):
    homepages, lists = Project.objects.get(slug="homepages"), Project.objects.get(slug="ut1-lists")
    assert (homepages.items.count(), lists.items.count()) == (562, 20_000)
    assert Judgment.objects.filter(item__project=homepages).count() == 1_686
    assert Judgment.objects.filter(item__project=homepages, outcome="not_assessable").count() == 34
    assert Rater.objects.filter(project=homepages).count() == 37
    assert list(Rater.objects.filter(project=lists).values_list("code", flat=True)) == ["UT1 lists"]
    assert Judgment.objects.filter(item__project=lists).count() == 1_000
    assert not Import.objects.exclude(rows_refused=0).exists()

    accounts = settings.DATA_DIR / "accounts.json"
    assert stat.S_IMODE(accounts.stat().st_mode) == 0o600
    assert json.loads(accounts.read_text()) == seeded["accounts"]
    assert all(User.objects.get(username=row["username"]).check_password(row["password"]) for row in seeded["accounts"])

    counts = [model.objects.count() for model in (Item, Judgment, Assignment, Selection, Import, User)]
    again = StringIO()
    call_command("seed_demo", "--json", stdout=again)
    assert json.loads(again.getvalue()) == seeded
    assert [model.objects.count() for model in (Item, Judgment, Assignment, Selection, Import, User)] == counts


def test_a_newcomer_finds_work_whoever_they_log_in_as(client, seeded):
    for slug, n_pages, n_all in (("homepages", 60, 562), ("ut1-lists", 200, 20_000)):
        drawn = Selection.objects.filter(item__project__slug=slug, stream="random")
        assert (drawn.count(), {row.probability for row in drawn}) == (n_pages, {n_pages / n_all})
        assert Assignment.objects.filter(project__slug=slug, state="open").count() == 2 * n_pages

        client.force_login(User.objects.get(username="manager"))
        overview = client.get(f"/p/{slug}/").content.decode()
        assert f"Cannot tell yet: the first of {2 * n_pages} answers asked for here is still to come" in overview

        client.force_login(User.objects.get(username="annotator"))
        page = client.get(f"/p/{slug}/annotate/").content.decode()
        leased = Assignment.objects.get(project__slug=slug, annotator__username="annotator", state="leased")
        assert leased.item.host in page

    client.force_login(User.objects.get(username="adjudicator"))
    assert "labels in conflict" in client.get("/p/homepages/adjudicate/").content.decode()
    asked_again = Assignment.objects.filter(project__slug="homepages").values("item")
    states = Consensus.objects.filter(project__slug="homepages").values_list("state")
    assert set(states.filter(item__in=asked_again)) == {("pending",)}
    assert states.exclude(item__in=asked_again).filter(state="disputed").count() > 450

    # The pages of the README's pictures are where tools/screenshots.py looks for them.
    assert Assignment.objects.filter(item__in=asked_again, item__host=screenshots.JUDGED).count() == 2
    settled = Consensus.objects.get(project__slug="homepages", item__url_key=screenshots.SETTLED)
    assert (settled.state, Dispute.objects.open().filter(item=settled.item).count()) == ("disputed", 8)


def curl_lines():
    """The README's calls: (path with query, headers, body or None) of each."""
    for line in re.findall(r"^curl .+$", README.read_text(), flags=re.M):
        words = shlex.split(line)
        headers = dict(words[place + 1].split(": ", 1) for place, word in enumerate(words) if word in ("-H", "-fH"))
        bodies = [words[place + 1] for place, word in enumerate(words) if word in ("-d", "--data-binary")]
        path = next(word for word in words if word.startswith("$URL"))
        yield path.removeprefix("$URL"), headers, bodies[0] if bodies else None


def test_the_readmes_calls_work_on_a_fresh_demo(client, seeded):
    said = StringIO()
    call_command(
        "create_user", "robot", role="manager", project="homepages", token="read,write", json=True, stdout=said
    )
    token, calls = json.loads(said.getvalue())["token"], list(curl_lines())
    assert len(calls) == 5
    for path, headers, body in calls:
        headers["Authorization"] = headers["Authorization"].replace("$T", token)
        if body is None:
            answer = client.get(path, headers=headers)
        else:
            content = "url,title\nhttps://www.example.org/,An example\n" if body == "@pages.csv" else body
            answer = client.post(path, content, content_type=headers.pop("Content-Type"), headers=headers)
        assert answer.status_code in (200, 202), (path, answer.status_code)


def test_no_is_true_by_definition_on_every_row_of_the_lists():
    """A label holds where the file has the address on one of the lists its definition names, and nowhere else."""
    named = {
        label["key"]: set(re.findall("“(.+?)”", label["definition"]))
        for label in demo.project_body("ut1_lists")["labels"]
    }
    with gzip.open(demo.FOLDER / "ut1_20000.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            lists = set(row["source_lists"].split("|"))
            assert set(row["labels"].split("|")) == {key for key, names in named.items() if names & lists}, row["url"]


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
