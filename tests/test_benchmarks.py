"""Each benchmark still runs, at sizes that prove nothing about speed: no figure is asserted."""

import pytest

from benchmarks import agreement, annotating, dashboards, exporting, importing, queueing, refitting, runs
from tests.conftest import this_database_url

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def told(figures) -> dict[str, float]:
    return {figure.what: figure.value for figure in figures}


def test_import():
    assert told(importing.measure(50))["import of 50 URLs"] > 0


def test_queue():
    said = told(queueing.measure(few=20, many=40, finished=5, turns=4, morning=10))
    assert said["statements of a lease, with BEGIN and COMMIT"] > 0


def test_annotators_over_http():
    said = told(annotating.measure(clients=2, seconds=0.5, database_url=this_database_url()))
    assert said["submit + next, 2 annotators at once"] > 0
    assert said["errors"] == said["items given to more people than asked"] == 0
    assert said["answers acknowledged and not stored"] == 0


def test_export():
    assert told(exporting.measure(40))["bytes of a row"] > 100


def test_dashboards(tmp_path, monkeypatch):
    monkeypatch.setattr(dashboards, "TIMES", 2)
    said = told(dashboards.measure(80, people=11, plans=tmp_path / "plans.txt"))
    assert (said["dashboards: pages of the project"], said["dashboards: answers to them"]) == (80, 238)
    assert said["dashboards, pairs: p95"] > 0
    assert (tmp_path / "plans.txt").exists()


def test_agreement_and_the_refit():
    said = told(agreement.measure(200)) | told(refitting.measure(200))
    assert said["MASI alpha and its error, 200 items"] > 0
    assert said["refit of 200 items / bare"] > 0


def test_the_table_shows_what_was_missed():
    report = {
        "machine": {"cores": 2, "memory_gib": 4.0, "load": [0.1], "postgresql": "18", "python": "3.11"},
        "took_seconds": 1.0,
        "figures": {"queue": [{"what": "lease", "value": 30.0, "unit": "ms", "target": "<= 20", "is_reached": False,
                               "digits": 1}]},
    }  # fmt: skip
    assert "30.0 ms  <= 20      MISSED" in runs.table(report)
