"""What a project asks of answers beyond that nobody contradicts them: from its settings, its labels and its fit."""

from functools import partial

from labeling import schemas
from labeling.fits import Fitted
from labeling.models import Label, Project
from labeling.models.projects import Severity
from labeling.tallies import Standards

RARE_BELOW = 0.02  # share of all pages on which a label holds


def of(project: Project, schema: schemas.Schema, fit: Fitted | None, *, is_drawn: bool) -> Standards:
    """Of one page; `is_drawn`: it is in an evaluation sample."""
    confirmed = confirmed_in(project, schema, fit)
    if fit is None:
        return Standards(confirmed=confirmed)
    stop = {label.key: stop_of(project, label, is_drawn=is_drawn) for label in schema.asked if fit.answers(label)}
    return Standards(partial(fit.chances, labels=schema.asked), stop, confirmed)


def stop_of(project: Project, label: Label, *, is_drawn: bool) -> float:
    """How likely an error of a label may be where it counts as settled: the strictest limit that applies to it."""
    limits = [project.stop_error]
    if is_drawn:
        limits.append(project.stop_error_gold)
    if label.severity == Severity.GRAVE:
        limits.append(project.stop_error_grave)
    return min(limits)


def confirmed_in(project: Project, schema: schemas.Schema, fit: Fitted | None) -> frozenset[str]:
    """The labels of which a person decides every yes."""
    if not project.confirms_rare:
        return frozenset()
    return frozenset(label.key for label in schema.asked if _is_rare(label, fit))


def _is_rare(label: Label, fit: Fitted | None) -> bool:
    """By pages drawn by chance; until they tell, by what was declared; never by pages a model chose."""
    known = fit.prevalence.get(label.key) if fit is not None and fit.answers(label) else None
    share = known if known is not None else label.declared_prevalence
    return share is not None and share < RARE_BELOW
