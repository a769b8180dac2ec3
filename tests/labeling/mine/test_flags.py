"""Flags: told without leaving the page, answered by those who run the project, and a hint to nobody else."""

import re

import pytest
from django.test import Client
from rest_framework.test import APIClient

from labeling import flags, invariants, judging, queue, slots
from labeling.answers import Answer
from labeling.drafts import save_draft
from labeling.models import Assignment, Comment, Draft, Event, Flag, Item, OpenedCase, Selection, State
from labeling.refusals import Forbidden, Refused, Unacceptable
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db
INBOX = "/p/pages/flags/"


@pytest.fixture
def project():
    return make_project(slug="pages")


@pytest.fixture
def people(project):
    return {role: make_member(project, role, name=role) for role in ("annotator", "adjudicator", "manager")}


@pytest.fixture
def alice(people):
    return people["annotator"]


@pytest.fixture
def bob(project):
    return make_member(project, "annotator", name="bob")


@pytest.fixture
def manager(people):
    return people["manager"]


@pytest.fixture
def slot(project, alice):
    """The page alice has open; two people are asked for each of two pages."""
    items = [make_item(project, f"https://page{n}.example.org/") for n in range(2)]
    slots.open_up(project, [Selection.objects.create(item=item, stream="import") for item in items], overlap=2)
    return queue.lease_next(project, annotator=alice)


def browser_of(person):
    client = Client()
    client.force_login(person)
    return client


def api_of(person):
    client = APIClient(raise_request_exception=False)
    client.force_login(person)
    return client


def form_on(browser):
    html = browser.get("/p/pages/annotate/").content.decode()
    return re.search(r'id="flag-send" formaction="([^"]+)"', html)[1]


# ---- raised from the page -------------------------------------------------------------------------------------------
def test_a_remark_is_sent_without_leaving_the_page(alice, slot):
    browser = browser_of(alice)
    path = form_on(browser)
    sent = browser.post(path, {"kind": "comment", "text": "Half of it is missing."}, HTTP_HX_REQUEST="true")
    html = sent.content.decode()
    assert (
        sent.status_code == 200
        and 'id="flag-fields"' in html
        and "<html" not in html
        and "The managers have it" in html
    )
    plain = browser.post(path, {"kind": "guideline", "label": "games", "text": "Chess?"}, follow=True)
    assert plain.redirect_chain == [("/p/pages/annotate/", 302)] and plain.context["assignment"] == slot
    raised = Flag.objects.order_by("pk").values_list("kind", "label")
    assert list(raised) == [("comment", ""), ("guideline", "games")]
    assert Event.objects.filter(kind="flag.raised").count() == 2


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"kind": "guideline"}, "Say for which label"),
        ({"kind": "guideline", "label": "nothing"}, "Say for which label"),
        ({"kind": "comment"}, "Write what you want to say."),
        ({"kind": "other"}, "Say what it is about."),
        ({}, "Say what it is about."),
        ({"kind": "broken", "text": "x" * 2001}, "A message holds 2,000 characters."),
    ],
)
def test_what_cannot_be_taken_stays_in_the_form_with_a_sentence(alice, slot, said, sentence):
    browser = browser_of(alice)
    refused = browser.post(form_on(browser), said, HTTP_HX_REQUEST="true")
    assert refused.status_code == 422 and sentence in refused.content.decode()
    assert not Flag.objects.exists()


def test_a_plain_form_loses_neither_words_nor_ticks(alice, slot):
    browser = browser_of(alice)
    path, ticks = form_on(browser), {"label.games": "yes", "note": "Chess.", "draft": ""}
    refused = browser.post(path, {"kind": "guideline", "text": "And chess?"} | ticks)
    html = refused.content.decode()
    assert refused.status_code == 422 and '<a href="#flag-kind">Say for which label' in html
    assert ">And chess?</textarea>" in html and '<option value="guideline" selected>' in html
    assert re.search(r'name="label.games" value="yes"[^>]* checked', html) and not Flag.objects.exists()
    ticks["draft"] = re.search(r'name="draft" value="(\w+)"', html)[1]
    ticks["note"] = "Chess and draughts."
    sent = browser.post(path, {"kind": "comment", "text": "And chess?"} | ticks, follow=True)
    html = sent.content.decode()
    assert "The managers have it" in html and ">Chess and draughts.</textarea>" in html
    assert re.search(r'name="label.games" value="yes"[^>]* checked', html) and Flag.objects.count() == 1


