"""Projects full of real URLs: pages, answers by one rater, and pages drawn by chance."""

from collections.abc import Iterable

import numpy as np

from active_learning import tasks, training  # noqa: F401  (tasks registers what the jobs do)
from active_learning.learner.features import Page
from active_learning.models import TrainingRun
from labeling import bulk, consensus, jobs, weburls
from labeling.models import Item, Job, Judgment, Project, Rater, Selection, Stream
from labeling.sampling import draws
from tests.active_learning.real_urls import RealUrls, read_urls
from tests.factories import make_project

LISTS = ("adult", "gambling", "malware_phishing", "shopping")


def make_learning_project(
    *, n_pages: int, n_answered: int, n_random: int = 0, labels: tuple[str, ...] = LISTS, slug: str = "lists"
) -> Project:
    """Real URLs of the slice, whose list membership is what one rater said of `n_answered` of them.

    The first `n_random` of these by their permanent numbers are the random arm, the others came by import.
    """
    project = make_project(slug=slug, labels=labels)
    urls = read_urls()
    columns = [urls.labels.index(label) for label in labels]
    rows = [row for row in different_pages(urls) if urls.targets[row, columns].any()][:n_pages]
    items = make_items(project, [address_of(urls.pages[row]) for row in rows])
    drawn = in_turn(items)[:n_random]
    answered = drawn + [item for item in items if item not in set(drawn)][: n_answered - n_random]
    answer(answered, truth_of(answered, labels))
    bulk.insert([
        Selection(item=item, stream=Stream.RANDOM if place < n_random else Stream.IMPORT)
        for place, item in enumerate(answered)
    ])  # fmt: skip
    return project


def truth_of(items: list[Item], labels: tuple[str, ...]) -> list[dict[str, str]]:
    """What the lists say of each page."""
    urls = read_urls()
    columns = [urls.labels.index(label) for label in labels]
    row_of = {weburls.parse(address_of(page)).public_id: row for row, page in enumerate(urls.pages)}
    rows = [row_of[item.public_id] for item in items]
    return [
        {label: "yes" if urls.targets[row, column] else "no" for label, column in zip(labels, columns, strict=True)}
        for row in rows
    ]


def in_turn(items: Iterable[Item]) -> list[Item]:
    """The items by their permanent random numbers: the order in which the random arm takes them."""
    return sorted(items, key=lambda item: draws.permanent_number(draws.arm_seed(item.project.slug), item.public_id))


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
