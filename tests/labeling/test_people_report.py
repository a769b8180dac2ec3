"""How people answer, counted by a job and read from counts: beside known answers, the others, themself, and in time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling import conduct, conduct_checks, consensus, honeypots, people_report, rater_totals, summaries
from labeling.models import ConductCount, Judgment, Purpose, Rater, RaterTotal, RaterWeek
from labeling.people_report import Filters
from labeling.quality.others import MODEL_BASED
from tests.factories import make_assignment, make_item, make_judgment, make_member, make_project

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 9, 7, 12, tzinfo=UTC)
TODAY = datetime(2026, 9, 30, tzinfo=UTC).date()


@pytest.fixture
def project():
    return make_project(slug="pages", labels=("games",))


@pytest.fixture
def alice(project):
    return make_member(project, "annotator", name="alice")


def answered(project, *, at=MONDAY, **says):
    """A page with an answer of each: True says games."""
    page = make_item(project)
    for who, yes in says.items():
        rater = Rater.objects.filter(project=project, code=who).first() or who
        make_judgment(page, rater, yes=["games"] if yes else [], submitted_at=at)
    consensus.refresh(page, project=project)
    return page


@pytest.fixture(autouse=True)
def a_day_in_september(monkeypatch):
    monkeypatch.setattr(rater_totals, "this_monday", lambda: rater_totals.monday_of(TODAY))


def counted(project):
    summaries.count(project)
    conduct.count(project)


def report(project, filters=None, **kwargs):
    found = people_report.of_project(project, filters or Filters(), today=TODAY, **kwargs)
    return {person.code: person for person in found.people}


def given_known(project, person, *, says, n=1, at=MONDAY, purpose=Purpose.HONEYPOT, truth="yes", round=10_000):
    """Pages with a known answer, answered by this person."""
    for turn in range(n):
        page = make_item(project)
        honeypots.add(page, by=None, verdicts={"games": truth})
        make_judgment(page, person, yes=["games"] if says else [], purpose=purpose, round=round + turn, submitted_at=at)


def test_known_answers_are_counted_right_and_wrong_with_a_plain_interval(project, alice):
    given_known(project, alice, says=True, n=8)
    given_known(project, alice, says=False, n=2)
    given_known(project, alice, says=False, n=5, truth="no")
    counted(project)
    [person] = report(project).values()
    games = person.on("games")
    assert (games.known.sensitivity.value, games.known.sensitivity.n) == (0.8, 10)
    assert games.known.sensitivity.low == pytest.approx(0.500, abs=0.01)
    assert (games.known.specificity.value, games.known.specificity.n) == (1.0, 5)
    assert person.known_pages == 15 and games.others.sensitivity.value is None


def test_beside_the_others_a_person_who_misses_most_is_far_below_those_who_agree(project):
    for number in range(60):
        is_game = number < 20
        answered(project, w0=is_game, w1=is_game, w2=is_game, w3=is_game and number < 5)
    counted(project)
    people = report(project)
    good, missing = (people[who].on("games").others for who in ("w0", "w3"))
    assert good.sensitivity.low > missing.sensitivity.high
    assert missing.sensitivity.value == pytest.approx(0.25, abs=0.05) and missing.sensitivity.n == 20
    assert missing.sensitivity.reason == MODEL_BASED and missing.specificity.value == pytest.approx(1.0, abs=0.01)


def test_what_a_person_says_alone_is_beside_nobody(project):
    for _ in range(30):
        answered(project, w0=True)
    counted(project)
    assert report(project)["w0"].on("games").others.sensitivity.value is None


def test_the_same_pages_twice_say_how_far_a_person_agrees_with_themself(project, alice):
    rater = Rater.objects.of(project, alice)
    for number in range(10):
        page = answered(project, **{rater.code: number < 5})
        make_judgment(page, rater, yes=["games"] if number < 4 else [], purpose=Purpose.REPEAT, round=10_000,
                      submitted_at=MONDAY + timedelta(days=10))  # fmt: skip
    counted(project)
    person = report(project)[rater.code]
    assert (person.again_pages.value, person.again_pages.n) == (0.9, 10)
    assert person.on("games").again.same.value == 0.9 and person.on("games").again.kappa.value is None


def test_time_is_the_median_of_the_answers_of_every_kind(project, alice):
    for seconds in (4.0, 8.0, 8.0, 9.0, 300.0):
        make_judgment(make_item(project), alice, active_seconds=seconds, submitted_at=MONDAY)
    counted(project)
    [person] = report(project).values()
    assert person.seconds.value == pytest.approx(8.0, rel=0.03) and person.seconds.n == 5


def test_weeks_and_streams_are_told_apart(project, alice):
    for week in range(3):
        given_known(project, alice, says=True, n=week + 1, at=MONDAY + timedelta(weeks=week), round=10_000 + 10 * week)
    counted(project)
    assert [row.n_answers for row in RaterWeek.objects.order_by("week")] == [1, 2, 3]
    [person] = report(project, until=MONDAY.date() + timedelta(weeks=2)).values()
    assert person.n_answers == 3
    assert report(project, Filters(stream="random")) == {}
    [person] = report(project, Filters(weeks=4)).values()
    assert person.n_answers == 6


def test_counting_twice_changes_nothing_and_a_correction_takes_the_place_of_the_answer(project, alice):
    given_known(project, alice, says=False)
    counted(project)
    counted(project)
    [week] = RaterWeek.objects.all()
    assert week.known == {"games:1": [1, 0, 0, 0]}
    wrong = Judgment.objects.get()
    Judgment.objects.filter(pk=wrong.pk).update(superseded_at=timezone.now())
    make_judgment(wrong.item, alice, yes=["games"], purpose=wrong.purpose, round=wrong.round, supersedes=wrong,
                  revision=2, submitted_at=MONDAY + timedelta(weeks=1))  # fmt: skip
    counted(project)
    [week] = RaterWeek.objects.all()
    assert week.known == {"games:1": [1, 1, 0, 0]} and week.week == MONDAY.date() + timedelta(weeks=1)


def differing(project, alice, *, from_page, n=120):
    """alice answers as four others do, and from one page on says the opposite. Returns her rater."""
    rater = Rater.objects.of(project, alice)
    for number in range(n):
        page = make_item(project)
        is_game = number % 3 == 0
        for other in ("w1", "w2", "w3", "w4"):
            make_judgment(page, other, yes=["games"] if is_game else [], submitted_at=MONDAY)
        slot = make_assignment(project, page, annotator=alice, state="done", available_at=None)
        make_judgment(page, rater, yes=["games"] if is_game != (number >= from_page) else [], assignment=slot,
                      submitted_at=MONDAY + timedelta(hours=2 * number))  # fmt: skip
        consensus.refresh(page, project=project)
    return rater


def test_somebody_who_begins_to_differ_raises_an_alarm_in_that_week_and_the_others_do_not(project, alice):
    rater = differing(project, alice, from_page=90)
    counted(project)
    people = report(project)
    assert people[rater.code].alarms == (MONDAY.date() + timedelta(weeks=1),)
    assert all(people[who].alarms == () for who in ("w1", "w2", "w3", "w4"))
    weeks = people_report.drift_of(project, rater, Filters(), today=TODAY)
    assert [week.alarms > 0 for week in weeks] == [False, True]
    assert weeks[1].differs.low > weeks[1].high and weeks[0].differs.value <= weeks[0].high


def test_a_small_change_is_counted_while_somebody_waits_and_a_large_one_by_the_job(project, alice, monkeypatch):
    given_known(project, alice, says=True)
    conduct.freshen(project)
    assert RaterWeek.objects.count() == 1
    monkeypatch.setattr(conduct, "AT_ONCE", 0)
    given_known(project, alice, says=True, round=10_100)
    conduct.freshen(project)
    assert RaterWeek.objects.get().n_answers == 1
    assert project.jobs.get().kind == conduct.KIND
    conduct.count(project)
    assert RaterWeek.objects.get().n_answers == 2
    assert ConductCount.objects.get().last_judgment == Judgment.objects.latest("pk").pk


# ---- the pages ------------------------------------------------------------------------------------------------------
def test_the_page_names_people_for_managers_and_pseudonyms_for_adjudicators(client, project, alice):
    given_known(project, alice, says=True)
    code = Rater.objects.get(user=alice).code
    for role, shown, hidden in (("manager", "alice", code), ("adjudicator", code, "alice")):
        client.force_login(make_member(project, role))
        html = client.get("/p/pages/annotators/").content.decode()
        assert shown in html and hidden not in html


def test_annotators_see_themselves_alone_weeks_that_are_over_and_no_known_answer(client, project, alice):
    given_known(project, alice, says=True, at=timezone.now() - timedelta(weeks=1))
    given_known(project, alice, says=True, at=timezone.now(), round=10_100)
    bob = make_member(project, "annotator", name="bob")
    given_known(project, bob, says=True, at=timezone.now() - timedelta(weeks=1), round=10_200)
    client.force_login(alice)
    [row] = client.get("/api/v1/projects/pages/annotators/").json()["results"]
    assert row["n_judgments"] == 1 and row["labels"][0]["known"] is None and row["drift_alarms"] is None
    html = client.get("/p/pages/annotators/").content.decode()
    assert "alice" in html and "bob" not in html and "nown answers" not in html.replace("Known answers: pages", "")
    assert client.get(f"/p/pages/annotators/{Rater.objects.get(user=bob).pk}/").status_code == 404


def test_one_persons_page_and_the_file_hold_every_label(client, project, alice):
    rater = differing(project, alice, from_page=90)
    client.force_login(make_member(project, "manager"))
    counted(project)
    html = client.get(f"/p/pages/annotators/{rater.pk}/").content.decode()
    assert "Differs more than their pages explain" in html and "alarm" in html
    rows = client.get("/p/pages/annotators/numbers.csv").content.decode().splitlines()
    assert rows[0].startswith("person,label,answers") and len(rows) == 6


def test_people_are_read_from_counts_in_few_statements(client, project, alice):
    differing(project, alice, from_page=90, n=60)
    counted(project)
    client.force_login(make_member(project, "manager"))
    rater = Rater.objects.get(user=alice)
    for path in ("/p/pages/annotators/", f"/p/pages/annotators/{rater.pk}/"):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        asked = [query["sql"] for query in captured.captured_queries]
        assert len(asked) <= 15, "\n".join(line[:160] for line in asked)


@pytest.mark.parametrize("query", ["weeks=3", "stream=odd", "label=odd"])
def test_a_filter_that_is_none_is_refused_by_the_api_and_passed_over_by_the_page(client, project, query):
    client.force_login(make_member(project, "manager"))
    assert client.get(f"/api/v1/projects/pages/annotators/?{query}").status_code == 400
    assert client.get(f"/p/pages/annotators/?{query}").status_code == 200


# ---- what must be true ----------------------------------------------------------------------------------------------
def test_a_week_that_is_kept_otherwise_than_counted_is_found(project, alice):
    differing(project, alice, from_page=30, n=40)
    given_known(project, alice, says=True, n=2)
    counted(project)
    assert list(conduct_checks.weeks()) == []
    RaterWeek.objects.filter(rater__user=alice).update(known_pages=7)
    [breach, *_] = list(conduct_checks.weeks())
    assert "known_pages" in breach
    make_judgment(make_item(project), alice)
    assert list(conduct_checks.weeks()) == []  # not counted yet: nothing to say


def test_totals_that_are_not_what_the_weeks_come_to_are_found(project, alice):
    given_known(project, alice, says=True, n=3)
    counted(project)
    assert list(conduct_checks.totals()) == []
    [total, *_] = RaterTotal.objects.order_by("weeks")
    total.sums["sums"]["known_pages"] += 1
    total.save()
    [breach] = list(conduct_checks.totals())
    assert f"rater {total.rater_id}" in breach


def test_totals_are_added_up_again_when_a_week_begins(project, alice, monkeypatch):
    given_known(project, alice, says=True, n=3)
    counted(project)
    [person] = report(project, Filters(weeks=4)).values()
    assert person.n_answers == 3
    monkeypatch.setattr(rater_totals, "this_monday", lambda: rater_totals.monday_of(TODAY) + timedelta(weeks=10))
    conduct.freshen(project)
    assert report(project, Filters(weeks=4)) == {}
    assert list(conduct_checks.totals()) == []