def test_a_plain_form_is_told_where_another_device_has_newer_ticks(alice, slot):
    browser = browser_of(alice)
    path = form_on(browser)
    save_draft(slot, by=alice, answer=Answer(yes=("news",)))
    sent = browser.post(path, {"kind": "comment", "text": "Odd.", "label.games": "yes", "draft": ""})
    html = sent.content.decode()
    assert "on another device meanwhile" in html and "The managers have it" in html and Flag.objects.exists()
    assert re.search(r'name="label.games" value="yes"[^>]* checked', html)
    assert Draft.objects.get().answer["yes"] == ["news"]


def test_nothing_ticked_is_no_draft_and_a_refused_answer_keeps_what_was_written_to_the_managers(alice, slot):
    browser = browser_of(alice)
    path = form_on(browser)
    browser.post(path, {"kind": "comment", "text": "Odd.", "draft": ""})
    assert not Draft.objects.exists()
    refused = browser.post(path.replace("/flag/", "/submit/"), {"kind": "comment", "text": "And chess?", "draft": ""})
    assert refused.status_code == 422 and ">And chess?</textarea>" in refused.content.decode()


def test_the_same_flag_sent_twice_is_one(alice, slot):
    for text in ("No text at all.", "No text at all.", "Only a banner."):
        flags.raise_flag(slot.item, by=alice, kind="broken", text=text)
    assert Flag.objects.count() == 1 and Comment.objects.count() == 2


def test_only_a_page_one_was_given_can_be_flagged(project, alice, bob, manager, slot):
    body = {"item": slot.item.public_id, "kind": "broken"}
    assert api_of(bob).post("/api/v1/projects/pages/flags/", body).status_code == 404
    assert api_of(alice).post("/api/v1/projects/pages/flags/", body).status_code == 201
    assert api_of(manager).post("/api/v1/projects/pages/flags/", body).status_code == 201
    bobs = queue.lease_next(project, annotator=bob)
    assert browser_of(alice).post(f"/p/pages/annotate/{bobs.pk}/flag/", {"kind": "broken"}).status_code == 404


# ---- a page that looks illegal --------------------------------------------------------------------------------------
def states_of(item):
    return sorted(Assignment.objects.filter(item=item).values_list("state", flat=True))


def test_a_page_that_looks_illegal_is_given_to_nobody_until_a_manager_decides(project, alice, bob, manager, slot):
    save_draft(slot, by=alice, answer=Answer(yes=("self_harm",)))
    browser = browser_of(alice)
    sent = browser.post(form_on(browser), {"kind": "illegal"}, follow=True)
    assert sent.context["assignment"].item_id != slot.item_id and "The page is set aside" in sent.content.decode()
    assert queue.lease_next(project, annotator=bob).item_id != slot.item_id
    assert states_of(slot.item) == [State.OPEN, State.OPEN] and Draft.objects.get().answer["yes"] == ["self_harm"]
    flag = Flag.objects.get()
    with pytest.raises(Unacceptable, match="Say what becomes of the page"):
        flags.resolve(flag, by=manager)
    flags.resolve(flag, by=manager, text="A news photograph.", decision="back")
    queue.release_all(bob)
    given = {queue.lease_next(project, annotator=person).item_id for person in (bob,)}
    assert Item.objects.get(pk=slot.item_id).state == "active" and given
    assert states_of(slot.item).count("withdrawn") == 0
    assert [found.id for found in invariants.findings() if found.n_breaches] == []


def test_a_page_taken_out_stays_out(project, alice, bob, manager, slot):
    flags.raise_flag(slot.item, by=alice, kind="illegal")
    flags.resolve(Flag.objects.get(), by=manager, decision="out", text="Reported.")
    item = Item.objects.get(pk=slot.item_id)
    assert (item.state, item.state_reason) == ("withdrawn", "Reported.")
    assert states_of(item) == ["withdrawn", "withdrawn"]
    assert queue.lease_next(project, annotator=bob).item_id != item.pk


