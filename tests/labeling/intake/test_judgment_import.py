"""Existing answers in: as judgments of pseudonymous raters that count like any vote."""

import pytest

from labeling.models import Consensus, Job, Judgment, Rater
from tests.factories import make_item, make_member, make_project
from tests.labeling.intake.files import bring_answers, counts, csv, ndjson, reasons

pytestmark = pytest.mark.django_db
HEADER = "url,annotator,yes,unsure,none"


@pytest.fixture
def project():
    project = make_project()  # labels games, news, self_harm
    make_item(project, "https://a.example/", external_id="17")
    return project


def test_an_answer_has_a_verdict_for_every_label_asked(project):
    run = bring_answers(project, csv("https://a.example/,w18,games|news,self_harm,", header=HEADER))
    judgment = Judgment.objects.get()
    assert counts(run) == (1, 0, 0, 0)
    assert judgment.verdicts == {"games": "yes", "news": "yes", "self_harm": "unsure"}
    assert (judgment.rater.code, judgment.rater.user, judgment.source) == ("w18", None, "import")


@pytest.mark.parametrize("cell", ["games|news", "games;news", '"games,news"', "games | news"])
def test_labels_in_one_cell_may_be_separated_in_three_ways(project, cell):
    bring_answers(project, csv(f"https://a.example/,w1,{cell},,", header=HEADER))
    assert Judgment.objects.get().yes == ["games", "news"]


def test_only_the_labels_asked_get_a_verdict(project):
    bring_answers(
        project, ndjson({"external_id": "17", "annotator": "w1", "yes": ["news"], "asked": ["news", "games"]})
    )
    assert Judgment.objects.get().verdicts == {"games": "no", "news": "yes"}


def test_times_are_kept(project):
    row = {"external_id": "17", "annotator": "w1", "none": True, "active_seconds": 12.5, "submitted_at": "2025-02-03"}
    bring_answers(project, ndjson(row))
    judgment = Judgment.objects.get()
    assert (judgment.active_seconds, judgment.submitted_at.isoformat()) == (12.5, "2025-02-03T00:00:00+00:00")
    assert set(judgment.verdicts.values()) == {"no"}


def test_a_dead_page_is_an_outcome_without_verdicts(project):
    bring_answers(project, ndjson({"external_id": "17", "annotator": "w1", "skip_reason": "dead"}))
    judgment = Judgment.objects.get()
    assert (judgment.outcome, judgment.verdicts) == ("not_assessable", {})


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"url": "https://other.example/", "annotator": "w1", "none": True},
         "No page of this project has this address; import the page first."),
        ({"external_id": "99", "annotator": "w1", "none": True},
         "No page of this project has this external_id; import the page first."),
        ({"external_id": "17", "none": True}, "“annotator” must name the rater in 1 to 80 characters."),
        ({"external_id": "17", "annotator": "w1"}, "Choose at least one label, or None of these."),
        ({"external_id": "17", "annotator": "w1", "yes": ["poetry"]}, "Not a label of this page: poetry."),
        ({"external_id": "17", "annotator": "w1", "yes": ["news"], "asked": ["poetry"]},
         "“asked” names no label of this project: poetry."),
        ({"external_id": "17", "annotator": "w1", "skip_reason": "rather_not"},
         "“rather_not” is no outcome of a page. Of skipped pages only these are kept: dead, login, language."),
        ({"external_id": "17", "annotator": "w1", "skip_reason": "dead", "yes": ["news"]},
         "The row has both an answer and a skip_reason. Keep one of the two."),
        ({"external_id": "17", "annotator": "w1", "none": "perhaps"}, "“none” must be true or false."),
        ({"external_id": "17", "annotator": "w1", "none": True, "active_seconds": "NaN"},
         "“active_seconds” must be a number from 0 to 86,400."),
        ({"external_id": "17", "annotator": "w1", "yes": {"news": 1}}, "“yes” must be a list of label keys."),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_taken_says_why(project, row, sentence):
    run = bring_answers(project, ndjson(row))
    assert (counts(run), reasons(run)) == ((0, 0, 0, 1), [(1, sentence)])
    assert run.job.state == Job.State.DONE


def test_the_same_answer_again_is_known_and_another_one_is_refused(project):
    row = "https://a.example/,w1,news,,"
    bring_answers(project, csv(row, header=HEADER))
    run = bring_answers(project, csv(row, "https://a.example/,w1,games,,", header=HEADER))
    assert counts(run) == (0, 1, 0, 1)
    assert reasons(run)[0][1] == "The annotator “w1” answered this page differently already; the earlier answer stands."
    assert Judgment.objects.get().yes == ["news"]


def test_a_file_cannot_speak_for_a_person_with_an_account(project):
    person = Rater.objects.of(project, make_member(project, "annotator"))
    run = bring_answers(project, csv(f"https://a.example/,{person.code},news,,", header=HEADER))
    assert counts(run) == (0, 0, 0, 1)
    assert not Judgment.objects.exists()


def test_imported_answers_that_differ_are_a_dispute(project):
    bring_answers(project, csv("https://a.example/,w1,news,,", "https://a.example/,w2,games,,", header=HEADER))
    consensus = Consensus.objects.get()
    assert consensus.state == Consensus.State.DISPUTED
    assert consensus.labels["self_harm"]["verdict"] == "no"


def test_refused_rows_leave_no_rater_behind(project):
    run = bring_answers(
        project,
        csv("https://nowhere.example/,ghost,news,,", "https://a.example/,w1,poetry,,", "https://a.example/,w2,news,,",
            "https://a.example/,w2,games,,", header=HEADER),
    )  # fmt: skip
    assert counts(run) == (1, 0, 0, 3)
    assert list(Rater.objects.values_list("code", flat=True)) == ["w2"]


def test_an_external_id_of_two_pages_names_neither(project):
    make_item(project, "https://b.example/", external_id="17")
    run = bring_answers(project, ndjson({"external_id": "17", "annotator": "w1", "none": True}))
    assert "Two pages" in reasons(run)[0][1]
