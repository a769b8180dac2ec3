"""Adjudication and consensus as programs see them."""

import pytest

from labeling import consensus, tasks
from labeling.models import Adjudication
from tests.factories import make_judgment, make_member
from tests.labeling.resolution.conftest import judged

pytestmark = pytest.mark.django_db
QUEUE = "/api/v1/projects/pages/adjudications/queue/"
BODY = {"verdicts": {"games": "yes", "news": "no"}, "cause": "overlooked", "note": "Chess is a game."}


def decision_of(item):
    return f"/api/v1/projects/pages/items/{item.public_id}/adjudication/"


@pytest.fixture
def api(api_of, adjudicator):
    return api_of(adjudicator)


def post(api, item, body=BODY, *, version=None):
    headers = {"If-Match": version} if version else {}
    return api.post(decision_of(item), body, format="json", headers=headers)


def version_of(api, item):
    return next(row["version"] for row in api.get(QUEUE).json()["results"] if row["item"]["id"] == item.public_id)


def test_the_queue_says_what_conflicts_and_which_causes_there_are(api, disputed):
    body = api.get(QUEUE).json()
    (case,) = body["results"]
    assert case["item"]["id"] == disputed.public_id
    assert case["labels"] == [
        {"label": "games", "yes": 2, "no": 1, "unsure": 0, "probability": pytest.approx(2 / 3)},
        {"label": "news", "yes": 1, "no": 2, "unsure": 0, "probability": pytest.approx(1 / 3)},
    ]
    assert case["expected_error"] == pytest.approx(2 / 3)
    assert {cause["code"] for cause in body["causes"]} >= {"guideline", "overlooked"}


def test_the_queue_is_paged_without_gaps_or_doubles(api, project):
    pages = {judged(project, ["games"], []).public_id for _ in range(5)}
    seen, url = [], f"{QUEUE}?page_size=2"
    while url:
        body = api.get(url).json()
        seen += [row["item"]["id"] for row in body["results"]]
        url = body["next"]
    assert sorted(seen) == sorted(pages)


@pytest.mark.parametrize("cursor", ["x", "W10", "%F0%9F%98%80", "WyJuZXh0IixbIngiLDFdXQ"])
def test_a_foreign_cursor_is_refused(api, disputed, cursor):
    assert api.get(f"{QUEUE}?cursor={cursor}").status_code == 400


def test_a_decision_names_the_version_it_was_made_on(api, disputed):
    response = post(api, disputed, version=version_of(api, disputed))
    assert response.status_code == 201
    assert response.json()["verdicts"] == BODY["verdicts"]
    assert response.headers["ETag"] == f'"{response.json()["version"]}"'
    assert api.get(QUEUE).json()["results"] == []


def test_a_quoted_etag_is_taken_too(api, disputed):
    etag = api.get(decision_of(disputed)).headers["ETag"]
    assert post(api, disputed, version=etag).status_code == 201


def test_without_a_version_nothing_is_decided(api, disputed):
    response = post(api, disputed)
    assert response.status_code == 428
    assert "If-Match" in response.json()["detail"]
    assert not Adjudication.objects.exists()


def test_a_stale_decision_is_answered_with_both_versions(api, api_of, other_adjudicator, disputed):
    version = version_of(api, disputed)
    post(api, disputed, version=version)
    late = {"verdicts": {"games": "no", "news": "no"}, "cause": "guideline"}
    response = post(api_of(other_adjudicator), disputed, late, version=version)
    assert response.status_code == 412
    assert response.json()["theirs"]["verdicts"] == BODY["verdicts"]
    assert response.json()["mine"]["verdicts"] == late["verdicts"]


def test_other_labels_than_those_in_conflict_are_unacceptable(api, disputed):
    body = {**BODY, "verdicts": {"games": "yes"}}
    response = post(api, disputed, body, version=version_of(api, disputed))
    assert response.status_code == 422
    assert response.json()["errors"] == [{"pointer": "/verdicts", "detail": "Still to decide: News."}]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verdicts": [], "cause": "overlooked"},
        {"verdicts": {"games": 1}, "cause": "overlooked"},
        {"verdicts": {"games": "yes"}, "cause": "bored"},
    ],
)
def test_a_body_of_another_shape_is_unacceptable(api, disputed, body):
    assert post(api, disputed, body, version="x").status_code == 422


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("annotator", 403), ("manager", 403)])
def test_only_adjudicators_decide(api_of, project, disputed, role, status):
    assert post(api_of(make_member(project, role)), disputed, version="x").status_code == status