def test_whoever_has_the_page_open_meanwhile_loses_no_answer(project, alice, bob, slot):
    Assignment.objects.exclude(item=slot.item).update(state="withdrawn", available_at=None)
    bobs = queue.lease_next(project, annotator=bob)
    assert bobs.item_id == slot.item_id
    flags.raise_flag(slot.item, by=alice, kind="illegal")
    said = judging.submit(bobs, by=bob, answer=Answer(none=True))
    assert said.assignment_id == bobs.pk and states_of(slot.item) == [State.DONE, State.OPEN]


def test_one_decision_settles_all_that_was_said_about_the_page_being_illegal(project, alice, bob, manager, slot):
    Assignment.objects.exclude(item=slot.item).update(state="withdrawn", available_at=None)
    queue.lease_next(project, annotator=bob)
    for person in (alice, bob):
        flags.raise_flag(slot.item, by=person, kind="illegal")
    flags.raise_flag(slot.item, by=bob, kind="broken")
    flags.resolve(Flag.objects.filter(kind="illegal").first(), by=manager, decision="back")
    assert [flag.kind for flag in Flag.objects.open()] == ["broken"]


def test_an_adjudicator_settles_flags_but_does_not_decide_what_becomes_of_a_page(people, alice, slot):
    broken = flags.raise_flag(slot.item, by=alice, kind="broken")
    flags.resolve(broken, by=people["adjudicator"])
    illegal = flags.raise_flag(slot.item, by=alice, kind="illegal")
    with pytest.raises(Forbidden, match="until a manager says"):
        flags.resolve(illegal, by=people["adjudicator"], decision="back", decides=False)
    answer = api_of(people["adjudicator"]).post(f"/api/v1/flags/{illegal.pk}/resolve/", {"decision": "back"})
    assert answer.status_code == 403 and Item.objects.get(pk=slot.item_id).state == "archived"


# ---- the thread -----------------------------------------------------------------------------------------------------
def test_a_manager_answers_and_the_one_who_raised_it_finds_the_answer_in_my_work(alice, bob, manager, slot):
    flag = flags.raise_flag(slot.item, by=alice, kind="guideline", label="games", text="Is chess a game?")
    managers, path = browser_of(manager), f"{INBOX}{flag.pk}/"
    html = managers.get(INBOX).content.decode()
    assert "1 flag waits for an answer" in html and "The guideline does not say: Games" in html
    assert "Is chess a game?" in managers.get(path).content.decode()
    assert managers.post(f"{path}resolve/", {"text": "Yes: see version 2."})["Location"] == INBOX
    html = browser_of(alice).get("/p/pages/mine/").content.decode()
    assert "Yes: see version 2." in html and "Settled" in html and "manager" not in re.findall(r"<q[^>]*>([^<]*)", html)
    seen = browser_of(alice).get(path).content.decode()
    assert "For the managers" in seen and "manager," not in seen
    assert "What I told the managers" not in browser_of(bob).get("/p/pages/mine/").content.decode()


def test_who_raised_it_can_ask_again(alice, manager, slot):
    flag = flags.raise_flag(slot.item, by=alice, kind="comment", text="Odd.")
    flags.resolve(flag, by=manager)
    with pytest.raises(Refused, match="settled already"):
        flags.resolve(flag, by=manager)
    flags.comment(flag, by=manager, text="Thank you.")
    assert not Flag.objects.open().exists()
    flags.comment(flag, by=alice, text="Still odd.")
    assert Flag.objects.open().exists()


def test_what_looks_illegal_is_first_in_the_inbox(alice, manager, slot):
    for kind in ("illegal", "broken"):
        flags.raise_flag(slot.item, by=alice, kind=kind)
    assert [row["title"] for row in browser_of(manager).get(INBOX).context["rows"]] == [
        "This looks illegal", "The page is broken",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "  ", "x" * 2001])
def test_a_message_that_is_none_is_said_to_be_so(alice, manager, slot, text):
    flag = flags.raise_flag(slot.item, by=alice, kind="broken")
    answer = browser_of(manager).post(f"{INBOX}{flag.pk}/comment/", {"text": text})
    assert answer.status_code == 422 and not Comment.objects.exists()


# ---- blind ----------------------------------------------------------------------------------------------------------
def test_an_annotator_knows_of_no_flag_but_their_own(alice, bob, slot):
    flag = flags.raise_flag(slot.item, by=alice, kind="guideline", label="self_harm", text="A method is named.")
    api = api_of(bob)
    assert api.get("/api/v1/projects/pages/flags/").json()["results"] == []
    for path in (f"/api/v1/flags/{flag.pk}/", f"{INBOX}{flag.pk}/"):
        assert api.get(path).status_code == 404
    assert api.post(f"/api/v1/flags/{flag.pk}/comments/", {"text": "?"}).status_code == 404
    assert api.get(INBOX).status_code == 403


