"""What is deleted when its time is over, and what never is."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from labeling import retention
from labeling.models import Draft, IdempotencyKey, Job
from tests.factories import make_item, make_project, make_user
from tests.labeling.jobs.work import make_job

pytestmark = pytest.mark.django_db
State = Job.State


def ago(**time: float) -> datetime:
    return timezone.now() - timedelta(**time)


def make_key(**fields) -> IdempotencyKey:
    return IdempotencyKey.objects.create(user=make_user(), key="k", request_sha256="0" * 64, status=201, **fields)


def make_draft(**fields) -> Draft:
    return Draft.objects.create(annotator=make_user(), item=make_item(make_project()), **fields)


def test_old_finished_jobs_are_deleted_and_unfinished_ones_never(settings):
    over = ago(days=settings.JOB_RETENTION_DAYS, hours=1)
    for state in (State.DONE, State.FAILED, State.CANCELLED):
        make_job(state=state, finished_at=over)
    kept = {make_job(state=State.DONE, finished_at=ago(days=settings.JOB_RETENTION_DAYS, hours=-1)).pk,
            make_job(created_at=over).pk}  # fmt: skip
    assert retention.apply()["jobs"] == 3
    assert set(Job.objects.values_list("pk", flat=True)) == kept


def test_a_remembered_answer_is_kept_as_long_as_promised_and_no_longer(settings):
    assert settings.IDEMPOTENCY_HOURS >= 24
    make_key(created_at=ago(hours=settings.IDEMPOTENCY_HOURS, minutes=1))
    kept = make_key(created_at=ago(hours=settings.IDEMPOTENCY_HOURS, minutes=-1))
    assert retention.apply()["idempotency_keys"] == 1
    assert IdempotencyKey.objects.get() == kept


def test_a_draft_is_kept_from_the_day_it_was_last_saved(settings):
    make_draft(saved_at=ago(days=settings.DRAFT_RETENTION_DAYS, hours=1))
    kept = make_draft(saved_at=ago(days=settings.DRAFT_RETENTION_DAYS, hours=-1))
    assert retention.apply()["drafts"] == 1
    assert Draft.objects.get() == kept
