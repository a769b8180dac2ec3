import pytest


@pytest.fixture
def blobs(settings, tmp_path):
    """A folder of this test's own for models and scores; no heartbeat of a job in a thread beside its transaction."""
    settings.BLOB_DIR = tmp_path / "blobs"
    settings.JOB_HEARTBEAT_SECONDS = 3600
    return settings.BLOB_DIR
