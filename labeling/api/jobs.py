"""Work under way: where it stands, and how to stop it."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from labeling import jobs
from labeling import permissions as policy
from labeling.api.base import ActionView
from labeling.models import Job, Project


class JobShape(serializers.Serializer):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=Job.State.choices)
    progress = serializers.FloatField(allow_null=True, help_text="0 to 1; null when it cannot be told")
    message = serializers.CharField()
    result = serializers.JSONField(allow_null=True)
    url = serializers.URLField(help_text="where this job can be asked for")


def job_shape(job: Job, request: Any) -> dict[str, Any]:
    return {
        "id": str(job.pk),
        "kind": job.kind,
        "state": job.state,
        "progress": job.progress,
        "message": job.message,
        "result": job.result,
        "url": request.build_absolute_uri(f"/api/v1/jobs/{job.pk}/"),
    }


def accepted(job: Job, request: Any) -> Response:
    """202: the work is queued; Location says where to ask."""
    shape = job_shape(job, request)
    return Response(shape, status=202, headers={"Location": shape["url"]})


class _JobAction(ActionView):
    """A job stands outside the project's address: its project is found by the job, and then asked like any other."""

    job: Job

    def scope_project(self) -> None:
        found = Job.objects.visible_to(self.person).filter(pk=self.kwargs["job_id"])
        job = found.select_related("project").first()
        if job is None:
            self.hide(Project.objects.filter(jobs=self.kwargs["job_id"]).first())
        self.job = job
        if job.project is not None:
            self.project = job.project
            self.roles = policy.roles_of(self.person, job.project)
        elif not self.person.is_superuser:
            raise Http404


class JobView(_JobAction):
    actions = {"GET": "job.status"}

    @extend_schema(responses=JobShape)
    def get(self, request, job_id) -> Response:
        """Where the job stands."""
        return Response(job_shape(self.job, request))


class CancelView(_JobAction):
    actions = {"POST": "import.cancel"}

    @extend_schema(request=None, responses=JobShape)
    def post(self, request, job_id) -> Response:
        """Stop it: a waiting job at once, a running one after its current step."""
        jobs.cancel(self.job, by=request.user)
        self.job.refresh_from_db()
        return Response(job_shape(self.job, request))
