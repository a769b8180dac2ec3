"""What the model says of a page: to a half that stays the same, as words that choose nothing, and kept as it was."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling import judging, publishing, queue, suggestions
from labeling.models import Draft, Event, Judgment, Selection, Suggestion
from tests.factories import make_item, make_judgment, make_project
from tests.labeling.suggestions.model import page_for, put_by, queued

pytestmark = pytest.mark.django_db
NEXT, PAGE = "/api/v1/projects/pages/next/", "/p/pages/annotate/"
GAMES = judging.Answer(yes=("games",))


def lease(browser) -> dict:
    return browser.post(NEXT).json()["assignment"]


def switch(project, *, to: bool) -> None:
    project.suggests = to
    project.save(update_fields=["suggests"])


# ---- to whom --------------------------------------------------------------------------------------------------------
def test_the_shown_half_reads_which_labels_the_model_says_hold(browser_of, project, alice, model):
    item = page_for(project, alice, shown=True)
    model.yes[item.pk] = ("news", "games")
    queued(project, item)
    browser = browser_of(alice)
    assert lease(browser)["suggested"] == ["games", "news"]  # in the order of the labels, not of the model
    assert browser.get(PAGE).content.decode().count("the model says yes") == 2


def test_the_hidden_half_reads_nothing_and_what_the_model_said_is_written_down_all_the_same(
    browser_of, project, alice, model
):
    item = page_for(project, alice, shown=False)
    model.yes[item.pk] = ("games",)
    queued(project, item)
    browser = browser_of(alice)
    assert lease(browser)["suggested"] is None
    assert "odel" not in browser.get(PAGE).content.decode().split("<main", 1)[1].split("</main", 1)[0]
    kept = Suggestion.objects.get(item=item, annotator=alice)
    assert (kept.says["games"], kept.says["news"], kept.run, kept.is_shown) == ("yes", "no", 7, False)


def test_about_half_of_the_pages_fall_to_each_person_and_not_the_same_half(project, alice, bob):
    items = [make_item(project) for _ in range(400)]
    of_alice, of_bob = ([suggestions.is_in_shown_half(item, who) for item in items] for who in (alice, bob))
    assert 150 < sum(of_alice) < 250 and 150 < sum(of_bob) < 250
    assert 150 < sum(a == b for a, b in zip(of_alice, of_bob, strict=True)) < 250


def test_another_secret_is_another_half(settings, project, alice):
    items = [page_for(project, alice, shown=True) for _ in range(30)]
    settings.SECRET_KEY = "another secret that is long enough to be one"
    assert not all(suggestions.is_in_shown_half(item, alice) for item in items)


# ---- as words -------------------------------------------------------------------------------------------------------
def test_it_ticks_nothing_moves_nothing_and_carries_no_number(browser_of, project, alice, model):
    item = page_for(project, alice)
    model.yes[item.pk] = ("self_harm",)
    queued(project, item)
    page = browser_of(alice).get(PAGE)
    assert [row["value"] for row in page.context["labels"]] == ["no", "no", "no"]
    assert [row["key"] for row in page.context["labels"]] == ["games", "news", "self_harm"]
    text = page.content.decode()
    assert 'aria-describedby="says-self_harm means-self_harm"' in text and 'id="says-self_harm"' in text
    assert "says-games" not in text


def test_that_it_says_yes_to_nothing_is_said_too(browser_of, project, alice, model):
    item = page_for(project, alice)
    model.yes[item.pk] = ()
    queued(project, item)
    browser = browser_of(alice)
    assert "A model says yes to none of these topics" in browser.get(PAGE).content.decode()
    assert lease(browser)["suggested"] == []


def test_in_spanish(browser_of, project, alice, model):
    alice.language = "es"
    alice.save()
    item = page_for(project, alice)
    model.yes[item.pk] = ("games",)
    queued(project, item)
    assert "el modelo dice que sí" in browser_of(alice).get(PAGE).content.decode()


# ---- it stays as it was ---------------------------------------------------------------------------------------------
def test_a_reload_another_device_and_a_second_lease_show_the_same_whatever_the_model_says_by_then(
    browser_of, project, alice, model
):
    item = page_for(project, alice)
    model.yes[item.pk] = ("games",)
    queued(project, item)
    assert lease(browser_of(alice))["suggested"] == ["games"]
    model.yes[item.pk], model.run = ("news",), 8
    assert lease(browser_of(alice))["suggested"] == ["games"]
    queue.release_all(alice)
    assert lease(browser_of(alice))["suggested"] == ["games"]
    assert Suggestion.objects.get().run == 7


def test_a_page_without_a_score_stays_without_one_for_whoever_was_given_it(browser_of, project, alice, bob, model):
    item = page_for(project, alice)
    queued(project, item)
    browser = browser_of(alice)
    assert lease(browser)["suggested"] is None
    model.yes[item.pk] = ("games",)
    assert lease(browser)["suggested"] is None
    assert Suggestion.objects.get().run is None


def test_a_page_begun_without_one_goes_on_without_one(browser_of, project, alice, model):
    switch(project, to=False)
    item = page_for(project, alice)
    model.yes[item.pk] = ("games",)
    queued(project, item)
    lease(browser_of(alice))
    Draft.objects.create(annotator=alice, item=item, answer={"yes": ["news"], "unsure": [], "none": False})
    switch(project, to=True)
    assert lease(browser_of(alice))["suggested"] is None


def test_a_page_on_the_screen_does_not_get_one_behind_its_readers_back(browser_of, project, alice, model):
    switch(project, to=False)
    item = page_for(project, alice)
    model.yes[item.pk] = ("games",)
    queued(project, item)
    browser = browser_of(alice)
    held = lease(browser)["id"]
    switch(project, to=True)
    renewed = browser.post(f"/api/v1/assignments/{held}/renew/").json()["assignment"]
    assert renewed["suggested"] is None and not Suggestion.objects.exists()
    browser.post(f"/api/v1/assignments/{held}/judgment/", {"yes": ["games"]}, content_type="application/json")
    assert not Judgment.objects.get().saw_suggestion


def test_stepping_back_shows_what_was_shown_then_also_after_suggestions_are_off(browser_of, project, alice, model):
    item = page_for(project, alice)
    model.yes[item.pk] = ("news",)
    queued(project, item)
    judgment = answered(project, alice)
    switch(project, to=False)
    text = browser_of(alice).get(f"/p/pages/mine/{judgment.pk}/").content.decode()
    assert text.count("the model says yes") == 1 and 'id="says-news"' in text


def test_an_answer_is_marked_by_what_was_shown_and_its_revision_with_it(project, alice, model):
    seen, unseen = page_for(project, alice, shown=True), page_for(project, alice, shown=False)
    model.yes |= {seen.pk: ("games",), unseen.pk: ("games",)}
    queued(project, seen, unseen)
    for _ in range(2):
        judging.revise(answered(project, alice), by=alice, answer=judging.Answer(yes=("news",)))
    marks = Judgment.objects.order_by("pk").values_list("item", "revision", "saw_suggestion")
    assert set(marks) == {(seen.pk, 1, True), (seen.pk, 2, True), (unseen.pk, 1, False), (unseen.pk, 2, False)}


def answered(project, person, answer=GAMES) -> Judgment:
    """The next page, as the door gives it out, and its answer."""
    slot = queue.lease_next(project, annotator=person)
    suggestions.give(slot, to=person)
    return judging.submit(slot, by=person, answer=answer)


def test_whoever_reads_the_answers_can_tell_those_apart(browser_of, project, boss, alice, model):
    item = page_for(project, alice)
    model.yes[item.pk] = ("games",)
    queued(project, item)
    answered(project, alice)
    [read] = browser_of(boss).get("/api/v1/projects/pages/judgments/").json()["results"]
    assert read["saw_suggestion"] is True


# ---- where it must not speak ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("purpose", ["repeat", "rejudge", "audit", "new_label"])
def test_never_where_a_page_is_asked_again(browser_of, project, alice, model, purpose):
    item = page_for(project, alice)
    model.yes[item.pk] = ("games",)
    put_by(project, item, alice, purpose=purpose, round=2)
    assert lease(browser_of(alice))["suggested"] is None and model.asked == []


@pytest.mark.parametrize("stream", ["random", "audit", "drift"])
def test_never_on_a_page_that_chance_drew_by_whatever_slot_it_is_given_out(browser_of, project, alice, model, stream):
    item = page_for(project, alice)
    model.yes[item.pk] = ("games",)
    Selection.objects.create(item=item, stream=stream, probability=0.1)
    queued(project, item, stream="uncertainty")
    assert lease(browser_of(alice))["suggested"] is None and model.asked == []


def test_never_in_the_part_the_random_arm_takes_first(browser_of, project, alice, model):
    item = page_for(project, alice, blind=True)
    model.yes[item.pk] = ("games",)
    queued(project, item)
    assert lease(browser_of(alice))["suggested"] is None and model.asked == []


def test_never_from_a_model_that_may_have_learnt_from_an_answer_to_the_page(browser_of, project, alice, bob, model):
    """With two people to a page the first one's answer would come back as the model's opinion for the second."""
    item = page_for(project, alice)
    model.yes[item.pk] = ("games",)
    make_judgment(item, bob, yes=["games"])
    model.learnt_at = timezone.now()
    queued(project, item, overlap=2)
    assert lease(browser_of(alice))["suggested"] is None


def test_an_answer_the_model_cannot_know_is_in_nobodys_way(browser_of, project, alice, bob, model):
    item = page_for(project, alice)
    model.yes[item.pk] = ("games",)
    queued(project, item, overlap=2)
    make_judgment(item, bob, yes=["news"])
    assert lease(browser_of(alice))["suggested"] == ["games"]


@pytest.mark.parametrize("purpose", ["honeypot", "onboarding"])
def test_pages_with_known_answers_are_spoken_of_like_work(browser_of, project, alice, bob, model, purpose):
    item = page_for(project, alice)
    model.yes[item.pk] = ("games",)
    make_judgment(item, bob, yes=["games"])
    model.learnt_at = timezone.now()
    put_by(project, item, alice, purpose=purpose, round=10_000)
    assert lease(browser_of(alice))["suggested"] == ["games"]


def test_a_label_that_means_something_else_by_now_is_not_spoken_of(browser_of, project, alice, model):
    draft = publishing.draft_of(project.schema)
    games, *others = draft.labels
    changed = replace(draft, labels=(replace(games, definition="Only chess."), *others))
    publishing.publish(project, changed, by=None)
    item = page_for(project, alice)
    model.yes[item.pk] = ("games", "news")
    queued(project, item)
    assert lease(browser_of(alice))["suggested"] == ["news"]


# ---- what it costs and who decides ----------------------------------------------------------------------------------
def test_off_costs_no_statement(project, alice, model):
    switch(project, to=False)
    slot = put_by(project, page_for(project, alice), alice)
    with CaptureQueriesContext(connection) as asked:
        assert suggestions.give(slot, to=alice) is None
    assert len(asked) == 0 and model.asked == []


def test_a_manager_switches_it_and_the_trail_says_so(browser_of, project, boss):
    switch(project, to=False)
    browser = browser_of(boss)
    changed = browser.patch("/api/v1/projects/pages/", {"suggests": True}, content_type="application/json",
                            headers={"If-Match": browser.get("/api/v1/projects/pages/")["ETag"]})  # fmt: skip
    assert changed.status_code == 200 and changed.json()["suggests"] is True
    event = Event.objects.filter(kind="project.changed").latest("pk")
    assert "suggests" in str(event.data) and event.actor == boss
    assert "People lean towards a suggestion" in browser.get("/p/pages/settings/").content.decode()


def test_off_unless_somebody_says_so():
    assert make_project().suggests is False
