"""The database ends every session in the middle of an import, as a restart or a fail-over does: it goes on."""

import pytest
from django.db import connection

from labeling.models import Job
from tests.conftest import this_database_url
from tests.faults.lists import QUICK, assert_whole, is_done, is_under_way, start_import, wait_until
from tests.servers import Worker

END_THE_OTHERS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.mark.faults
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_import_whose_sessions_are_ended_goes_on_in_the_same_worker(broker):
    run = start_import()
    with Worker(database_url=this_database_url(), redis_url=broker.url, **QUICK):
        wait_until(lambda: is_under_way(run), seconds=60)
        with connection.cursor() as cursor:
            cursor.execute(END_THE_OTHERS)
            assert cursor.fetchone()[0] >= 1
        assert is_under_way(run), "the import was over before it could be cut off"
        wait_until(lambda: is_done(run), seconds=120)
    assert_whole(run)
    assert Job.objects.get(pk=run.pk).attempt == 2
