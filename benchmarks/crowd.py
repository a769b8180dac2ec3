"""A project as large as wanted, made by the database itself: items, judgments of several people, what they come to.

For PostgreSQL. One row of each table is made as the product makes it; the others are copies of it in every column but
those that say which page and which person they are of. Three people answer a page; what they say comes from a hundred
made-up answers and a share of slips, so that they disagree as people do.
"""

import json
import random
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model

from benchmarks.rows import LABELS, make_annotator, make_project
from labeling import conduct, daily_counts, project_counts, refits, summaries
from labeling.models import Consensus, Item, Judgment, Project, Rater, User
from tests.factories import make_item, make_judgment

A_PAGE = 3
TRUTHS, SLIPS = 100, 8  # answers that pages call for, and how people give each
SEED = 7
DAYS = 180  # over which answers are spread


@dataclass(frozen=True, slots=True)
class Crowd:
    project: Project
    raters: list[int]
    n_items: int
    n_judgments: int


def make(n_items: int, *, people: int) -> Crowd:
    """So many pages, each answered by three of these people, counted by the product's own jobs."""
    project = make_project(overlap=A_PAGE)
    users = [make_annotator(project) for _ in range(people)]
    raters = [Rater.objects.of(project, user).pk for user in users]
    item = make_item(project, "https://site0.example.org/", title="A page", text="Its words.")
    judgment = make_judgment(item, users[0], yes=[LABELS[0]], active_seconds=20.0, wall_seconds=25.0)
    first = _copies_of_item(item, n_items)
    _answers()
    _copies_of_judgment(judgment, first, n_items, raters)
    _consensus(project)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    summaries.count(project)
    conduct.count(project)
    refits.make(project)
    daily_counts.rebuild(project)
    project_counts.refresh(project)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return Crowd(project, raters, n_items, Judgment.objects.filter(rater__project=project).count())


def manager_of(crowd: Crowd) -> User:
    return User.objects.create(username=f"operator-{crowd.project.pk}", is_superuser=True)


def _copies_of_item(item: Item, n: int) -> int:
    """Copies 1 to n - 1; returns the number of the first row."""
    address = "'site' || n % 9973 || '.example.org/page-' || n"
    _copy(
        Item, item, f"generate_series(1, {n - 1}) AS n",
        public_id="md5('page ' || n)", url_raw=f"'https://' || {address}", url_key=f"'https://' || {address}",
        url_display=address, host="'site' || n % 9973 || '.example.org'",
    )  # fmt: skip
    return item.pk


def _answers() -> None:
    """The hundred answers, and the ways in which people give each of them."""
    chance = random.Random(SEED)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE said (truth int, slip int, verdicts jsonb, PRIMARY KEY (truth, slip))")
        for truth in range(TRUTHS):
            holds = [chance.random() < 0.02 + 0.03 * (place % 5) for place in range(len(LABELS))]
            for slip in range(SLIPS):
                says = [yes != (chance.random() < (0.2 if yes else 0.02)) for yes in holds]
                verdicts = {key: "yes" if yes else "no" for key, yes in zip(LABELS, says, strict=True)}
                cursor.execute("INSERT INTO said VALUES (%s, %s, %s)", [truth, slip, json.dumps(verdicts)])


def _copies_of_judgment(judgment: Judgment, first: int, n_items: int, raters: list[int]) -> None:
    """Three answers a page but the first, of people who sit together now and then, as in a team."""
    people = "ARRAY[" + ",".join(map(str, raters)) + "]"
    who = f"({people})[1 + (page.id * 7 + seat * (1 + page.id % 5)) % {len(raters)}]"
    _copy(
        Judgment, judgment,
        f"labeling_item AS page CROSS JOIN generate_series(0, {A_PAGE - 1}) AS seat JOIN said "
        f"ON said.truth = page.id % {TRUTHS} AND said.slip = (page.id * 31 + seat * 17) % {SLIPS} "
        f"WHERE page.project_id = {judgment.item.project_id} AND page.id > {first}",
        item_id="page.id", rater_id=who, verdicts="said.verdicts", active_seconds="5 + page.id % 40",
        submitted_at=f"now() - interval '1 day' * (page.id % {DAYS}) - interval '1 minute' * seat",
    )  # fmt: skip


def _consensus(project: Project) -> None:
    """One row a page, marked to be counted: three in ten in dispute."""
    made = Consensus.objects.create(
        project=project, item=Item.objects.filter(project=project).earliest("pk"), n_judgments=A_PAGE, dirty=True,
        state="agreed",
    )  # fmt: skip
    _copy(
        Consensus, made, f"labeling_item AS page WHERE page.project_id = {project.pk} AND page.id > {made.item_id}",
        item_id="page.id", state="CASE WHEN page.id % 10 < 3 THEN 'disputed' ELSE 'agreed' END",
    )  # fmt: skip


def _copy(model: type[Model], like: Any, of: str, **changed: str) -> None:
    """Copies of a row, one for each row of `of`, with these columns as said."""
    columns = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    values = [changed.get(name, f'like_it."{name}"') for name in columns]
    source, _, where = of.partition(" WHERE ")
    table, quoted = model._meta.db_table, ", ".join(f'"{name}"' for name in columns)
    condition = f" AND {where}" if where else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({quoted}) SELECT {', '.join(values)} FROM {table} AS like_it, {source} "
            f"WHERE like_it.id = {like.pk}{condition} ON CONFLICT DO NOTHING"
        )
