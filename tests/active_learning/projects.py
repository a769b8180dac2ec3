"""Projects full of real URLs: pages, answers by one rater, and pages drawn by chance."""

import numpy as np

from active_learning import tasks, training  # noqa: F401  (tasks registers what the jobs do)
from active_learning.learner.features import Page
from active_learning.models import TrainingRun
from labeling import bulk, consensus, jobs, weburls
from labeling.models import Item, Job, Judgment, Project, Rater, Selection, Stream
from tests.active_learning.real_urls import RealUrls, read_urls
from tests.factories import make_project

LISTS = ("adult", "gambling", "malware_phishing", "shopping")


def make_learning_project(
    *, n_pages: int, n_answered: int, n_random: int = 0, labels: tuple[str, ...] = LISTS, slug: str = "lists"
) -> Project:
    """Real URLs of the slice, whose list membership is what one rater said of the first `n_answered`.

    The first `n_random` of these stand in the stream of pages drawn by chance, the others came by import.
    """
    project = make_project(slug=slug, labels=labels)
    urls = read_urls()
    columns = [urls.labels.index(label) for label in labels]
    rows = [row for row in different_pages(urls) if urls.targets[row, columns].any()][:n_pages]
    addresses = [address_of(urls.pages[row]) for row in rows]
    items = make_items(project, addresses)
    answer(items[:n_answered], [
        {label: "yes" if urls.targets[row, column] else "no" for label, column in zip(labels, columns, strict=True)}
        for row in rows[:n_answered]
    ])  # fmt: skip
    bulk.insert([
        Selection(item=item, stream=Stream.RANDOM if place < n_random else Stream.IMPORT)
        for place, item in enumerate(items[:n_answered])
    ])  # fmt: skip
    return project


def different_pages(urls: RealUrls) -> list[int]:
    """Rows of the slice in a fixed random order, each page once."""
    order = np.random.default_rng(5).permutation(len(urls.pages))
    return list({weburls.parse(address_of(urls.pages[row])).public_id: int(row) for row in order}.values())


def address_of(page: Page) -> str:
    return f"https://{page.host}{page.path}"


def make_items(project: Project, urls: list[str]) -> list[Item]:
    items = [
        Item(project=project, public_id=address.public_id, url_raw=address.raw, url_key=address.key,
             url_display=address.display, host=address.host, registrable_domain=address.registrable_domain)
        for address in map(weburls.parse, urls)
    ]  # fmt: skip
    bulk.insert(items)
    return items


def answer(items: list[Item], verdicts: list[dict[str, str]], *, rater: str = "lists") -> None:
    """One answer of one rater on each page, counted."""
    if not items:
        return
    project = items[0].project
    who, _ = Rater.objects.get_or_create(project=project, code=rater)
    schema = project.schema
    bulk.insert([
        Judgment(item=item, rater=who, schema=schema, verdicts=said)
        for item, said in zip(items, verdicts, strict=True)
    ])  # fmt: skip
    consensus.refresh_many([item.pk for item in items], project=project)


def train(project: Project, **wanted) -> TrainingRun:
    """A finished run, its job delivered twice."""
    run = training.request(project, by=None, **wanted)
    assert deliver_twice(run.job) == "done"
    run.refresh_from_db()
    return run


def deliver_twice(job: Job) -> str:
    outcome = jobs.run(job.pk)
    assert jobs.run(job.pk) == "not ours"
    job.refresh_from_db()
    return outcome
