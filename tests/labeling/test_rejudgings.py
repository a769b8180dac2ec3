"""A changed guideline, asked of a sample judged before: drawn by a seed, answered again, compared page by page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling import consensus, judging, publishing, queue, rejudging_report, rejudgings, summaries, tasks
from labeling.models import AgreementCell, Assignment, Consensus, Job, Judgment, Purpose, Rejudging, Selection
from labeling.publishing import replace
from labeling.refusals import Refused, Unacceptable
from labeling.sampling.draws import draw_uniform
from tests.factories import make_assignment, make_item, make_judgment, make_member, make_project

pytestmark = pytest.mark.django_db
REJUDGE = "/p/pages/agreement/rejudge/"
GAMES, NONE = judging.Answer(yes=("games",)), judging.Answer(none=True)


@pytest.fixture
def project():
    return make_project(slug="pages", labels=("games", "news"))


def judged(project, *answers):
    page = make_item(project)
    for number, yes in enumerate(answers):
        make_judgment(page, f"w{number}", yes=yes)
    consensus.refresh(page, project=project)
    return page


@pytest.fixture
def changed(project):
    """Twelve pages two people answered: on four they differ. Then what games means is said in other words."""
    pages = [judged(project, ["games"], [] if number < 4 else ["games"]) for number in range(8)]
    pages += [judged(project, [], []) for _ in range(4)]
    publish(project, games="A page on which one can play.")
    return pages


def publish(project, **definitions):
    before = publishing.draft_of(project.schema)
    labels = [replace(label, definition=definitions.get(label.key, label.definition)) for label in before.labels]
    return publishing.publish(project, replace(before, labels=tuple(labels)), by=None)


def draw(project, *, size=12, seed="a seed", labels=("games",)):
    job = rejudgings.queue_drawing(project, rejudgings.checked(project, labels=labels, size=size, seed=seed), by=None)
    assert tasks.run_job(str(job.pk)) == Job.State.DONE
    return Rejudging.objects.get(project=project)


def answer_all(project, *people, says):
    for person in people:
        while slot := queue.lease_next(project, annotator=person):
            judging.submit(slot, by=person, answer=says(slot.item))


def test_the_seed_and_the_frame_give_the_same_pages_again(project, changed):
    made = draw(project, size=5)
    frame = {page.public_id: page.pk for page in changed}
    assert made.items == [frame[public_id] for public_id in draw_uniform(list(frame), size=5, seed="a seed")]
    assert (made.frame_size, made.size, made.schema.number) == (12, 5, 2)
    chosen = Selection.objects.filter(origin=made.origin)
    assert chosen.count() == 5 and {one.probability for one in chosen} == {5 / 12}
    slots = Assignment.objects.filter(selection__in=chosen)
    assert slots.count() == 10 and {(slot.purpose, tuple(slot.asked)) for slot in slots} == {("rejudge", ("games",))}


def test_the_effect_is_that_of_the_same_pages_with_the_interval_of_the_difference(project, changed):
    made = draw(project)
    alice, bob = (make_member(project, "annotator") for _ in range(2))
    holds = {page.pk for page in changed[:8]}
    answer_all(project, alice, bob, says=lambda item: GAMES if item.pk in holds else NONE)
    assert rejudging_report.count(project) == 1
    made.refresh_from_db()
    assert rejudging_report.is_complete(made) and rejudging_report.n_answered(made) == 12
    [games] = rejudging_report.effects(made)
    assert games.alpha_after.value == 1.0 and games.alpha_before.value < 0.5
    assert games.alpha_change.value == pytest.approx(1 - games.alpha_before.value) and games.alpha_change.low > 0
    assert games.share_change.value == pytest.approx(4 * 0.5 / 12) and games.share_change.n == 12
    assert rejudging_report.count(project) == 0


def test_second_answers_are_no_votes_and_change_neither_consensus_nor_agreement(project, changed):
    summaries.count(project)
    stored = {row.item_id: (row.labels, row.state) for row in Consensus.objects.all()}
    cells = AgreementCell.objects.count()
    draw(project)
    answer_all(project, *(make_member(project, "annotator") for _ in range(2)), says=lambda item: GAMES)
    summaries.count(project)
    assert {row.item_id: (row.labels, row.state) for row in Consensus.objects.all()} == stored
    assert AgreementCell.objects.count() == cells
    assert Judgment.objects.filter(purpose=Purpose.REJUDGE).count() == 24


def test_pages_people_are_asked_about_answered_once_or_after_the_change_stay_out(project, changed):
    make_assignment(project, changed[0])
    judged(project, ["games"])
    judged(project, ["games"], ["games"])  # under the new version
    assert draw(project, size=100).frame_size == 11


def test_while_nothing_has_changed_there_is_nothing_to_draw(project):
    judged(project, ["games"], [])
    with pytest.raises(Refused, match="one version"):
        rejudgings.checked(project, labels=["games"], size=1)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"labels": [], "size": 5}, "/labels"),
        ({"labels": ["chess"], "size": 5}, "/labels"),
        ({"labels": ["games"], "size": 0}, "/size"),
        ({"labels": ["games"], "size": 5, "seed": "x" * 65}, "/seed"),
    ],
)
def test_what_cannot_be_drawn_is_said_at_the_field(project, changed, wanted, field):
    with pytest.raises(Unacceptable) as refused:
        rejudgings.checked(project, **wanted)
    assert refused.value.errors[0]["pointer"] == field


def test_where_no_page_can_be_asked_the_job_says_why(project):
    publish(project, games="Other words.")
    job = rejudgings.queue_drawing(project, rejudgings.checked(project, labels=["games"], size=3), by=None)
    assert tasks.run_job(str(job.pk)) == Job.State.FAILED
    job.refresh_from_db()
    assert "two people must have answered it before" in job.message and not Rejudging.objects.exists()


def test_the_plan_knows_what_changed_and_how_many_pages_tell_it(project, changed):
    summaries.count(project)
    games, news = rejudgings.plans(project)
    assert (games.has_changed, news.has_changed) == (True, False)
    assert games.pages > 100 and news.pages > 100  # twelve pages say little: the guess is on the safe side


# ---- the doors ------------------------------------------------------------------------------------------------------
def test_a_manager_draws_on_the_page_and_reads_the_effect_there(client, project, changed):
    client.force_login(make_member(project, "manager"))
    html = client.get(REJUDGE).content.decode()
    assert "Games" in html and "changed" in html
    response = client.post(f"{REJUDGE}draw/", {"labels": ["games"], "size": 12, "seed": "a seed"})
    assert response.status_code == 302
    tasks.run_job(str(Job.objects.get(kind=rejudgings.KIND).pk))
    assert "0 of 12 pages" in client.get(REJUDGE).content.decode()
    answer_all(project, *(make_member(project, "annotator") for _ in range(2)),
               says=lambda item: GAMES if item.pk in {page.pk for page in changed[:8]} else NONE)  # fmt: skip
    html = client.get(f"{REJUDGE}1/").content.decode()
    assert "People agree more on Games" in html
    body = client.get("/api/v1/projects/pages/rejudgings/1/").json()
    assert body["n_answered"] == 12 and body["labels"][0]["alpha_change"]["low"] > 0


def test_a_form_that_cannot_be_drawn_comes_back_with_a_sentence(client, project, changed):
    client.force_login(make_member(project, "manager"))
    response = client.post(f"{REJUDGE}draw/", {"labels": ["games"], "size": 0})
    assert response.status_code == 422 and "Between 1 and 2,000 pages" in response.content.decode()
    response = client.post("/api/v1/projects/pages/rejudgings/", {"labels": ["chess"], "size": 5}, "application/json")
    assert response.status_code == 422 and response.json()["errors"][0]["pointer"] == "/labels"


def test_the_pages_take_few_statements(client, project, changed):
    draw(project)
    client.force_login(make_member(project, "viewer"))
    for path in (REJUDGE, f"{REJUDGE}1/"):
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        asked = [query["sql"] for query in captured.captured_queries]
        assert len(asked) <= 15, "\n".join(line[:160] for line in asked)
