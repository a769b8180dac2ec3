"""What waits for a person in each of their projects, in words, for the list of projects."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from labeling.models import Assignment, Dispute, GoldRelease, Membership, Project, Role, User
from labeling.phrases import listed

ROLE_NAMES = {  # as they stand in a sentence
    Role.VIEWER: gettext_lazy("viewer"),
    Role.ANNOTATOR: gettext_lazy("annotator"),
    Role.ADJUDICATOR: gettext_lazy("adjudicator"),
    Role.MANAGER: gettext_lazy("manager"),
}
ANSWERING = {Role.ANNOTATOR, Role.ADJUDICATOR}
COUNTED_SLOTS = 500  # counting stops here, so that a queue of a million costs no more than a short one
SHOWN_PAGES = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One project as a line. `action` is what the person can do there next: annotate, adjudicate or nothing."""

    project: Project
    roles: tuple[str, ...]
    waiting: str
    action: str
    gold: str

    @property
    def roles_in_words(self) -> str:
        return listed([str(ROLE_NAMES[Role(role)]) for role in self.roles])


def lines_for(user: User, projects: Iterable[Project]) -> list[Line]:
    projects = list(projects)
    roles = _roles(user)
    disputes = _disputed_pages(projects)
    gold = _newest_gold(projects)
    return [
        _line(user, project, roles.get(project.pk, ()), disputes.get(project.pk, 0), gold.get(project.pk, ""))
        for project in projects
    ]


def _line(user: User, project: Project, roles: tuple[str, ...], disputed: int, gold: str) -> Line:
    if project.archived_at is not None:
        return Line(project, roles, _("Archived."), "", gold)
    if Role.ADJUDICATOR in roles and disputed:
        return Line(project, roles, _("%(pages)s to settle.") % {"pages": _pages(disputed)}, "adjudicate", gold)
    free = _free_pages(user, project) if ANSWERING & {*roles} else ""
    if free:
        return Line(project, roles, _("%(pages)s to judge.") % {"pages": free}, "annotate", gold)
    return Line(project, roles, _("Nothing waits for you."), "", gold)


def _pages(n: int) -> str:
    return ngettext("%(n)s page", "%(n)s pages", n) % {"n": f"{n:,}"}


def _roles(user: User) -> dict[int, tuple[str, ...]]:
    held: dict[int, tuple[str, ...]] = {}
    rows = Membership.objects.filter(user=user).order_by("role").values_list("project", "role")
    for project_id, role in rows:
        held[project_id] = (*held.get(project_id, ()), role)
    return held


def _free_pages(user: User, project: Project) -> str:
    """ "58 pages", "100 pages or more", or nothing. A page may wait in several slots."""
    for_them = Q(assigned_to=None) | Q(assigned_to=user)
    free = Assignment.objects.open_to(user, now=Now()).filter(for_them, project=project).in_queue_order()
    slots = list(free.values_list("item", flat=True)[:COUNTED_SLOTS])
    pages = len(set(slots))
    if not pages:
        return ""
    if pages < SHOWN_PAGES and len(slots) < COUNTED_SLOTS:
        return _pages(pages)
    return _("%(pages)s or more") % {"pages": _pages(min(pages, SHOWN_PAGES))}


def _disputed_pages(projects: list[Project]) -> dict[int, int]:
    counted = Dispute.objects.open().filter(project__in=projects).values("project").order_by()
    return dict(counted.annotate(n=Count("item", distinct=True)).values_list("project", "n"))


def _newest_gold(projects: list[Project]) -> dict[int, str]:
    releases = GoldRelease.objects.filter(project__in=projects).order_by("major", "minor", "patch")
    return {release.project_id: release.version for release in releases}
