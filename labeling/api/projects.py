"""Projects: list, make, read, change under If-Match, delete while empty."""

from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework.response import Response

from labeling import permissions, projects, publishing
from labeling.api.base import ActionView, paged
from labeling.api.conventions import if_match
from labeling.api.project_shapes import ProjectChange, ProjectCreation, ProjectShape, draft_from, project_shape
from labeling.models import Membership, Project, SchemaVersion, User
from labeling.refusals import Stale

SCHEMA_NAMES = ("labels", "guideline", "exclusive_groups")
IF_MATCH = OpenApiParameter(
    "If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="the ETag last read; another one is a 412"
)


def with_schema(found: QuerySet[Project]) -> QuerySet[Project]:
    """Each project with the version in force and its labels, in three queries whatever the number of projects."""
    newest = SchemaVersion.objects.filter(project=OuterRef("project")).order_by("-number").values("pk")[:1]
    versions = SchemaVersion.objects.filter(pk=Subquery(newest)).prefetch_related("labels")
    return found.prefetch_related(Prefetch("schema_versions", versions, to_attr="newest_schema"))


def schema_found(project: Project) -> SchemaVersion | None:
    """What with_schema found; None where no version was published."""
    return next(iter(project.newest_schema), None)  # type: ignore[attr-defined]  # prefetched by with_schema


def etag(project: Project) -> str:
    return f'"{project.version}"'


def expected_version(request) -> int | None:
    """The settings' version the caller last read; None when it does not say."""
    tag = if_match(request)
    if tag is None or tag == "*":
        return None
    number = tag.strip('"')
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else -1


class ProjectsView(ActionView):
    actions = {"GET": "project.list", "POST": "project.create"}
    query = frozenset({"archived"})

    @extend_schema(
        responses=ProjectShape(many=True),
        parameters=[OpenApiParameter("archived", OpenApiTypes.BOOL, description="true: those put away, too")],
    )
    def get(self, request) -> Response:
        """Projects you are a member of; all of them for a superuser."""
        found = Project.objects.visible_to(request.user)
        if request.query_params.get("archived") != "true":
            found = found.live()
        roles = roles_by_project(request.user)
        return paged(
            self, with_schema(found),
            lambda project: project_shape(
                project, schema_found(project), user=request.user,
                roles=roles.get(project.pk, frozenset()),
            ),
        )  # fmt: skip

    @extend_schema(request=ProjectCreation, responses={201: ProjectShape})
    def post(self, request) -> Response:
        """Make a project; you become its manager. Its labels are published as version 1."""
        body = ProjectCreation(data=request.data)
        body.is_valid(raise_exception=True)
        project = created(body.validated_data, by=request.user)
        response = answer(project, request.user, status=201)
        response["Location"] = request.build_absolute_uri(f"{request.path}{project.slug}/")
        return response


class ProjectView(ActionView):
    actions = {"GET": "project.read", "PATCH": "project.update_settings", "DELETE": "project.delete"}

    @extend_schema(responses=ProjectShape)
    def get(self, request, slug: str) -> Response:
        """Name, guideline and labels; the settings for people who do more than judge."""
        return answer(self.project, request.user, roles=self.roles)

    @extend_schema(request=ProjectChange, responses=ProjectShape, parameters=[IF_MATCH])
    def patch(self, request, slug: str) -> Response:
        """Change what the body names. Other labels or another guideline publish a new schema version."""
        body = ProjectChange(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            project = changed(self.project, body.validated_data, by=request.user, expected=expected_version(request))
        except Stale as stale:
            stale.extra |= {"current": shape_of(self.project, request.user, self.roles), "yours": request.data}
            raise
        return answer(project, request.user, roles=self.roles)

    @extend_schema(responses={204: None})
    def delete(self, request, slug: str) -> Response:
        """Only a project without pages; others are archived."""
        projects.delete(self.project, by=request.user)
        return Response(status=204)


@transaction.atomic
def created(body: dict[str, Any], *, by: User | None) -> Project:
    project = projects.create(body, by=by)
    publishing.publish(project, draft_from(body, publishing.Draft()), by=by)
    return project


@transaction.atomic
def changed(project: Project, body: dict[str, Any], *, by: User, expected: int | None) -> Project:
    """Settings and labels in one transaction: both or neither."""
    project = projects.change(project, body, by=by, expected=expected)
    if any(name in body for name in SCHEMA_NAMES):
        before = publishing.draft_of(publishing.in_force(project))
        publishing.publish(project, draft_from(body, before), by=by)
    if "archived" in body:
        (projects.archive if body["archived"] else projects.restore)(project, by=by)
    project.refresh_from_db()
    return project


def roles_by_project(user: User) -> dict[int, frozenset[str]]:
    held: dict[int, set[str]] = {}
    for project_id, role in Membership.objects.filter(user=user).values_list("project", "role"):
        held.setdefault(project_id, set()).add(role)
    return {project_id: frozenset(roles) for project_id, roles in held.items()}


def shape_of(project: Project, user: User, roles: frozenset[str]) -> dict[str, Any]:
    project = with_schema(Project.objects.filter(pk=project.pk)).get()
    return project_shape(project, schema_found(project), user=user, roles=roles)


def answer(project: Project, user: User, *, roles: frozenset[str] | None = None, status: int = 200) -> Response:
    roles = permissions.roles_of(user, project) if roles is None else roles
    return Response(shape_of(project, user, roles), status=status, headers={"ETag": etag(project)})
