"""kill -9 of the whole worker group in the middle of an import: nothing lost, nothing doubled, on again within 60 s."""

import pytest

from labeling.models import Job
from tests.conftest import this_database_url
from tests.faults.lists import QUICK, assert_whole, is_done, is_under_way, rows_done, start_import, wait_until
from tests.servers import Worker

AS_SHIPPED: dict[str, str] = {}


@pytest.mark.faults
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seconds", [QUICK, pytest.param(AS_SHIPPED, marks=pytest.mark.slow)], ids=["quick", "shipped"])
def test_a_killed_import_goes_on_with_another_worker(broker, seconds):
    run = start_import()
    where = {"database_url": this_database_url(), "redis_url": broker.url}
    with Worker(**where, **seconds) as worker:
        wait_until(lambda: is_under_way(run), seconds=60)
        worker.kill()
    stopped_at = rows_done(run)
    assert is_under_way(run), "the import was over before it could be killed"
    with Worker(**where, **seconds):
        wait_until(lambda: rows_done(run) > stopped_at, seconds=60)
        wait_until(lambda: is_done(run), seconds=120)
    assert_whole(run)
    assert Job.objects.get(pk=run.pk).attempt == 2
