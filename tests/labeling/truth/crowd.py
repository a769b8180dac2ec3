"""Answers of raters whose skills are known, on pages whose truth is."""

import numpy as np

from labeling import consensus
from labeling.models import Adjudication, Item, Judgment, Rater, Selection
from tests.factories import make_item, make_user

GOOD, POOR = (0.95, 0.98), (0.6, 0.8)


def crowd(project, n_items, raters, *, share=0.3, seed=1, stream="import", counted=True):
    """Each rater, (sensitivity, specificity) by code, answers each of n pages. Returns the pages and what is true."""
    rng = np.random.default_rng(seed)
    keys = project.schema.asked_keys()
    truth = rng.random((n_items, len(keys))) < share
    items = [make_item(project) for _ in range(n_items)]
    if stream != "import":
        chance = {"probability": 0.5} if stream == "random" else {}
        Selection.objects.bulk_create(Selection(item=item, stream=stream, **chance) for item in items)
    for code, (finds, leaves) in raters.items():
        rater, _ = Rater.objects.get_or_create(project=project, code=code)
        said = rng.random(truth.shape) < np.where(truth, finds, 1 - leaves)
        answer(project, items, rater, said)
    if counted:
        consensus.refresh_many([item.pk for item in items], project=project)
    return items, truth


def answer(project, items, rater, said):
    schema, keys = project.schema, project.schema.asked_keys()
    Judgment.objects.bulk_create(
        Judgment(
            item=item, rater=rater, schema=schema, source="import",
            verdicts={key: "yes" if yes else "no" for key, yes in zip(keys, row, strict=True)},
        )
        for item, row in zip(items, said, strict=True)
    )  # fmt: skip


def decide(project, items, truth):
    """One person decides every label of these pages."""
    judge, keys = make_user(), project.schema.asked_keys()
    newest = Judgment.objects.order_by("-pk").values_list("pk", flat=True).first()
    Adjudication.objects.bulk_create(
        Adjudication(
            item=item, adjudicator=judge, schema=project.schema, cause="overlooked", seen=dict.fromkeys(keys, newest),
            verdicts={key: "yes" if yes else "no" for key, yes in zip(keys, row, strict=True)},
        )
        for item, row in zip(items, truth, strict=True)
    )  # fmt: skip
    consensus.refresh_many([item.pk for item in items], project=project)


def pages(project):
    return Item.objects.filter(project=project)
