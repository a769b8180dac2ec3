"""What suggestions do to a project's answers: held against what others say blind, found where it was planted."""

import numpy as np
import pytest

from labeling import anchoring, consensus, honeypots
from labeling.models import Suggestion
from tests.factories import make_item, make_judgment, make_member
from tests.labeling.gold.work import decide

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/projects/pages/anchoring/"
QUALITY = "/p/pages/quality/"


def told(item, person, says: str, *, shown: bool, yes=(), round: int = 1, **fields) -> None:
    """The model said this of games; the person was shown it or not, and answered."""
    verdicts = {"games": says, "news": "no", "self_harm": "no"}
    Suggestion.objects.create(item=item, annotator=person, round=round, run=1, says=verdicts, is_shown=shown)
    make_judgment(item, person, yes=yes, saw_suggestion=shown, round=round, **fields)


def counted(project, *, label: str = "games"):
    found = next(one for one in anchoring.report(project).labels if one.key == label).found.accepted
    return found.shown.n, found.hidden.n


# ---- what is held against what --------------------------------------------------------------------------------------
def test_an_answer_is_held_against_the_blind_answers_of_others(project, alice, bob):
    item = make_item(project)
    told(item, alice, "yes", shown=True, yes=["games"])
    told(item, bob, "yes", shown=False)
    assert counted(project) == (1, 0)  # Alice against Bob; for Bob there is nobody who was blind


def test_where_everybody_was_shown_it_nothing_tells_that_it_was_wrong(project, alice, bob):
    item = make_item(project)
    for person, yes in ((alice, ["games"]), (bob, [])):
        told(item, person, "yes", shown=True, yes=yes)
    assert counted(project) == (0, 0)


def test_two_blind_answers_are_each_held_against_the_other_and_a_tie_against_nobody(project, alice, bob):
    item = make_item(project)
    told(item, alice, "yes", shown=False)
    told(item, bob, "yes", shown=False)
    assert counted(project) == (0, 2)
    told(item, make_member(project, "annotator"), "yes", shown=False, yes=["games"])
    assert counted(project) == (0, 1)  # for the third the others say no; for each of the first two they are divided


def test_whoever_saw_it_on_that_page_once_is_not_blind_there_in_a_later_round(project, alice, bob):
    item = make_item(project)
    told(item, bob, "yes", shown=True)
    make_judgment(item, bob, round=2)
    told(item, alice, "yes", shown=True, yes=["games"])
    assert counted(project) == (0, 0)


def test_answers_from_before_there_were_suggestions_count_as_blind(project, alice):
    item = make_item(project)
    make_judgment(item, "imported")
    told(item, alice, "yes", shown=True, yes=["games"])
    assert counted(project) == (1, 0)


def test_a_known_answer_needs_nobody_else(project, alice):
    item = make_item(project)
    honeypots.add(item, by=None, verdicts={"games": "no"})
    told(item, alice, "yes", shown=True, yes=["games"], purpose="honeypot", round=10_000)
    assert counted(project) == (1, 0)


def test_a_decision_that_rests_on_the_answer_is_not_looked_at(project, alice, bob):
    item = make_item(project)
    told(item, alice, "yes", shown=True, yes=["games"])
    told(item, bob, "yes", shown=False)
    consensus.refresh(item, project=project)
    decide(item, by=make_member(project, "adjudicator"), games="yes")
    assert counted(project) == (1, 0)


# ---- a team with a known lean ---------------------------------------------------------------------------------------
def work(project, *, follows: float, slips: float = 0.1, n_pages: int = 70) -> None:
    """Three of eight people answer each page. The model says games of every one, wrongly.

    Whoever reads it says so too with probability `follows`, whoever does not with `slips`.
    """
    rng = np.random.default_rng(7)
    people = [make_member(project, "annotator") for _ in range(8)]
    for _ in range(n_pages):
        item = make_item(project)
        for place in rng.choice(len(people), 3, replace=False):
            shown = bool(rng.random() < 0.5)
            says_so = rng.random() < (follows if shown else slips)
            told(item, people[place], "yes", shown=shown, yes=["games"] if says_so else [])


def test_a_planted_lean_is_found_within_its_interval(browser_of, project, boss):
    work(project, follows=0.6)
    said = browser_of(boss).get(ADDRESS).json()
    found = said["accepted_wrong_yes"]
    assert found["shown"]["low"] <= 0.6 <= found["shown"]["high"]
    assert found["hidden"]["low"] <= 0.1 <= found["hidden"]["high"]
    assert found["shift"]["low"] <= 0.5 <= found["shift"]["high"] and found["shift"]["low"] > 0.2
    lean = said["yes_after_yes"]["shift"]
    assert lean["low"] <= 0.5 <= lean["high"]
    assert said["sentence"].startswith("With the suggestion shown, people agreed with a wrong suggestion in ")
    games = next(label for label in said["labels"] if label["label"] == "games")
    assert games["alpha_shown"]["n"] > 5 and games["alpha_hidden"]["value"] is not None
    page = browser_of(boss).get(QUALITY).content.decode()
    assert "People agree with a wrong suggestion more often when they see it" in page


def test_no_lean_is_not_claimed(project):
    work(project, follows=0.1)
    found = anchoring.report(project).pooled
    assert found.accepted.shift.low < 0 < found.accepted.shift.high
    assert anchoring.heading(found) == "That suggestions carry people along is neither shown nor ruled out"


# ---- before there is anything to tell -------------------------------------------------------------------------------
def test_with_few_answers_everything_says_that_it_cannot_tell_yet(browser_of, project, boss, alice):
    told(make_item(project), alice, "yes", shown=True)
    said = browser_of(boss).get(ADDRESS).json()
    assert said["accepted_when_wrong"]["shift"]["value"] is None
    assert "cannot tell yet" in said["accepted_when_wrong"]["shift"]["reason"]
    assert "Cannot tell yet whether suggestions carry people along" in browser_of(boss).get(QUALITY).content.decode()


def test_where_nothing_was_said_yet_the_page_says_why(browser_of, project, boss, alice):
    assert "no page with something a model says was given out" in browser_of(boss).get(QUALITY).content.decode()
    assert browser_of(boss).get(ADDRESS).json()["n_shown"] == 0


def test_a_project_that_never_suggested_has_no_such_section(browser_of, project, boss, alice):
    project.suggests = False
    project.save()
    assert 'id="anchoring"' not in browser_of(boss).get(QUALITY).content.decode()


def test_who_judges_is_not_told(browser_of, project, alice):
    assert browser_of(alice).get(ADDRESS).status_code == 403
