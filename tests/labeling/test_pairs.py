"""Every two people, those who agree least first; two of them label by label; and the pages on which they differ."""

import csv
import random

import numpy as np
import pytest
from django.urls import reverse

from labeling import adjudication, consensus, pair_pages, pair_report, reports, schemas
from labeling.models import Item, Judgment, Rater, Selection
from labeling.quality.pairs import pairwise_kappas
from tests.factories import make_assignment, make_item, make_judgment, make_member, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project()


def count(project):
    consensus.refresh_many(list(Item.objects.filter(project=project).values_list("pk", flat=True)), project=project)
    return reports.of_project(project)


def answered(project, first, second, *, times=1, people=("w1", "w2"), **fields):
    """So many pages on which the first ticks these labels and the second those."""
    pages = []
    for _ in range(times):
        page = make_item(project)
        for person, yes in zip(people, (first, second), strict=True):
            make_judgment(page, person, yes=yes, **fields)
        pages.append(page)
    return pages


def number(project, code):
    return Rater.objects.get(project=project, code=code).pk


def numbers(project, *codes):
    return [number(project, code) for code in codes or ("w1", "w2")]


# ---- numbers --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("key", [None, "arts", "news"])
def test_the_list_of_all_pairs_says_what_the_matrix_says(homepages, key):
    report = reports.of_project(homepages)
    pairs, ids = report.pairs_on(key), report.votes.rater_ids
    question = report.votes.questions[report.votes.keys.index(key)] if key else None
    found = pair_report.of_everybody(homepages, question=question)
    expected = {
        (ids[left], ids[right]): pairs.kappa(left, right)
        for right in range(len(ids)) for left in range(right) if pairs.n_common(left, right) >= 20
    }  # fmt: skip
    got = {tuple(sorted(map(int, pair))): kappa for pair, kappa in zip(found.pairs, found.kappa, strict=True)}
    assert got.keys() == {tuple(sorted(pair)) for pair in expected}
    for pair, kappa in expected.items():
        assert got[tuple(sorted(pair))] == pytest.approx(kappa, abs=1e-12, nan_ok=True)
    known = found.kappa[np.isfinite(found.kappa)]
    assert list(known) == sorted(known)


def test_two_people_on_each_label_agree_as_their_answers_do(homepages):
    codes = ["w24", "w25"]
    rows = list(Judgment.objects.votes().filter(item__project=homepages, rater__code__in=codes).values_list(
        "item", "rater__code", "verdicts"))  # fmt: skip
    schema = schemas.in_force(homepages)
    said = {"yes": 1, "no": 0}
    verdicts = np.array([[said.get(row[2].get(key, ""), -1) for key in schema.keys] for row in rows])
    places = {item: place for place, item in enumerate(sorted({row[0] for row in rows}))}
    items = np.array([places[row[0]] for row in rows])
    raters = np.array([codes.index(row[1]) for row in rows])
    kappas, n = pairwise_kappas(items, raters, verdicts)
    count(homepages)
    found = pair_report.of_two(homepages, schema, *numbers(homepages, *codes))
    for place, one in enumerate(found.labels):
        assert sum(one.table) == n[place, 0, 1]
        if one.kappa.value is not None:
            assert one.kappa.value == pytest.approx(kappas[place, 0, 1], abs=1e-12)


def test_who_comes_first_says_whose_answers_stand_first(project):
    answered(project, ["games"], [], times=3)
    count(project)
    first, second = numbers(project)
    schema = schemas.in_force(project)
    [games] = [one for one in pair_report.of_two(project, schema, first, second).labels if one.label.key == "games"]
    assert games.table == (0, 3, 0, 0)
    [games] = [one for one in pair_report.of_two(project, schema, second, first).labels if one.label.key == "games"]
    assert games.table == (0, 0, 3, 0)


