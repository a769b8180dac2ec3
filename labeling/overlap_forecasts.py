"""What asking more people where answers leave doubt would come to here, told by the newest pages before it is done."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Avg, Q, Sum
from scipy.special import logit

from labeling import fits, schemas, standards, votes
from labeling.fits import Fitted
from labeling.models import Adjudication, Consensus, DailyCount, Judgment, Project, Stream
from labeling.one_more import NEVER_CLEAR
from labeling.quality.cells import NO, YES, Floats, Integers
from labeling.quality.first_judgments import first_judgments
from labeling.quality.overlap import Mask, Policy
from labeling.quality.overlap_forecast import Forecast, Pilot, forecast

PAGES = 2_000  # the newest with enough answers: more tell no more than their interval says
FEWEST = 20
SEED = 0
ORDINARY, DRAWN = "default", Stream.GOLD.value
NO_FIT = "the first fit of what people know is made when 100 answers are in"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a project's rules come to on its newest pages. names: of the labels of the forecast's columns.

    answers: an answer a page on the average, those of the audit share with them; hours: of people's time for 1,000
    pages, None where it is not known how long an answer or a decision takes.
    """

    forecast: Forecast
    names: tuple[str, ...]
    answers: float
    hours: float | None

    @property
    def n_pages(self) -> int:
        return self.forecast.n_judgments.size


def with_rules(project: Project, rules: Mapping[str, Any]) -> Project:
    """The project as it would be under these settings; it is not to be saved."""
    found = copy.copy(project)
    for name, value in rules.items():
        setattr(found, name, value)
    return found


def of(project: Project, *, stream: str = ORDINARY) -> "Outlook | str":
    """What the rules this project has, or was given by `with_rules`, come to; or why that cannot be told."""
    schema, fit = schemas.in_force_if_any(project), fits.in_force(project)
    if schema is None or fit is None:
        return NO_FIT
    start = project.overlap_for(stream)
    labels = [label for label in schema.asked if fit.answers(label)]
    pilot = _pilot(project, schema, fit, [label.key for label in labels], start=start)
    if isinstance(pilot, str):
        return pilot
    is_drawn = stream == DRAWN
    most = max(start, project.overlap_most) if project.adaptive else start
    stop = np.array([standards.stop_of(project, label, is_drawn=is_drawn) for label in labels])
    severity = np.array([float(label.severity or 1) for label in labels])
    confirmed = standards.confirmed_in(project, schema, fit)
    found = forecast(
        pilot, Policy(np.clip(stop, NEVER_CLEAR, 0.5), severity, start, most), rng=np.random.default_rng(SEED),
        temperature=fit.temperature, confirm_yes=np.array([label.key in confirmed for label in labels], dtype=bool),
        budget=project.overlap_budget if project.adaptive else None, decides_splits=True,
    )  # fmt: skip
    audited = project.audit_share * float((~found.is_adjudicated & (found.n_judgments < most)).mean())
    answers = float(found.n_judgments.mean()) + audited
    return Outlook(found, tuple(label.name for label in labels), answers, _hours(project, found, answers))


# ---- the pages it is played through on ------------------------------------------------------------------------------
def _pilot(project: Project, schema: schemas.Schema, fit: Fitted, keys: list[str], *, start: int) -> "Pilot | str":
    """The newest pages after their first answers."""
    newest = Consensus.objects.filter(project=project, n_judgments__gte=start, n_judgments__gt=0)
    items = list(newest.order_by("-item").values_list("item", flat=True)[:PAGES])
    if len(items) < FEWEST or not keys:
        return f"{FEWEST - len(items)} more pages with as many answers are needed"
    last = Judgment.objects.filter(rater__project=project).order_by("-pk").values_list("pk", flat=True).first()
    read = votes.read(project.pk, schema.id, to=last, among=Q(item__in=items)).overall()
    first = first_judgments(read.items, np.arange(read.items.size), most=start)
    said = read.where(first)
    columns = [read.keys.index(key) for key in keys]
    known = [fit.keys.index(key) for key in keys]
    rows = np.array([fit.rows.get(rater, -1) for rater in read.rater_ids])[said.raters]
    verdicts = said.verdicts[:, columns]
    yes, no = fit.weights.yes[:, known][rows], fit.weights.no[:, known][rows]
    log_odds: Floats = np.tile(logit(fit.prior[known]), (read.n_items, 1))
    np.add.at(log_odds, said.items, (verdicts == YES) * yes + (verdicts == NO) * no)
    said_yes, said_no = (_anybody(said.items, verdicts == code, read.n_items) for code in (YES, NO))
    whole = np.bincount(said.items, minlength=read.n_items) >= start
    skills = fit.skills.of_labels(known)
    if whole.sum() < FEWEST or not len(skills.sensitivity):
        return f"{FEWEST - int(whole.sum())} more pages with as many answers are needed"
    return Pilot(log_odds[whole], said_yes[whole], said_no[whole], skills)


def _anybody(items: Integers, said: Mask, n_items: int) -> Mask:
    found = np.zeros((n_items, said.shape[1]), dtype=bool)
    np.logical_or.at(found, items, said)
    return found


# ---- what it costs --------------------------------------------------------------------------------------------------
def _hours(project: Project, found: Forecast, answers: float) -> float | None:
    """For 1,000 pages, by the mean time of answers and decisions so far."""
    timed = DailyCount.objects.filter(project=project, stream="").aggregate(n=Sum("timed_answers"), all=Sum("seconds"))
    decided = float(found.is_adjudicated.mean())
    deciding = Adjudication.objects.filter(item__project=project).aggregate(mean=Avg("active_seconds"))["mean"]
    if not timed["n"] or (decided and deciding is None):
        return None
    return 1000 * float(answers * timed["all"] / timed["n"] + decided * (deciding or 0.0)) / 3600
