"""A refit: what it learns, that it is made once, and that every page is counted by it."""

import pytest

from labeling import consensus, fits, invariants, jobs, refits
from labeling.models import Consensus, ConsensusFit, Job, Rater, RaterSkill
from labeling.refusals import Refused
from labeling.tasks import refit, run_job
from tests.factories import make_item, make_judgment, make_member, make_project
from tests.labeling.truth.crowd import GOOD, POOR, crowd, decide

pytestmark = pytest.mark.django_db
TRIO = {"ann": GOOD, "ben": GOOD, "cat": POOR}


@pytest.fixture
def project():
    return make_project()


def refitted(project):
    job = refits.request(project, by=None)
    assert run_job(str(job.pk)) == "done", Job.objects.get(pk=job.pk).message
    return fits.newest(project)


def breaches():
    """Of what is derived; `make_judgment` closes no slots."""
    return [(found.id, found.examples) for found in invariants.findings() if found.n_breaches and found.id != "I1"]


def test_a_project_without_an_answer_cannot_be_fitted_and_says_why(project):
    job = refits.request(project, by=None)
    assert run_job(str(job.pk)) == "failed"
    assert Job.objects.get(pk=job.pk).message == refits.NOTHING
    with pytest.raises(Refused):
        refits.make(project)


def test_it_learns_who_finds_what_and_counts_every_page_by_it(project):
    crowd(project, 60, TRIO)
    made = refitted(project)
    by_rater = {code: RaterSkill.objects.get(rater__code=code, label="news") for code in TRIO}
    found = {code: skill.yes_on_yes / skill.on_yes for code, skill in by_rater.items()}
    assert found["cat"] < min(found["ann"], found["ben"])
    assert made.labels[0].keys() >= {"label", "revision", "prior", "sensitivity", "specificity", "expected_error"}
    rows = Consensus.objects.filter(project=project)
    assert set(rows.values_list("fit", "is_calibrated")) == {(made.pk, True)}
    assert all(0 < label["probability"] < 1 for row in rows for label in row.labels.values())
    assert not breaches()


def test_two_good_raters_outweigh_a_poor_one_and_the_label_is_in_dispute_all_the_same(project):
    crowd(project, 60, TRIO)
    page = make_item(project)
    make_judgment(page, "ann", yes=["news"])
    make_judgment(page, "ben", yes=["news"])
    make_judgment(page, "cat")
    consensus.refresh(page, project=project)
    assert page.consensus.labels["news"]["probability"] == pytest.approx(2 / 3)
    refitted(project)
    page.consensus.refresh_from_db()
    news = page.consensus.labels["news"]
    assert news["probability"] > 0.8
    assert (news["state"], news["verdict"]) == ("disputed", None)


def test_run_twice_it_is_one_fit(project):
    crowd(project, 30, TRIO)
    first = refitted(project)
    rows = list(Consensus.objects.values_list("pk", "version", "updated_at"))
    assert refitted(project) == first and ConsensusFit.objects.count() == 1
    assert list(Consensus.objects.values_list("pk", "version", "updated_at")) == rows


def test_killed_between_the_fit_and_the_pages_it_goes_on(project):
    crowd(project, 30, TRIO)
    made = refits.make(project)
    assert not Consensus.objects.filter(fit=made).exists()
    assert refitted(project) == made
    assert not Consensus.objects.exclude(fit=made).exists()


def test_a_job_that_lost_its_hold_leaves_no_fit(project):
    crowd(project, 10, TRIO)

    def lost():
        raise jobs.FenceLost

    with pytest.raises(jobs.FenceLost):
        refits.make(project, guard=lost)
    assert not ConsensusFit.objects.exists() and not RaterSkill.objects.exists()


def test_requests_fall_together(project):
    by = make_member(project, "manager")
    assert refits.request(project, by=by) == refits.request(project, by=None)


