"""The annotate page and My work over HTTP, with and without scripts."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection
from django.test import Client

from labeling import drafts, judging, queue, slots
from labeling.models import Draft, IdempotencyKey, Judgment, Selection
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project(slug="pages")


@pytest.fixture
def alice(project):
    return make_member(project, "annotator")


@pytest.fixture
def browser_of():
    def log_in(person):
        client = Client()
        client.force_login(person)
        return client

    return log_in


@pytest.fixture
def alices(alice, browser_of):
    return browser_of(alice)


@pytest.fixture
def pages(project):
    items = [make_item(project, title=f"Page {n}", text="Words of the page.") for n in range(2)]
    slots.open_up(project, [Selection.objects.create(item=item, stream="import") for item in items], overlap=1)
    return items


def form_of(response):
    html = response.content.decode()
    action = re.search(r'action="([^"]+/submit/)"', html).group(1)
    key = re.search(r'name="idempotency_key" value="(\w+)"', html).group(1)
    return action, key


def test_the_page_shows_the_text_and_every_label(alices, pages):
    html = alices.get("/p/pages/annotate/").content.decode()
    assert "Words of the page." in html
    assert all(f'name="label.{key}"' in html for key in ("games", "news", "self_harm"))


def test_a_plain_form_records_the_answer_and_is_sent_on(alices, pages):
    action, key = form_of(alices.get("/p/pages/annotate/"))
    response = alices.post(action, {"label.news": "yes", "idempotency_key": key, "active_seconds": "4.5"})
    assert (response.status_code, response["Location"]) == (302, "/p/pages/annotate/")
    assert Judgment.objects.get().verdicts["news"] == "yes" and Judgment.objects.get().active_seconds == 4.5


def test_htmx_gets_the_next_page_in_the_same_answer(alices, pages):
    action, key = form_of(alices.get("/p/pages/annotate/"))
    response = alices.post(action, {"none": "1", "idempotency_key": key}, HTTP_HX_REQUEST="true")
    assert response.status_code == 200 and "<html" not in response.content.decode()
    assert form_of(response)[0] != action


def test_the_same_form_sent_twice_is_one_answer(alices, pages):
    action, key = form_of(alices.get("/p/pages/annotate/"))
    for _ in range(2):
        assert alices.post(action, {"none": "1", "idempotency_key": key}).status_code == 302
    assert Judgment.objects.count() == 1


def test_another_answer_under_the_key_of_one_that_was_taken_is_not_acknowledged(alices, pages):
    """Back and Send, after a change: to say "saved" would drop the change without a word."""
    action, key = form_of(alices.get("/p/pages/annotate/"))
    alices.post(action, {"none": "1", "idempotency_key": key})
    response = alices.post(action, {"label.news": "yes", "note": "after all", "idempotency_key": key})
    html = response.content.decode()
    assert response.status_code == 409 and "What you changed since then is not saved" in html
    assert re.search(r'name="label.news" value="yes"[^>]* checked', html) and ">after all</textarea>" in html
    assert Judgment.objects.get().yes == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("headers", [{}, {"HTTP_HX_REQUEST": "true"}], ids=["plain form", "htmx"])
def test_the_same_form_on_its_way_twice_at_once_waits_and_is_one_answer(
    alices, browser_of, alice, pages, monkeypatch, headers
):
    action, key = form_of(alices.get("/p/pages/annotate/"))
    form, record, others = {"none": "1", "idempotency_key": key}, judging.submit, browser_of(alice)
    with ThreadPoolExecutor(1) as another_worker:
        seconds = []

        def record_slowly(*args, **kwargs):
            seconds.append(another_worker.submit(on_a_connection_of_its_own, others.post, action, form, **headers))
            with pytest.raises(TimeoutError):
                seconds[0].result(timeout=0.5)  # waits: it is neither answered nor does it answer
            return record(*args, **kwargs)

        monkeypatch.setattr(judging, "submit", record_slowly)
        first = alices.post(action, form, **headers)
        second = seconds[0].result(timeout=30)
    assert (first.status_code, len(seconds)) == (second.status_code, 1) and first.status_code in {200, 302}
    assert Judgment.objects.count() == 1


def on_a_connection_of_its_own(work, *args, **kwargs):
    try:
        return work(*args, **kwargs)
    finally:
        connection.close()


def test_a_key_is_forgotten_whatever_went_wrong(alices, pages, monkeypatch):
    action, key = form_of(alices.get("/p/pages/annotate/"))
    alices.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr(judging, "submit", lambda *_, **__: (_ for _ in ()).throw(OperationalError("disk full")))
        assert alices.post(action, {"none": "1", "idempotency_key": key}).status_code == 500
    assert not IdempotencyKey.objects.exists()
    assert alices.post(action, {"none": "1", "idempotency_key": key}).status_code == 302
    assert Judgment.objects.count() == 1


def test_a_form_of_another_person_is_not_taken(alices, project, pages, browser_of):
    html = alices.get("/p/pages/annotate/").content.decode()
    mark = re.search(r'name="person" value="(\w+)"', html).group(1)
    bobs = browser_of(make_member(project, "annotator"))
    action, _ = form_of(bobs.get("/p/pages/annotate/"))
    assert bobs.post(action, {"none": "1", "person": mark}).status_code == 401
    assert not Judgment.objects.exists()


def test_an_incomplete_answer_keeps_the_ticks_and_says_what_is_missing(alices, pages):
    action, key = form_of(alices.get("/p/pages/annotate/"))
    response = alices.post(action, {"label.news": "yes", "none": "1", "note": "why", "idempotency_key": key})
    html = response.content.decode()
    assert response.status_code == 422
    assert "None of these was ticked beside a label" in html and ">why</textarea>" in html
    assert re.search(r'name="label.news" value="yes"[^>]* checked', html)


def test_an_incomplete_answer_is_kept_as_the_draft(alices, alice, pages):
    action, key = form_of(alices.get("/p/pages/annotate/"))
    alices.post(action, {"note": "half an hour of reading", "idempotency_key": key})
    assert Draft.objects.get(annotator=alice).answer["note"] == "half an hour of reading"


@pytest.mark.parametrize(
    ("answer", "anchor", "described"),
    [
        ({}, "label-games-yes", {"none"}),
        ({"label.games": "yes", "none": "1"}, "none", {"none"}),
        ({"label.games": "yes", "label.news": "yes"}, "label-games-yes", {"games", "news"}),
        ({"none": "1", "note": "x" * 5001}, "note", {"note"}),
        ({"none": "1", "confidence": "total"}, "confidence-low", {"confidence"}),
    ],
    ids=["nothing", "none and a label", "two that exclude each other", "a long note", "an unknown confidence"],
)
def test_each_fault_leads_to_its_control_and_stands_beside_it(alices, project, pages, answer, anchor, described):
    project.ask_confidence = True
    project.save()
    project.schema_versions.update(exclusive_groups=[["games", "news"]])
    action, _ = form_of(alices.get("/p/pages/annotate/"))
    html = alices.post(action, answer).content.decode()
    assert f'<a href="#{anchor}">' in html and f'id="{anchor}"' in html
    assert 'class="wrong" id="wrong-1"' in html
    tags = [tag for tag in re.findall(r"<(?:div|input|textarea)[^>]*>", html) if 'aria-describedby="wrong-1' in tag]
    names = {re.search(r'data-label="(\w+)"|name="(\w+)"|class="(sure)"', tag).group(1, 2, 3) for tag in tags}
    assert {next(filter(None, found)).replace("sure", "confidence") for found in names} == described


def test_a_page_that_went_to_someone_else_is_409_and_the_ticks_are_kept(alices, alice, project, pages):
    action, key = form_of(alices.get("/p/pages/annotate/"))
    bob = make_member(project, "annotator")
    project.assignments.update(available_at="2020-01-01T00:00Z")
    for _ in range(2):
        slot = queue.lease_next(project, annotator=bob)
        judging.submit(slot, by=bob, answer=judging.Answer(none=True))
    response = alices.post(action, {"label.news": "yes", "idempotency_key": key})
    assert response.status_code == 409 and "went to someone else" in response.content.decode()
    assert Draft.objects.get(annotator=alice).answer["yes"] == ["news"]


def test_a_saved_draft_comes_back_on_another_device(alice, alices, browser_of, pages):
    slot = queue.lease_next(alice.memberships.get().project, annotator=alice)
    judging.save_draft(slot, by=alice, answer=judging.Answer(unsure=("games",), note="arcade"))
    html = browser_of(alice).get("/p/pages/annotate/").content.decode()
    assert re.search(r'name="label.games" value="unsure"[^>]* checked', html) and ">arcade</textarea>" in html


def test_when_nothing_is_left_the_page_says_so(alices, project):
    response = alices.get("/p/pages/annotate/")
    assert response.status_code == 200 and "No pages are waiting yet." in response.content.decode()


def test_skipping_needs_no_reason(alices, pages):
    action, _ = form_of(alices.get("/p/pages/annotate/"))
    assert alices.post(action.replace("submit", "skip")).status_code == 302
    assert not Judgment.objects.exists()


def test_a_dead_page_is_recorded_as_an_outcome(alices, pages):
    action, _ = form_of(alices.get("/p/pages/annotate/"))
    alices.post(action.replace("submit", "skip"), {"reason": "dead"})
    assert Judgment.objects.get().outcome == "not_assessable"


def test_logged_out_is_a_login_page_and_401_for_scripts(pages):
    assert Client().get("/p/pages/annotate/")["Location"].startswith("/accounts/login/")
    assert Client().get("/p/pages/annotate/", HTTP_HX_REQUEST="true").status_code == 401


def test_my_work_shows_my_answers_in_words_and_nobody_elses(alices, alice, project, pages, browser_of):
    judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=judging.Answer(yes=("news",)))
    assert "News yes" in alices.get("/p/pages/mine/").content.decode()
    bob = make_member(project, "annotator")
    assert "News yes" not in browser_of(bob).get("/p/pages/mine/").content.decode()


def test_an_answer_can_be_changed_from_my_work(alices, alice, project, pages):
    first = judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=judging.Answer(yes=("news",)))
    url = f"/p/pages/mine/{first.pk}/"
    assert re.search(r'name="label.news" value="yes"[^>]* checked', alices.get(url).content.decode())
    assert alices.post(url, {"label.games": "yes"})["Location"] == "/p/pages/mine/"
    assert Judgment.objects.current().get().yes == ["games"]


@pytest.mark.parametrize("asks", [True, False])
def test_a_correction_keeps_how_sure_one_was(alices, alice, project, pages, asks):
    project.ask_confidence = asks
    project.save()
    slot = queue.lease_next(project, annotator=alice)
    first = judging.submit(slot, by=alice, answer=judging.Answer(yes=("news",), confidence="high"))
    url = f"/p/pages/mine/{first.pk}/"
    kept = re.search(r'name="confidence" value="high"( id="[^"]*")?( checked)?', alices.get(url).content.decode())
    assert kept and bool(kept.group(2)) == asks
    alices.post(url, {"label.games": "yes", "confidence": "high"})
    assert Judgment.objects.current().get().confidence == "high"


def test_six_leads_to_the_last_answer_or_to_my_work(alices, alice, project, pages):
    assert 'data-key="6"' in alices.get("/p/pages/annotate/").content.decode()
    assert alices.get("/p/pages/mine/last/")["Location"] == "/p/pages/mine/"
    for yes in (("news",), ("games",)):
        last = judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=judging.Answer(yes=yes))
    assert alices.get("/p/pages/mine/last/")["Location"] == f"/p/pages/mine/{last.pk}/?back=annotate"


def test_a_correction_made_in_between_leads_back_to_the_page_at_hand(alices, alice, project, pages):
    first = judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=judging.Answer(yes=("news",)))
    url = f"/p/pages/mine/{first.pk}/?back=annotate"
    assert alices.post(url, {"label.games": "yes"})["Location"] == "/p/pages/annotate/"
    url = f"/p/pages/mine/{Judgment.objects.current().get().pk}/?back=//evil.example"
    assert alices.post(url, {"none": "1"})["Location"] == "/p/pages/mine/"


def test_a_correction_without_a_choice_leads_to_the_labels(alices, alice, project, pages):
    first = judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=judging.Answer(yes=("news",)))
    response = alices.post(f"/p/pages/mine/{first.pk}/", {})
    html = response.content.decode()
    assert response.status_code == 422 and '<a href="#label-games-yes">' in html
    assert re.search(r'id="none"[^>]* aria-describedby="wrong-1"', html)


def test_somebody_elses_answer_cannot_be_opened(alice, project, pages, browser_of):
    first = judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=judging.Answer(yes=("news",)))
    bob = make_member(project, "annotator")
    assert browser_of(bob).get(f"/p/pages/mine/{first.pk}/").status_code == 404


# ---- a refused answer and another device ----------------------------------------------------------------------------
def test_a_refused_answer_is_kept_as_the_draft_of_this_device(alices, pages):
    page = alices.get("/p/pages/annotate/")
    action, seen = form_of(page)[0], draft_in(page)
    page = alices.post(action, {"label.news": "yes", "none": "1", "draft": seen})
    assert Draft.objects.get().answer["yes"] == ["news"]
    again = alices.post(action, {"label.games": "yes", "none": "1", "draft": draft_in(page)})
    assert (again.status_code, Draft.objects.get().answer["yes"]) == (422, ["games"])


def test_a_refused_answer_is_not_saved_over_what_another_device_ticked_since(alices, alice, pages):
    page = alices.get("/p/pages/annotate/")
    action, seen = form_of(page)[0], draft_in(page)
    slot = queue.slot_of(alice, int(action.split("/")[-3]))
    drafts.save_draft(slot, by=alice, answer=judging.Answer(yes=("games",)), seen=drafts.NOTHING_SEEN)
    response = alices.post(action, {"label.news": "yes", "none": "1", "draft": seen})
    html = response.content.decode()
    assert response.status_code == 422 and re.search(r'name="label.news" value="yes"[^>]* checked', html)
    assert Draft.objects.get().answer["yes"] == ["games"]
    assert draft_in(response) == seen, "the next saving would pass for one that knows of the other device"
    assert "You ticked this page on another device meanwhile." in html
    assert response.context["draft_saved_at"] is None and " data-unsaved>" in html


@pytest.mark.parametrize("headers", [{}, {"HTTP_HX_REQUEST": "true"}], ids=["plain form", "htmx"])
def test_a_page_that_is_lost_shows_the_ticks_that_another_devices_kept_from_being_saved(
    alices, alice, project, pages, headers
):
    page = alices.get("/p/pages/annotate/")
    action, seen = form_of(page)[0], draft_in(page)
    slot = queue.slot_of(alice, int(action.split("/")[-3]))
    drafts.save_draft(slot, by=alice, answer=judging.Answer(yes=("games",)), seen=seen)
    project.assignments.update(available_at="2020-01-01T00:00Z")
    bob = make_member(project, "annotator")
    for _ in pages:
        judging.submit(queue.lease_next(project, annotator=bob), by=bob, answer=judging.Answer(none=True))
    answer = {"label.news": "yes", "note": "a <local> paper", "draft": seen, "idempotency_key": "k1"}
    response = alices.post(action, answer, **headers)
    html = response.content.decode()
    assert response.status_code == 409 and "you ticked it on another device meanwhile" in html
    assert "News yes" in html and "a &lt;local&gt; paper" in html
    assert "data-lost" not in html and "hx-trigger" not in html, "the script would let go of what is on the screen"
    assert Draft.objects.get().answer["yes"] == ["games"]


def draft_in(response) -> str:
    return re.search(r'name="draft" value="(\w*)"', response.content.decode()).group(1)
