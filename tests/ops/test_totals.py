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
def runs(monkeypatch):
    """Every pytest run passes; it is recorded instead of made."""
    runs = []

    class Recorded:
        comes_to = Totals(passed=5)

        def __init__(self, title, marks, arguments, *, env, is_beside=False):
            runs.append((list(arguments), env))

        def totals(self):
            return self.comes_to

    monkeypatch.setattr(run_test, "Run", Recorded)
    monkeypatch.setenv("TEST_DATABASE_URL", "postgres://given/db")
    return runs


def test_every_part_runs_on_a_database_of_its_own(runs, capsys):
    assert run_test.main(["--no-browser", "-k", "queue"]) == 0
    assert sorted((env["TEST_DB"], env["TEST_DATABASE_URL"]) for _, env in runs) == [
        ("postgres", "postgres://given/db"), ("sqlite", ""), ("whole", "postgres://given/db"),
    ]  # fmt: skip
    assert all({"--no-browser", "-k", "queue"} <= set(arguments) for arguments, _ in runs)
    assert capsys.readouterr().out.splitlines()[-1] == "15 passed, 0 failed, 0 skipped"


def test_what_runs_beside_says_it_afterwards_and_a_failure_counts(tmp_path, monkeypatch, capfd):
    (tmp_path / "test_it.py").write_text("def test_good(): pass\ndef test_bad(): assert not 'a reason to see'\n")
    monkeypatch.setattr(run_test, "REPOSITORY", tmp_path)
    run = run_test.Run("Beside", "", ["-p", "no:django"], env={"DJANGO_SETTINGS_MODULE": ""}, is_beside=True)
    run.process.wait()
    assert capfd.readouterr().out == ""
    assert str(run.totals()) == "1 passed, 1 failed, 0 skipped"
    said = capfd.readouterr().out
    assert said.startswith("\n== Beside ==")
    assert "a reason to see" in said


def test_a_missing_postgresql_is_a_failure_not_a_skip(runs, monkeypatch, capsys):
    def no_server():
        raise NoServer("No PostgreSQL here.")

    monkeypatch.delenv("TEST_DATABASE_URL")
    monkeypatch.setattr(run_test, "Postgres", no_server)
    assert run_test.main(["--no-browser"]) == 1
    assert "1 failed" in capsys.readouterr().out.splitlines()[-1]


def test_an_empty_selection_is_a_failure(monkeypatch, runs):
    monkeypatch.setattr(run_test.Run, "comes_to", Totals())
    assert run_test.main(["--no-browser"]) == 1


def test_a_cluster_that_cannot_be_made_says_what_initdb_said(monkeypatch, tmp_path):
    (tmp_path / "initdb").write_text("#!/bin/sh\necho no space left on the moon >&2\nexit 1\n")
    (tmp_path / "initdb").chmod(0o755)
    monkeypatch.setattr(servers, "unprivileged_account", lambda: None)
    monkeypatch.setattr(servers, "postgres_binaries", lambda: tmp_path)
    with pytest.raises(NoServer, match="no space left on the moon"):
        Postgres()


def test_a_missing_browser_is_said_before_the_first_test(runs, monkeypatch, capsys):
    monkeypatch.setattr(chromium, "NAMES", ("no-such-browser",))
    run_test.main([])
    assert capsys.readouterr().out.startswith("NO BROWSER.")
    run_test.main(["--no-browser"])
    assert "NO BROWSER" not in capsys.readouterr().out
