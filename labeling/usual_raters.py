"""The usual rater of each label of a project, from the counts of agreement: what others say of a page is read by it."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet, Sum

from labeling import schemas
from labeling.models import AgreementCell, Project
from labeling.quality.cells import Cells
from labeling.quality.usual import Usual, usual_rater


def of_project(project: Project, schema: schemas.Schema) -> Mapping[str, Usual]:
    """Label key -> its usual rater, over all streams. One query."""
    rows = whole(AgreementCell.objects.filter(project=project)).order_by()
    cells: dict[tuple[str, int], list[tuple[int, int, int]]] = defaultdict(list)
    for key, revision, n, k, count in rows.values_list("label", "revision", "n", "k").annotate(pages=Sum("count")):
        cells[key, revision].append((n, k, count))
    return {label.key: usual_rater(Cells.from_rows(cells[label.key, label.revision])) for label in schema.asked}


def whole(sums: QuerySet[Any], *, stream: str = "") -> QuerySet[Any]:
    """The sums of the whole project, or of one stream; people who were shown what a model says are left out."""
    unaided = sums.filter(is_aided=False)
    return unaided.filter(stream=stream) if stream else unaided.filter(is_mixed=False)
