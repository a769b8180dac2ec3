"""Celery's door of the learner: its jobs, and the poll that asks for a run when one is due."""

from celery import shared_task

from active_learning import batches, training
from labeling import jobs

jobs.handles(training.KIND)(training.carry_out)
jobs.handles(batches.KIND)(batches.carry_out)


@shared_task
def poll() -> int:
    """Queue a training run for each project whose count or clock asks for one. Returns how many."""
    return len(training.request_due())
