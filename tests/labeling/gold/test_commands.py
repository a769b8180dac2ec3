"""The same by command: draw, freeze, export, verify."""

import json

import pytest
from django.core.management import CommandError, call_command

from labeling import released
from tests.labeling.gold.work import annotators, answer_all, make_gold_project

pytestmark = pytest.mark.django_db


def run(capsys, *words):
    call_command(*words)
    return capsys.readouterr().out


def test_a_gold_set_from_draw_to_verified_folder(capsys, tmp_path):
    project = make_gold_project(n_items=8)
    drawn = json.loads(run(capsys, "draw_sample", project.slug, "--size", "4", "--seed", "a", "--json"))
    assert (drawn["sample"], drawn["probability_fraction"]) == (1, "4/8")
    answer_all(project, *annotators(project))
    frozen = json.loads(run(capsys, "freeze_release", project.slug, "--notes", "First.", "--json"))
    assert frozen["version"] == "1.0.0"
    folder = tmp_path / "gold"
    assert "all as released" in run(capsys, "export_release", project.slug, "1.0.0", str(folder))
    assert "is whole" in run(capsys, "verify_release", str(folder))
    assert (folder / "data.jsonl").read_bytes() == released.read_file(released.latest(project), "data.jsonl")
    (folder / "data.jsonl").write_bytes(b"")
    with pytest.raises(SystemExit) as ended:
        call_command("verify_release", str(folder), "--json")
    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


@pytest.mark.parametrize(
    "words",
    [
        ("draw_sample", "nowhere", "--size", "1"),
        ("freeze_release", "nowhere"),
        ("export_release", "nowhere", "1.0.0", "x"),
    ],
)
def test_a_project_that_is_none_is_one_sentence(words):
    with pytest.raises(CommandError, match="There is no project “nowhere”"):
        call_command(*words)


def test_what_cannot_be_done_is_one_sentence(tmp_path):
    project = make_gold_project()
    with pytest.raises(CommandError, match="choose from 1 to 6"):
        call_command("draw_sample", project.slug, "--size", "7")
    with pytest.raises(CommandError, match="Draw a sample first"):
        call_command("freeze_release", project.slug)
    with pytest.raises(CommandError, match=r"has no version 1\.0\.0"):
        call_command("export_release", project.slug, "1.0.0", str(tmp_path / "x"))
    with pytest.raises(CommandError, match="Choose adjudicated, unanimous"):
        call_command("draw_sample", project.slug, "--size", "1", "--seed", "b")
        call_command("freeze_release", project.slug, "--accept", "games=most")