def test_a_flag_changes_nothing_in_what_another_annotator_is_shown(project, alice, bob, slot):
    Assignment.objects.exclude(item=slot.item).update(state="withdrawn", available_at=None)
    queue.lease_next(project, annotator=bob)
    api = api_of(bob)

    def shown():
        both = [api.get(path).content.decode() for path in ("/p/pages/annotate/", "/p/pages/mine/")]
        fresh = r'(csrfmiddlewaretoken" value|idempotency_key" value|data-now)="[^"]+"'
        return [re.sub(fresh, "", html) for html in both]

    before = shown()
    flags.raise_flag(slot.item, by=alice, kind="guideline", label="self_harm", text="A method is named.")
    assert shown() == before


def test_who_may_be_given_the_page_reads_a_flag_only_by_giving_the_page_up(project, people, alice, slot):
    adjudicator = people["adjudicator"]
    flag = flags.raise_flag(slot.item, by=alice, kind="guideline", label="self_harm", text="A method is named.")
    browser, api = browser_of(adjudicator), api_of(adjudicator)
    html = browser.get(INBOX).content.decode()
    assert "Somebody said something about this page" in html and "Self Harm" not in html and "is named" not in html
    (veiled,) = api.get("/api/v1/projects/pages/flags/").json()["results"]
    assert (veiled["kind"], veiled["label"], veiled["raised_by"]) == (None, None, None)
    assert not OpenedCase.objects.exists()
    thread = api.get(f"/api/v1/flags/{flag.pk}/").json()
    assert thread["label"] == "self_harm" and thread["comments"][0]["text"] == "A method is named."
    assert thread["raised_by"] != alice.username
    given = [queue.lease_next(project, annotator=adjudicator)]
    judging.submit(given[0], by=adjudicator, answer=Answer(none=True))
    assert given[0].item_id != slot.item_id and queue.lease_next(project, annotator=adjudicator) is None


def test_who_holds_the_page_cannot_read_what_others_say_of_it(project, people, alice, slot):
    adjudicator = people["adjudicator"]
    Assignment.objects.exclude(item=slot.item).update(state="withdrawn", available_at=None)
    queue.lease_next(project, annotator=adjudicator)
    flag = flags.raise_flag(slot.item, by=alice, kind="comment", text="Clearly games.")
    for answer in (
        api_of(adjudicator).get(f"/api/v1/flags/{flag.pk}/"),
        browser_of(adjudicator).get(f"{INBOX}{flag.pk}/"),
    ):
        assert answer.status_code == 409 and b"Clearly" not in answer.content


# ---- over the API ---------------------------------------------------------------------------------------------------
def test_a_program_raises_reads_answers_and_settles(alice, manager, slot):
    api, managers = api_of(alice), api_of(manager)
    raised = api.post(
        "/api/v1/projects/pages/flags/", {"item": slot.item.public_id, "kind": "illegal", "text": "See line 3."}
    ).json()
    assert raised["set_aside"] and raised["comments"][0]["by"] == "You"
    own = f"/api/v1/flags/{raised['id']}/"
    assert managers.post(f"{own}comments/", {"text": "Looking."}).status_code == 201
    assert managers.post(f"{own}resolve/", {}).status_code == 422
    settled = managers.post(f"{own}resolve/", {"decision": "back", "text": "It is not."})
    assert settled.status_code == 200 and settled.json()["resolved_at"] and not settled.json()["set_aside"]
    assert managers.post(f"{own}resolve/", {}).status_code == 409
    assert [said["text"] for said in api.get(own).json()["comments"]] == ["See line 3.", "Looking.", "It is not."]
    assert api.get("/api/v1/projects/pages/flags/", {"state": "open"}).json()["results"] == []
    assert api.get("/api/v1/projects/pages/flags/", {"state": "odd"}).status_code == 400
    bad = api.post("/api/v1/projects/pages/flags/", {"item": slot.item.public_id, "kind": "guideline"})
    assert bad.status_code == 422 and bad.json()["errors"][0]["pointer"] == "/label"