def test_a_pair_with_19_pages_is_not_judged(project):
    answered(project, ["games"], [], times=10)
    answered(project, ["games"], ["games"], times=9)
    count(project)
    assert len(pair_report.of_everybody(project)) == 0
    answered(project, ["games"], ["games"])
    count(project)
    assert pair_report.of_everybody(project)[:5] == [tuple(numbers(project))]


def test_pages_of_several_streams_count_once_in_the_whole(project):
    anna, carla = make_member(project, "annotator"), make_member(project, "annotator")
    for n in range(20):
        page = make_item(project)
        for place, (person, stream) in enumerate(((anna, "random"), (carla, "uncertainty")), 1):
            chosen = Selection.objects.create(item=page, stream=stream)
            slot = make_assignment(
                project, page, slot=place, state="done", available_at=None, annotator=person, selection=chosen
            )
            make_judgment(page, person, yes=["games"] if n % 2 else [], assignment=slot)
    alone = [make_item(project) for _ in range(5)]
    for page in alone:
        for person in (anna, carla):
            make_judgment(page, person, yes=["games"])
    count(project)
    assert list(pair_report.of_everybody(project).n) == [25]
    assert len(pair_report.of_everybody(project, stream="random")) == 0


def test_both_always_saying_the_same_is_undefined_and_comes_last(project):
    answered(project, ["games"], ["games"], times=12, people=("w1", "w2"))
    answered(project, [], ["games"], times=10, people=("w1", "w2"))
    answered(project, ["games"], ["games"], times=20, people=("w3", "w4"))
    count(project)
    question = ("games", 1)
    found = pair_report.of_everybody(project, question=question)
    assert found[:2] == [tuple(numbers(project, "w1", "w2")), tuple(numbers(project, "w3", "w4"))]
    assert np.isnan(found.kappa[1])


# ---- pages ----------------------------------------------------------------------------------------------------------
def pages_of(project, *, keys=("games", "news"), stream=""):
    count(project)
    return set(pair_pages.differing(project, *numbers(project), keys=keys, stream=stream))


def test_pages_on_which_they_differ_are_those_a_comparison_finds(project):
    chance = random.Random(7)
    expected = {"games": set(), "news": set()}
    for _ in range(60):
        first, second = ([key for key in expected if chance.random() < 0.4] for _ in range(2))
        [page] = answered(project, first, second)
        for key in expected:
            if (key in first) != (key in second):
                expected[key].add(page.pk)
    assert pages_of(project) == expected["games"] | expected["news"]
    for key, pages in expected.items():
        assert pages_of(project, keys=[key]) == pages
        two = pair_report.of_two(project, schemas.in_force(project), *numbers(project))
        assert next(one for one in two.labels if one.label.key == key).differ == len(pages)


def test_a_page_people_are_still_asked_about_is_not_listed(project):
    [page] = answered(project, ["games"], [])
    make_assignment(project, page)
    assert pages_of(project) == set()


def test_answers_that_were_changed_or_taken_back_or_asked_for_later_do_not_differ(project):
    [changed] = answered(project, ["games"], [])
    Judgment.objects.filter(item=changed, rater__code="w1").update(superseded_at="2026-01-01T00:00:00Z")
    make_judgment(changed, "w1", yes=[], revision=2)
    [void] = answered(project, ["games"], [])
    Judgment.objects.filter(item=void, rater__code="w1").update(voided_at="2026-01-01T00:00:00Z")
    unsure, later, aided = make_item(project), make_item(project), make_item(project)
    for page in (unsure, later, aided):
        make_judgment(page, "w2")
    make_judgment(unsure, "w1", unsure=["games"])
    make_judgment(later, "w1", yes=["games"], purpose="added")
    make_judgment(aided, "w1", yes=["games"], saw_suggestion=True)
    assert pages_of(project) == set()