def test_reopening_puts_the_page_back(api, disputed):
    post(api, disputed, version=version_of(api, disputed))
    assert api.post(f"{decision_of(disputed)}reopen/", {}, format="json").status_code == 204
    assert len(api.get(QUEUE).json()["results"]) == 1


# ---- consensus ------------------------------------------------------------------------------------------------------
CONSENSUS = "/api/v1/projects/pages/consensus/"


def test_consensus_is_a_row_per_item_and_label(api, disputed):
    rows = {row["label"]: row for row in api.get(CONSENSUS).json()["results"]}
    assert rows["games"]["probability"] == pytest.approx(2 / 3)
    assert (rows["games"]["verdict"], rows["games"]["state"]) == (None, "disputed")
    assert (rows["self_harm"]["verdict"], rows["self_harm"]["state"]) == ("no", "agreed")


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("state=disputed", {"games", "news"}),
        ("state=agreed", {"self_harm"}),
        ("label=news", {"news"}),
        ("label=news&state=agreed", set()),
        ("state=pending", set()),
    ],
)
def test_consensus_is_narrowed_by_state_and_label(api, disputed, query, labels):
    assert {row["label"] for row in api.get(f"{CONSENSUS}?{query}").json()["results"]} == labels


@pytest.mark.parametrize("query", ["state=odd", "label=unknown", "color=red"])
def test_an_unknown_filter_is_refused(api, disputed, query):
    assert api.get(f"{CONSENSUS}?{query}").status_code == 400


@pytest.mark.parametrize("roles", [["annotator"], ["annotator", "manager"], ["viewer"]])
def test_consensus_is_withheld_from_whoever_may_be_given_pages(api_of, project, disputed, roles):
    assert api_of(make_member(project, *roles)).get(CONSENSUS).status_code == 403


# ---- beside deciding ------------------------------------------------------------------------------------------------
def test_one_page_shows_its_answers_without_names(api, disputed):
    answers = api.get(decision_of(disputed)).json()["answers"]
    assert len(answers) == 3
    assert sorted(answer["verdicts"]["games"] for answer in answers) == ["no", "yes", "yes"]
    assert "w0" not in str(answers)


def test_accepting_decides_what_most_said_on_labels_left_out(api, disputed):
    seen = version_of(api, disputed)
    response = post(api, disputed, {"verdicts": {"news": "yes"}, "accept": True, "cause": "overlooked"}, version=seen)
    assert response.json()["verdicts"] == {"games": "yes", "news": "yes"}


def test_an_answer_is_sent_back_with_a_message(api, project, disputed):
    person = make_member(project, "annotator")
    given = make_judgment(disputed, person, yes=["games"])
    consensus.refresh(disputed, project=project)
    body = {"judgment": given.pk, "message": "Read to the end."}
    where = f"{decision_of(disputed)}send-back/"
    assert api.post(where, body, format="json").status_code == 428
    assert api.post(where, body, format="json", headers={"If-Match": "old"}).status_code == 412
    response = api.post(where, body, format="json", headers={"If-Match": version_of(api, disputed)})
    assert (response.status_code, response.json()["labels"]) == (201, ["games", "news"])
    assert api.get(QUEUE).json()["results"] == []


def test_one_more_is_asked_and_where_nobody_is_left_it_is_said(api, project, disputed):
    where, seen = f"{decision_of(disputed)}ask-one-more/", version_of(api, disputed)
    make_member(project, "annotator")
    assert api.post(where, headers={"If-Match": seen}).status_code == 201
    assert api.post(where, headers={"If-Match": seen}).status_code == 409


def test_what_all_agree_on_is_accepted_as_a_job_and_the_drawn_ones_are_decided_unseen(api, project):
    page = judged(project, ["games"], ["games"])
    where = "/api/v1/projects/pages/adjudications/acceptances/"
    response = api.post(where, {"audit_share": 1}, format="json")
    assert response.status_code == 202
    tasks.run_job(response.json()["id"])
    assert api.get(where).json()["results"][0]["n_drawn"] == 1
    (case,) = api.get(QUEUE).json()["results"]
    assert case["unseen"]
    assert {label["yes"] for label in case["labels"]} == {None}
    assert api.get(decision_of(page)).json()["answers"] == []
    verdicts = dict.fromkeys(("games", "news", "self_harm"), "no")
    assert post(api, page, {"verdicts": verdicts}, version=case["version"]).status_code == 201


@pytest.mark.parametrize("share", [-1, 2, "many"])
def test_a_share_that_is_none_is_unprocessable(api, project, share):
    judged(project, ["games"], ["games"])
    where = "/api/v1/projects/pages/adjudications/acceptances/"
    assert api.post(where, {"audit_share": share}, format="json").status_code == 422
