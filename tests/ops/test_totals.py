"""What `./touchstone test` adds up and when it fails."""

import pytest

from tests import chromium, run_test, servers
from tests.run_test import Totals, read_totals
from tests.servers import NoServer, Postgres

REPORT = '<testsuites><testsuite tests="9" failures="1" errors="2" skipped="2"/></testsuites>'


def test_errors_count_as_failures(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert str(read_totals(report)) == "4 passed, 3 failed, 2 skipped"


@pytest.fixture
def halves(monkeypatch):
    """Both halves pass; each pytest run is recorded instead of made."""
    runs = []

    def run(title, marks, arguments, *, env):
        runs.append((title, list(arguments), env))
        return Totals(passed=5)

    monkeypatch.setattr(run_test, "pytest", run)
    monkeypatch.setenv("TEST_DATABASE_URL", "postgres://given/db")
    return runs


def test_both_halves_run_each_on_its_own_database(halves, capsys):
    assert run_test.main(["--no-browser", "-k", "queue"]) == 0
    assert [env["TEST_DATABASE_URL"] for _, _, env in halves] == ["", "postgres://given/db", "postgres://given/db"]
    assert all({"--no-browser", "-k", "queue"} <= set(arguments) for _, arguments, _ in halves)
    assert capsys.readouterr().out.splitlines()[-1] == "15 passed, 0 failed, 0 skipped"


def test_a_missing_postgresql_is_a_failure_not_a_skip(halves, monkeypatch, capsys):
    def no_server():
        raise NoServer("No PostgreSQL here.")

    monkeypatch.delenv("TEST_DATABASE_URL")
    monkeypatch.setattr(run_test, "Postgres", no_server)
    assert run_test.main(["--no-browser"]) == 1
    assert "1 failed" in capsys.readouterr().out.splitlines()[-1]


def test_an_empty_selection_is_a_failure(monkeypatch, halves):
    monkeypatch.setattr(run_test, "pytest", lambda *_, **__: Totals())
    assert run_test.main(["--no-browser"]) == 1


def test_a_cluster_that_cannot_be_made_says_what_initdb_said(monkeypatch, tmp_path):
    (tmp_path / "initdb").write_text("#!/bin/sh\necho no space left on the moon >&2\nexit 1\n")
    (tmp_path / "initdb").chmod(0o755)
    monkeypatch.setattr(servers, "unprivileged_account", lambda: None)
    monkeypatch.setattr(servers, "postgres_binaries", lambda: tmp_path)
    with pytest.raises(NoServer, match="no space left on the moon"):
        Postgres()


def test_a_missing_browser_is_said_before_the_first_test(halves, monkeypatch, capsys):
    monkeypatch.setattr(chromium, "NAMES", ("no-such-browser",))
    run_test.main([])
    assert capsys.readouterr().out.startswith("NO BROWSER.")
    run_test.main(["--no-browser"])
    assert "NO BROWSER" not in capsys.readouterr().out