def test_while_a_page_waits_for_a_decision_who_said_what_is_hidden(client, project):
    [page] = answered(project, ["games"], [])
    count(project)
    client.force_login(make_member(project, "manager"))
    url = reverse("labeling:pair", args=[project.slug, *numbers(project)])
    html = client.get(url).content.decode()
    assert "one of the two: Games" in html and "w1: Games" not in html
    decider = make_member(project, "adjudicator")
    case = adjudication.case_of(page)
    decision = adjudication.Decision({"games": "yes"}, "overlooked")
    adjudication.decide(page, by=decider, decision=decision, seen_version=case.version)
    html = client.get(url).content.decode()
    assert "w1: Games" in html and "one of the two:" not in html


def test_from_a_pair_to_a_page_and_back_to_where_one_was(client, project):
    answered(project, ["games"], [], times=30)
    count(project)
    client.force_login(make_member(project, "manager"))
    first, second = numbers(project)
    listed = client.get(reverse("labeling:pair", args=[project.slug, first, second]) + "?label=games&page=2")
    url = listed.context["pages"][0]["url"]
    back = client.get(url).context["back"]
    assert back["name"] == "w1 and w2"
    assert back["url"] == f"/p/{project.slug}/agreement/pairs/{first}/{second}/?label=games&page=2#pages"
    for odd in ("", "1", "x-y", "1-999999999", "9" * 40 + "-1", "<b>"):
        page = client.get(url.split("?")[0], {"pair": odd})
        assert page.status_code == 200 and page.context["back"] is None


# ---- who may ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("roles", [("annotator",), ("annotator", "viewer")])
def test_who_is_measured_sees_no_pair_whatever_else_they_may_see(client, homepages, roles):
    client.force_login(make_member(homepages, *roles))
    first, second = numbers(homepages, "w24", "w25")
    paths = ["pairs/", f"pairs/{first}/{second}/", f"pairs/{first}/{second}/labels.csv", "pairs.csv", "without.csv"]
    paths += [""] if "viewer" in roles else []
    for path in paths:
        answer = client.get(f"/p/{homepages.slug}/agreement/{path}")
        assert answer.status_code == 200
        assert "w24" not in answer.content.decode() and "w25" not in answer.content.decode()
    people = client.get(f"/p/{homepages.slug}/annotators/").content.decode()
    assert "w24" not in people
    body = client.get(f"/api/v1/projects/{homepages.slug}/agreement/pairs/").json()
    assert body["pairs"] == []


@pytest.mark.parametrize(
    "query", ["", "?label=arts&stream=import", "?person=2", "?label=none&stream=x&person=y&page=z"]
)
def test_the_pages_stay_within_fifteen_statements(client, homepages, query, django_assert_max_num_queries):
    client.force_login(make_member(homepages, "manager"))
    reports.of_project(homepages)
    first, second = numbers(homepages, "w24", "w25")
    for path in ("pairs/", f"pairs/{first}/{second}/"):
        with django_assert_max_num_queries(15):
            assert client.get(f"/p/{homepages.slug}/agreement/{path}{query}").status_code == 200


def test_two_people_as_a_file(client, homepages):
    client.force_login(make_member(homepages, "adjudicator"))
    first, second = numbers(homepages, "w24", "w25")
    text = client.get(f"/p/{homepages.slug}/agreement/pairs/{first}/{second}/labels.csv").content.decode()
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["label"] for row in rows] == list(schemas.in_force(homepages).keys)
    assert {row["person"] for row in rows} == {"w24"}
    assert all(int(row["both_yes"]) + int(row["both_no"]) <= 67 for row in rows)


def test_people_of_another_project_are_not_found(client, homepages, project):
    make_judgment(make_item(project), "w1")
    client.force_login(make_member(homepages, "manager"))
    other, own = number(project, "w1"), number(homepages, "w24")
    assert client.get(reverse("labeling:pair", args=[homepages.slug, own, other])).status_code == 404


def test_an_empty_project_says_what_is_needed(client, project):
    client.force_login(make_member(project, "manager"))
    html = client.get(f"/p/{project.slug}/agreement/pairs/").content.decode()
    assert "No two people have answered enough of the same pages yet" in html
