"""Which pages of a project the learner may read, draw from, and ask about."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from labeling.models import Assignment, Item, Judgment, Project, Selection, Stream
from labeling.models.items import ItemState


def trainable(project: Project) -> QuerySet[Item]:
    """The only way from a project to its learner. Left out are withdrawn pages and every cluster a gold sample touches.

    A cluster is a registrable domain; a page with the very text of a gold page stays out too, wherever it stands.
    """
    gold = Selection.objects.filter(item__project=project, stream=Stream.GOLD)
    texts = gold.filter(item__snapshot__isnull=False).values("item__snapshot__content_hash")
    return (
        Item.objects.filter(Q(snapshot=None) | ~Q(snapshot__content_hash__in=texts), project=project)
        .exclude(state=ItemState.WITHDRAWN)
        .exclude(registrable_domain__in=gold.values("item__registrable_domain"))
    )


def frame(project: Project) -> QuerySet[Item]:
    """What the random arm is a sample of: every active page away from gold, whether it was asked or not."""
    return trainable(project).filter(state=ItemState.ACTIVE)


def was_asked() -> Q:
    """Of an item: it waits for an answer or has one, whoever chose it."""
    slots, answers = (model.objects.filter(item=OuterRef("pk")) for model in (Assignment, Judgment))
    return Q(Exists(slots)) | Q(Exists(answers))


def candidates(project: Project) -> QuerySet[Item]:
    """Pages of the frame that nobody was asked about."""
    return frame(project).filter(~was_asked())