def test_until_raters_are_known_or_three_the_probability_is_the_share_of_votes(project):
    crowd(project, 60, TRIO)
    refitted(project)
    page = make_item(project)
    make_judgment(page, "dan", yes=["news"])
    make_judgment(page, "eve")
    alone = consensus.refresh(page, project=project)
    assert (alone.labels["news"]["probability"], alone.is_calibrated) == (0.5, False)
    make_judgment(page, "fay", yes=["news"])
    three = consensus.refresh(page, project=project)
    assert three.is_calibrated and 0.5 < three.labels["news"]["probability"] < 1
    known = make_item(project)
    make_judgment(known, "ann", yes=["news"])
    make_judgment(known, "ben")
    both = consensus.refresh(known, project=project)
    assert both.is_calibrated and both.labels["news"]["probability"] != 0.5
    assert not breaches()


def test_a_late_decision_recalibrates(project):
    items, truth = crowd(project, 80, TRIO)
    first = refitted(project)
    assert first.temperature == 2.0 and "known yes" in first.temperature_reason
    assert first.calibration["log_loss"]["value"] is None and first.calibration["log_loss"]["reason"]
    decide(project, items[:60], truth[:60])
    assert refits.request_due() == []  # the last one is a minute old at most
    ConsensusFit.objects.update(made_at="2026-01-01T00:00:00Z")
    [job] = refits.request_due()
    assert run_job(str(job.pk)) == "done"
    second = fits.newest(project)
    assert second.pk > first.pk and second.temperature_n == 180 and second.temperature_reason == ""
    filled = [one for one in second.calibration["bins"] if one["n"]]
    assert all(one["share_yes"]["low"] <= one["share_yes"]["value"] <= one["share_yes"]["high"] for one in filled)
    assert sum(one["n"] for one in filled) == 180
    assert not breaches()


def test_decisions_correct_what_is_known_of_raters(project):
    """Two who share an error are believed until a person says otherwise."""
    items, truth = crowd(project, 40, {"ann": GOOD, "ben": GOOD})
    before = RaterSkill.objects.filter(fit=refitted(project), label="news").get(rater__code="ann")
    decide(project, items[:20], ~truth[:20])
    refitted(project)
    after = RaterSkill.objects.get(pk=before.pk)
    assert after.no_on_no / after.on_no < before.no_on_no / before.on_no


def test_answers_to_pages_with_known_answers_count_towards_skills_and_are_no_votes(project):
    from labeling.models import Honeypot

    crowd(project, 10, {"ann": GOOD})
    refitted(project)
    before = RaterSkill.objects.get(rater__code="ann", label="news")
    pot = make_item(project)
    Honeypot.objects.create(project=project, item=pot, schema=project.schema, verdicts={"news": "yes"})
    make_judgment(pot, "ann", yes=[], purpose="honeypot", round=10_000)
    make_judgment(make_item(project), "ann", yes=[])
    refitted(project)
    after = RaterSkill.objects.get(rater__code="ann", label="news")
    assert after.on_yes - after.yes_on_yes > before.on_yes - before.yes_on_yes + 0.9


def test_nothing_is_due_until_enough_came_in(project):
    assert refit() == 0
    crowd(project, 33, TRIO)
    assert not refits.is_due(project)
    make_judgment(make_item(project), "ann")
    assert refit() == 1 and refit() == 0  # a second one would do the same


def test_a_large_project_reads_a_share_of_its_pages_and_all_that_was_decided(project, monkeypatch):
    items, truth = crowd(project, 40, TRIO)
    decide(project, items[1:3], truth[1:3])
    monkeypatch.setattr(refits, "MOST_ITEMS", 10)
    made = refits.make(project)
    assert 10 <= made.n_items <= 12 and made.n_judgments == 120


def test_another_question_under_the_same_name_is_not_answered_by_an_old_fit(project):
    crowd(project, 30, TRIO)
    refitted(project)
    fitted = fits.in_force(project)
    label = project.schema.labels.get(key="news")
    assert fitted.answers(label)
    label.revision = 2
    assert not fitted.answers(label)


def test_raters_without_an_answer_have_no_skill(project):
    Rater.objects.create(project=project, code="nobody")
    crowd(project, 5, TRIO)
    refitted(project)
    assert not RaterSkill.objects.filter(rater__code="nobody").exists()
