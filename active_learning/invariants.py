"""What must be true of what the learner may read."""

from collections.abc import Iterator

from django.db.models import Q

from active_learning.frame import trainable
from labeling.invariants import check, named
from labeling.models import Item, Project, Stream


@check("I16", "Nothing of a gold sample or release can be learned from: not the item, not its site, not its text.")
def gold_stays_unseen() -> Iterator[str]:
    for project in Project.objects.order_by("pk").iterator():
        gold = Item.objects.filter(Q(selections__stream=Stream.GOLD) | Q(gold_items__isnull=False), project=project)
        texts = gold.exclude(snapshot=None).values("snapshot__content_hash")
        same = Q(pk__in=gold.values("pk")) | Q(registrable_domain__in=gold.values("registrable_domain"))
        leaked = trainable(project).filter(same | Q(snapshot__content_hash__in=texts))
        yield from named(leaked.iterator(), "gold, or like gold, and yet open to the learner")
