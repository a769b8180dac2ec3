"""Learning over HTTP: the API's answers, the page's words, and the two commands."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from active_learning.models import Batch, TrainingRun
from labeling import consensus, jobs
from labeling.models import Job, Selection
from tests.active_learning.projects import LISTS, answer, in_turn, make_learning_project, train, truth_of
from tests.factories import make_member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("blobs")]
API = "/api/v1/projects/lists/"
PAGE = "/p/lists/learning/"


@pytest.fixture
def project():
    return make_learning_project(n_pages=120, n_answered=90, n_random=65, labels=LISTS[:2])


@pytest.fixture
def manager(project):
    return make_member(project, "manager")


@pytest.fixture
def api(manager):
    client = APIClient()
    client.force_login(manager)
    return client


@pytest.fixture
def browser_of(project):
    def log_in(person) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return log_in


def do_the_job():
    assert jobs.run(Job.objects.get(state="queued").pk) == "done"


# ---- the API --------------------------------------------------------------------------------------------------------
def test_a_run_is_asked_for_done_and_read(api):
    response = api.post(f"{API}training-runs/", {"seed": 5})
    assert response.status_code == 202 and response.json()["kind"] == "train"
    assert api.get(response.json()["url"]).json()["state"] == "queued"
    do_the_job()
    assert api.get(response.json()["url"]).json()["result"]["run"] == 1
    run = api.get(f"{API}training-runs/1/").json()
    assert (run["id"], run["state"], run["n_items"], run["seed"]) == (1, "done", 90, 5)
    assert len(run["artifact_sha256"]) == 64 and run["metrics"]["labels"][LISTS[0]]["n_yes"] > 0
    assert [row["id"] for row in api.get(f"{API}training-runs/").json()["results"]] == [1]


def test_a_run_that_waits_is_given_back(api):
    first, second = api.post(f"{API}training-runs/", {}), api.post(f"{API}training-runs/", {})
    assert first.json()["id"] == second.json()["id"]


def test_a_seed_is_never_dropped_in_silence(api):
    first = api.post(f"{API}training-runs/", {"seed": 5})
    assert api.post(f"{API}training-runs/", {"seed": 5}).json()["id"] == first.json()["id"]
    refused = api.post(f"{API}training-runs/", {"seed": 6})
    assert refused.status_code == 409 and "Run 1 waits already, with the seed 5" in refused.json()["detail"]
    assert list(TrainingRun.objects.values_list("seed", flat=True)) == [5] and Job.objects.count() == 1


def test_a_run_that_could_not_learn_says_why(api, project):
    project.consensuses.all().delete()
    api.post(f"{API}training-runs/", {})
    jobs.run(Job.objects.get().pk)
    run = api.get(f"{API}training-runs/1/").json()
    assert run["state"] == "failed" and run["message"].startswith("Needs at least 3 yes")
    assert run["artifact_sha256"] is None and run["metrics"] == {}


def test_a_batch_is_chosen_and_every_page_says_why_it_is_there(api, project):
    train(project)
    sent = {"size": 10, "strategy": "label_margin_div_rand", "random_share": 0.2, "run": 1}
    assert api.post(f"{API}batches/", sent).status_code == 202
    do_the_job()
    batch = api.get(f"{API}batches/1/").json()
    assert (batch["n_items"], batch["run"], batch["strategy"]) == (10, 1, "label_margin_div_rand")
    assert [row["rank"] for row in batch["items"]] == list(range(1, 11))
    assert sum(row["stream"] == "random" for row in batch["items"]) == 2
    assert all(
        len(row["item"]) == 32 and row["reason"] and set(row["scores"]) == set(LISTS[:2]) for row in batch["items"]
    )
    assert api.get(f"{API}batches/").json()["results"] == [batch]


def test_the_list_has_the_pages_of_every_batch_in_as_many_queries_as_of_one(api, project):
    def choose_one():
        api.post(f"{API}batches/", {"size": 4, "strategy": "random"})
        do_the_job()

    choose_one()
    with CaptureQueriesContext(connection) as of_one:
        assert [len(row["items"]) for row in api.get(f"{API}batches/").json()["results"]] == [4]
    choose_one()
    with CaptureQueriesContext(connection) as of_two:
        listed = api.get(f"{API}batches/").json()["results"]
    assert len(of_two) == len(of_one)
    assert [row["id"] for row in listed] == [2, 1]
    for row in listed:
        assert [item["rank"] for item in row["items"]] == [1, 2, 3, 4]
        assert all(item["stream"] == "random" and item["reason"] and "scores" in item for item in row["items"])
    assert not {item["item"] for item in listed[0]["items"]} & {item["item"] for item in listed[1]["items"]}


def test_a_list_of_many_pages_leaves_out_those_of_older_batches_and_says_so(api, project, monkeypatch):
    for size in (3, 4, 2):
        api.post(f"{API}batches/", {"size": size, "strategy": "random"})
        do_the_job()
    monkeypatch.setattr("active_learning.api.batches.ITEMS_LISTED", 6)
    listed = api.get(f"{API}batches/").json()["results"]
    assert [row["items"] and len(row["items"]) for row in listed] == [2, 4, None]
    assert len(api.get(f"{API}batches/1/").json()["items"]) == 3


def test_an_unknown_strategy_is_422_with_the_names(api):
    response = api.post(f"{API}batches/", {"strategy": "best"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/strategy" and "modal_margin" in response.json()["detail"]


@pytest.mark.parametrize("body", [{"size": 0}, {"size": "many"}, {"random_share": 2}, {"run": 9}, {"seed": -1}])
def test_what_cannot_be_is_422(api, body):
    assert api.post(f"{API}batches/", body).status_code == 422
    assert not Job.objects.exists()


def test_the_curve_has_both_arms_on_random_pages_or_says_why_not(api, project):
    assert api.get(f"{API}learning-curve/").json() == {
        "points": [],
        "reason": "The first curve appears with the first finished run.",
    }
    train(project)
    curve = api.get(f"{API}learning-curve/").json()
    assert [(point["arm"], point["n_labels"]) for point in curve["points"]] == [("active", 90), ("random", 65)]
    assert curve["reason"] is None
    assert set(curve["points"][0]["macro_ap"]) == {"value", "low", "high", "level", "n", "reason"}


def test_annotators_are_told_nothing_of_it(project):
    client = APIClient()
    client.force_login(make_member(project, "annotator"))
    for path in ("training-runs/", "batches/", "learning-curve/"):
        assert client.get(f"{API}{path}").status_code == 403


# ---- the page -------------------------------------------------------------------------------------------------------
def test_before_the_first_run_the_page_says_what_is_missing(browser_of, manager):
    page = browser_of(manager).get(PAGE).content.decode()
    assert "No model has been trained yet" in page and "3 yes and 3 no on one label; 90 pages are answered" in page


def test_with_few_random_pages_the_page_says_how_many_are_needed_and_how_many_there_are(browser_of):
    project = make_learning_project(n_pages=120, n_answered=90, n_random=41, labels=LISTS[:2], slug="few")
    client = browser_of(make_member(project, "manager"))
    few = "The first curve appears after 60 random pages; 41 are answered."
    assert client.get("/p/few/learning/").content.decode().count(few) == 2, "in the text and in the curve's place"
    train(project)
    page = client.get("/p/few/learning/").content.decode()
    assert "Cannot tell yet how well the model ranks pages" in page and page.count(few) == 2
    join_the_arm(project, 30)
    page = client.get("/p/few/learning/").content.decode()
    assert "41 are answered" not in page
    assert "It could be measured on 41 random pages, and 60 are needed; the next run takes in later answers." in page
    train(project)
    assert "The model ranks pages with a precision of 0." in client.get("/p/few/learning/").content.decode()


def join_the_arm(project, n_pages):
    """The next pages by their permanent numbers are drawn and answered."""
    pages = in_turn(project.items.exclude(selections__stream="random"))[:n_pages]
    Selection.objects.bulk_create(Selection(item=page, stream="random") for page in pages)
    unanswered = [page for page in pages if not hasattr(page, "consensus")]
    answer(unanswered, truth_of(unanswered, LISTS[:2]))


@pytest.mark.parametrize(("n_random", "words"), [(0, "0 are answered"), (1, "1 is answered")])
def test_no_random_page_and_one_are_words_too(browser_of, n_random, words):
    project = make_learning_project(n_pages=20, n_answered=10, n_random=n_random, labels=LISTS[:2], slug="few")
    page = browser_of(make_member(project, "manager")).get("/p/few/learning/").content.decode()
    assert f"The first curve appears after 60 random pages; {words}." in page


def test_the_page_states_the_finding_with_its_interval(browser_of, manager, project):
    train(project)
    page = browser_of(manager).get(PAGE).content.decode()
    assert "The model ranks pages with a precision of 0." in page and "65 pages drawn at random" in page


def test_the_buttons_work_without_scripts(browser_of, manager):
    client = browser_of(manager)
    assert client.post(f"{PAGE}train/").status_code == 302
    do_the_job()
    assert client.post(f"{PAGE}choose/", {"size": 5, "strategy": "random", "random_share": 0.2}).status_code == 302
    job = Job.objects.get(kind="batch")
    assert f'hx-get="{PAGE}jobs/{job.pk}/"' in client.get(PAGE).content.decode()
    do_the_job()
    assert f"{PAGE}batches/1/" in client.get(f"{PAGE}jobs/{job.pk}/").content.decode()
    batch = client.get(f"{PAGE}batches/1/").content.decode()
    assert "Batch 1: 5 pages, 5 of them at random" in batch and "drawn at random" in batch


def test_a_wrong_wish_stays_in_the_form(browser_of, manager):
    response = browser_of(manager).post(f"{PAGE}choose/", {"size": 0, "strategy": "random", "random_share": 7})
    assert response.status_code == 422 and not Batch.objects.exists()
    assert 'value="7"' in response.content.decode()


def test_a_run_that_stopped_says_why_on_the_page(browser_of, manager, project):
    project.consensuses.all().delete()
    client = browser_of(manager)
    client.post(f"{PAGE}train/")
    jobs.run(Job.objects.get().pk)
    assert "Needs at least 3 yes and 3 no" in client.get(PAGE).content.decode()
    answer_again(project)
    train(project)
    page = client.get(PAGE).content.decode()
    assert page.count("Needs at least 3 yes and 3 no") == 1, "its row keeps the reason when a later run is done"


def answer_again(project):
    consensus.refresh_many(list(project.items.values_list("pk", flat=True)), project=project)


def test_viewers_read_the_finding_and_are_offered_nothing_they_may_not_do(browser_of, project):
    train(project)
    page = browser_of(make_member(project, "viewer")).get(PAGE).content.decode()
    assert "The model ranks pages" in page
    assert "Retrain now" not in page and "Choose the pages" not in page and "Last batches" not in page


# ---- the commands ---------------------------------------------------------------------------------------------------
def test_both_commands_do_the_work_here_and_report_in_json(project, capsys):
    call_command("train", "lists", "--seed", "5", "--json")
    said = json.loads(capsys.readouterr().out)
    assert (said["run"], said["state"], said["seed"]) == (1, "done", 5)
    call_command("select_batch", "lists", "--size", "4", "--random-share", "0.5", "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["batch"] == 1 and [row["rank"] for row in said["items"]] == [1, 2, 3, 4]


def test_the_commands_say_in_a_sentence_what_cannot_be(project):
    for arguments, sentence in (
        (("train", "nowhere"), "no project “nowhere”"),
        (("select_batch", "lists", "--strategy", "best"), "no strategy “best”"),
        (("select_batch", "lists", "--run", "3"), "no finished training run 3"),
    ):
        with pytest.raises(CommandError, match=sentence):
            call_command(*arguments)
    project.consensuses.all().delete()
    with pytest.raises(CommandError, match="Needs at least 3 yes"):
        call_command("train", "lists")
    assert not TrainingRun.objects.exclude(scored_at=None).exists()
