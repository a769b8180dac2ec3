"""Pages that may carry a wrong label: ranked by what answers, a model and decisions say, and asked about again."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling import consensus, doubts, judging, queue, second_looks, tasks
from labeling.doubts import CONSENSUS, MODEL, STACK, ModelSays
from labeling.models import Adjudication, Assignment, Consensus, Doubt, DoubtRanking, Job, Purpose, Selection
from labeling.quality import label_noise
from labeling.refusals import Refused, Unacceptable
from tests.factories import make_assignment, make_item, make_judgment, make_member, make_project

pytestmark = pytest.mark.django_db
DOUBTS = "/p/pages/agreement/doubts/"


@pytest.fixture
def project():
    return make_project(slug="pages", labels=("games", "news"))


@pytest.fixture(autouse=True)
def no_model(monkeypatch):
    monkeypatch.setattr(doubts, "_sources", [])


def judged(project, *answers):
    page = make_item(project)
    for number, yes in enumerate(answers):
        make_judgment(page, f"w{number}", yes=yes)
    consensus.refresh(page, project=project)
    return page


def ranked(project):
    doubts.rank(project)
    return [row.item for row in Doubt.objects.filter(project=project).select_related("item").order_by("rank")]


def test_what_fewer_people_agree_on_is_doubted_more(project):
    thrice = [judged(project, *([["games"]] * 3)) for _ in range(3)]
    twice = judged(project, ["games"], ["games"])
    assert ranked(project)[0] == twice and len(ranked(project)) == 4
    assert DoubtRanking.objects.get().source == CONSENSUS
    assert Doubt.objects.get(item=thrice[0]).risk < Doubt.objects.get(item=twice).risk


def test_pages_in_dispute_with_people_or_drawn_are_not_ranked(project):
    judged(project, ["games"], [])
    asked = judged(project, ["games"], ["games"])
    make_assignment(project, asked)
    agreed = judged(project, [], [])
    assert ranked(project) == [agreed]


def test_one_answer_cannot_doubt_itself_so_a_model_that_did_not_learn_from_the_page_does(project, monkeypatch):
    pages = [judged(project, ["games"]) for _ in range(3)]
    says = {page.public_id: p for page, p in zip(pages, (0.9, 0.05, 0.6), strict=True)}
    told = ModelSays(("games", "news"), {key: row for row, key in enumerate(says)},
                     np.array([[p, 0.01] for p in says.values()]))  # fmt: skip
    monkeypatch.setattr(doubts, "_sources", [lambda _project: told])
    assert ranked(project) == [pages[1], pages[2], pages[0]]
    first = Doubt.objects.get(rank=1)
    assert first.labels[0] == {"label": "games", "verdict": "yes", "believed": 0.05}
    assert DoubtRanking.objects.get().source == MODEL


def test_once_enough_was_decided_decisions_say_how_to_weigh_the_rest(project, monkeypatch):
    monkeypatch.setattr(label_noise, "FEWEST_ADJUDICATIONS", 12)
    adjudicator = make_member(project, "adjudicator")
    for number in range(12):
        page = judged(project, ["games"], [])
        verdicts = {"games": "yes" if number % 3 else "no"}
        Adjudication.objects.create(item=page, adjudicator=adjudicator, schema=project.schema, verdicts=verdicts,
                                    cause="overlooked")  # fmt: skip
        consensus.refresh(page, project=project)
    judged(project, ["games"], ["games"])
    ranked(project)
    ranking = DoubtRanking.objects.get()
    assert (ranking.source, ranking.n_decisions, ranking.n_items) == (STACK, 12, 1)


def test_ranking_again_takes_the_place_of_the_last_one(project):
    page = judged(project, ["games"], ["games"])
    ranked(project)
    Consensus.objects.filter(item=page).update(state="disputed")
    assert ranked(project) == [] and DoubtRanking.objects.get().n_items == 0


def test_the_most_doubtful_are_asked_about_once_more_and_a_different_answer_opens_a_dispute(project):
    sure = [judged(project, *([["games"]] * 3)) for _ in range(3)]
    doubted = judged(project, ["games"], ["games"])
    ranked(project)
    assert second_looks.ask_again(project, 1, by=None) == 1
    slot = Assignment.objects.get()
    assert (slot.item, slot.purpose) == (doubted, Purpose.ADDED)
    alice = make_member(project, "annotator")
    judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=judging.Answer(none=True))
    assert Consensus.objects.get(item=doubted).state == Consensus.State.DISPUTED
    assert second_looks.ask_again(project, 10, by=None) == 3
    assert set(Assignment.objects.filter(state="open").values_list("item", flat=True)) == {page.pk for page in sure}
    with pytest.raises(Refused, match="asked about these pages already"):
        second_looks.ask_again(project, 1, by=None)
    assert Selection.objects.filter(item=doubted).count() == 1


def test_nothing_is_asked_before_pages_are_ranked_or_for_a_number_that_is_none(project):
    with pytest.raises(Refused, match="not ranked yet"):
        second_looks.ask_again(project, 5, by=None)
    with pytest.raises(Unacceptable):
        second_looks.ask_again(project, 0, by=None)


# ---- the doors ------------------------------------------------------------------------------------------------------
def test_a_manager_ranks_reads_why_and_asks(client, project):
    page = judged(project, ["games"], ["games"])
    for _ in range(5):
        judged(project, [], [])
    client.force_login(make_member(project, "manager"))
    assert "not ranked yet" in client.get(DOUBTS).content.decode()
    assert client.post(f"{DOUBTS}rank/").status_code == 302
    tasks.run_job(str(Job.objects.get(kind=doubts.KIND).pk))
    html = client.get(DOUBTS).content.decode()
    assert page.host in html and ", believed " in html and "answers alone" in html
    body = client.get("/api/v1/projects/pages/doubts/").json()
    assert page.public_id in {row["item"] for row in body["results"]} and body["results"][0]["source"] == CONSENSUS
    assert client.post(f"{DOUBTS}ask/", {"pages": "6"}).status_code == 302
    assert client.post(f"{DOUBTS}ask/", {"pages": "1"}).status_code == 409
    assert client.post(f"{DOUBTS}ask/", {"pages": "many"}).status_code == 422
    answer = client.post("/api/v1/projects/pages/doubts/ask/", {"pages": 0}, "application/json")
    assert answer.status_code == 422


def test_who_may_be_given_pages_is_shown_no_doubt(client, project):
    judged(project, ["games"], ["games"])
    ranked(project)
    client.force_login(make_member(project, "manager", "annotator"))
    assert client.get(DOUBTS).status_code == 403


def test_the_list_takes_few_statements(client, project):
    for _ in range(3):
        judged(project, ["games"], ["games"])
    ranked(project)
    client.force_login(make_member(project, "manager"))
    with CaptureQueriesContext(connection) as captured:
        assert client.get(DOUBTS).status_code == 200
    asked = [query["sql"] for query in captured.captured_queries]
    assert len(asked) <= 15, "\n".join(line[:160] for line in asked)
