"""How a project stands, in counts: pages, answers, the queue, disputes.

Counted while a page is asked for as long as the project is small. A larger one is counted every few minutes by a job,
once for all who look, and pages say of when the counts are.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, Count, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Cast, Concat, Now
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from labeling.models import (
    Assignment,
    Consensus,
    Dispute,
    Draw,
    GoldRelease,
    Import,
    Item,
    ItemState,
    Judgment,
    Project,
    ProjectCount,
    State,
)
from labeling.models.work import ASIDE, COUNTED

SMALL = 10_000  # rows (pages, answers and slots) that are counted for whoever asks


@dataclass(frozen=True, slots=True)
class Counts:
    n_pages: int = 0
    n_refused: int = 0  # rows of imports
    n_answers: int = 0  # that count, imported ones among them
    n_imported: int = 0
    # Slots of answers that count. Open: anyone may have it. Run out: a lease nobody has kept up.
    n_open: int = 0
    n_leased: int = 0
    n_run_out: int = 0
    n_aside: int = 0
    oldest_open: datetime | None = None
    # Pages by what their answers say together
    n_pending: int = 0
    n_agreed: int = 0
    n_disputed: int = 0
    n_decided: int = 0
    oldest_dispute: datetime | None = None
    n_samples: int = 0
    release: str = ""  # version of the newest, or nothing

    @property
    def n_waiting(self) -> int:
        """Answers nobody has given yet."""
        return self.n_open + self.n_leased + self.n_run_out + self.n_aside

    @property
    def n_answers_wanted(self) -> int:
        return self.n_answers + self.n_waiting

    @property
    def n_contested(self) -> int:
        """Pages on which people disagreed, decided or not."""
        return self.n_disputed + self.n_decided

    @property
    def n_rows(self) -> int:
        return self.n_pages + self.n_answers + self.n_waiting


MOMENTS = ("oldest_open", "oldest_dispute")


def of_project(project: Project) -> tuple[Counts, datetime | None]:
    """The counts, and of when they are: None for now."""
    kept = ProjectCount.objects.filter(project=project).first()
    stored = read(kept) if kept else None
    if kept is None or stored is None or stored.n_rows <= SMALL:
        return counted(project), None
    return stored, kept.counted_at


def refresh(project: Project) -> Counts:
    """Count and keep it."""
    found, moment = counted(project), timezone.now()
    counts = asdict(found) | {name: _as_text(getattr(found, name)) for name in MOMENTS}
    ProjectCount.objects.update_or_create(project=project, defaults={"counts": counts, "counted_at": moment})
    return found


def read(kept: ProjectCount) -> Counts | None:
    """What was kept; None when another version of this program kept other counts."""
    try:
        return Counts(**kept.counts | {name: parse_datetime(kept.counts[name] or "") for name in MOMENTS})
    except (KeyError, TypeError, ValueError):
        return None


def _as_text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


# ---- counting: GROUP BYs, whatever the number of pages --------------------------------------------------------------
def counted(project: Project) -> Counts:
    return Counts(**_about(project), **_answers(project), **_queue(project), **_by_state(project))


def _about(project: Project) -> dict[str, Any]:
    """What takes one number each, in one statement."""
    newest = GoldRelease.objects.filter(project=OuterRef("pk")).order_by("-major", "-minor", "-patch")
    said = Project.objects.filter(pk=project.pk).values(
        n_pages=_one(Item.objects.active(), Count("pk")),
        n_refused=_one(Import.objects.all(), Sum("rows_refused")),
        n_samples=_one(Draw.objects.all(), Count("pk")),
        oldest_dispute=_one(Dispute.objects.open(), Min("opened_at")),
        release=Subquery(newest.values(version=_VERSION)[:1]),
    )
    usual = {"n_pages": 0, "n_refused": 0, "n_samples": 0, "release": ""}
    return usual | {name: value for name, value in said.get().items() if value is not None}


_VERSION = Concat(
    Cast("major", CharField()), Value("."), Cast("minor", CharField()), Value("."), Cast("patch", CharField())
)


def _one(rows: QuerySet[Any], number: Any) -> Subquery:
    of_project = rows.filter(project=OuterRef("pk")).order_by().values("project")
    return Subquery(of_project.annotate(number=number).values("number"))


def _answers(project: Project) -> dict[str, Any]:
    votes = Judgment.objects.votes().filter(rater__project=project)
    of_files = Count("pk", filter=Q(source=Judgment.Source.IMPORT))
    return votes.aggregate(n_answers=Count("pk"), n_imported=of_files)


def _queue(project: Project) -> dict[str, Any]:
    slots = Assignment.objects.filter(project=project, purpose__in=COUNTED, available_at__isnull=False)
    is_open, is_leased = Q(state=State.OPEN), Q(state=State.LEASED)
    is_aside = is_open & Q(available_at=ASIDE)
    return slots.aggregate(
        n_open=Count("pk", filter=is_open & ~Q(available_at=ASIDE)),
        n_leased=Count("pk", filter=is_leased & Q(available_at__gt=Now())),
        n_run_out=Count("pk", filter=is_leased & Q(available_at__lte=Now())),
        n_aside=Count("pk", filter=is_aside),
        oldest_open=Min("created_at", filter=is_open),
    )


def _by_state(project: Project) -> dict[str, Any]:
    pages = Consensus.objects.filter(project=project, item__state=ItemState.ACTIVE).order_by()
    by_state = Counter(dict(pages.values_list("state").annotate(n=Count("pk"))))
    return {
        "n_pending": by_state[Consensus.State.PENDING],
        "n_agreed": by_state[Consensus.State.AGREED],
        "n_disputed": by_state[Consensus.State.DISPUTED],
        "n_decided": by_state[Consensus.State.ADJUDICATED],
    }
