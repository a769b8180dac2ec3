"""Taking items out and putting them back, and the pages that show them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling import consensus, item_search, items
from labeling.models import Assignment, Consensus, Dispute, Event, Item, State
from labeling.permissions import Sight
from labeling.refusals import Unacceptable
from tests.factories import make_assignment, make_item, make_judgment, make_member, make_project

pytestmark = pytest.mark.django_db
SEES_ALL = Sight(consensus=True, whole=True, text=True)


@pytest.fixture
def project():
    return make_project("pages")


# ---- taking out and putting back ------------------------------------------------------------------------------------
def test_withdrawing_closes_open_slots_and_keeps_answers(project):
    manager, person = make_member(project, "manager"), make_member(project, "annotator")
    item = make_item(project)
    make_assignment(project, item, slot=1)
    make_assignment(project, item, slot=2, annotator=person, state=State.DONE, available_at=None)
    assert items.withdraw(Item.objects.filter(pk=item.pk), project=project, by=manager, reason=" asked by owner ") == 1
    item.refresh_from_db()
    assert (item.state, item.state_reason) == ("withdrawn", "asked by owner")
    assert list(Assignment.objects.order_by("slot").values_list("state", flat=True)) == ["withdrawn", "done"]
    assert Event.objects.get(kind="item.withdrawn").about == f"item:{item.pk}"


def test_a_withdrawal_needs_a_reason(project):
    with pytest.raises(Unacceptable, match="Say why"):
        items.withdraw(Item.objects.all(), project=project, by=make_member(project, "manager"), reason=" ")


def test_what_was_withdrawn_by_mistake_comes_back_with_its_open_slots(project):
    manager, slot = make_member(project, "manager"), make_assignment(project)
    these = Item.objects.filter(pk=slot.item_id)
    items.withdraw(these, project=project, by=manager, reason="mistake")
    items.restore(these, project=project, by=manager)
    slot.refresh_from_db()
    assert (slot.state, slot.item.state, slot.item.state_reason) == ("open", "active", "")
    assert slot.available_at is not None


def test_what_people_said_is_counted_again_when_slots_go_and_come_back(project):
    """Two people differ and a third is still asked: pending; with the slot withdrawn a dispute; restored, pending."""
    manager, slot = make_member(project, "manager"), make_assignment(project)
    for rater, yes in (("r1", ["news"]), ("r2", [])):
        make_judgment(slot.item, rater, yes=yes)
    consensus.refresh_many([slot.item_id], project=project)
    these, said = Item.objects.filter(pk=slot.item_id), Consensus.objects.filter(item=slot.item)
    assert said.get().state == "pending"
    items.withdraw(these, project=project, by=manager, reason="mistake")
    assert said.get().state == "disputed"
    assert Dispute.objects.filter(item=slot.item, settled_at=None).count() == 1
    items.restore(these, project=project, by=manager)
    assert said.get().state == "pending"
    assert not Dispute.objects.filter(item=slot.item, settled_at=None).exists()


def test_a_page_nobody_answered_gets_no_consensus_by_coming_back(project):
    manager, slot = make_member(project, "manager"), make_assignment(project)
    these = Item.objects.filter(pk=slot.item_id)
    items.withdraw(these, project=project, by=manager, reason="mistake")
    items.restore(these, project=project, by=manager)
    assert not Consensus.objects.exists()


def test_a_change_for_a_filter_reaches_every_page_of_it(project, monkeypatch):
    monkeypatch.setattr(items, "CHUNK", 2)
    for n in range(5):
        make_item(project, f"https://h{n}.example.org/")
    make_item(project, "https://stays.example.com/")
    wanted = item_search.read_filter({"host": ".org"}, project, sight=SEES_ALL)
    assert items.archive(item_search.find(project, wanted), project=project, by=make_member(project, "manager")) == 5
    assert Item.objects.get(state="active").host == "stays.example.com"


# ---- pages ----------------------------------------------------------------------------------------------------------
def test_the_list_says_what_it_shows_and_costs_the_same_for_any_length(client, project):
    client.force_login(make_member(project, "manager"))
    make_item(project, "https://a.example.org/", title="<script>alert(1)</script>")
    client.get("/p/pages/items/")  # a published schema is read once a process
    with CaptureQueriesContext(connection) as few:
        page = client.get("/p/pages/items/?host=.org").content.decode()
    assert "1 page, host ends in .org" in page
    assert "<script>alert" not in page
    for n in range(20):
        make_item(project, f"https://h{n}.example.org/", title=str(n))
    with CaptureQueriesContext(connection) as many:
        client.get("/p/pages/items/?host=.org")
    assert len(many) == len(few) <= 15


def test_an_empty_project_says_the_one_step_to_take(client, project):
    client.force_login(make_member(project, "manager"))
    assert "Import a list to begin." in client.get("/p/pages/items/").content.decode()


def test_queries_in_addresses_are_hidden_on_pages(client, project):
    client.force_login(make_member(project, "manager"))
    item = make_item(project)
    Item.objects.filter(pk=item.pk).update(url_key="https://a.example/?pupil=Ann", url_display="a.example/?…")
    for address in ("/p/pages/items/", f"/p/pages/items/{item.public_id}/"):
        assert "pupil=Ann" not in client.get(address).content.decode()


def test_a_page_is_withdrawn_and_brought_back_in_the_browser(client, project):
    client.force_login(make_member(project, "manager"))
    item = make_item(project)
    address = f"/p/pages/items/{item.public_id}/"
    page = client.post(f"{address}withdraw/", {"reason": "dead link"}, follow=True).content.decode()
    assert "Withdrawn: dead link" in page
    assert "1 page brought back." in client.post(f"{address}restore/", follow=True).content.decode()
    assert "Say why" in client.post(f"{address}withdraw/", {"reason": ""}, follow=True).content.decode()
    assert client.post(f"{address}explode/").status_code == 404


def test_annotators_read_only_what_they_hold_and_nothing_about_it(client, project):
    person = make_member(project, "annotator")
    client.force_login(person)
    mine = make_assignment(project, leased_to=person).item
    other = make_item(project)
    page = client.get(f"/p/pages/items/{mine.public_id}/").content.decode()
    assert "How it came to be asked" not in page
    assert client.get(f"/p/pages/items/{other.public_id}/").status_code == 404
    assert client.get("/p/pages/items/").status_code == 403


def test_a_viewer_changes_nothing_and_sees_no_answers(client, project):
    client.force_login(make_member(project, "viewer"))
    item = make_item(project)
    make_judgment(item, "r1", yes=["news"])
    consensus.refresh_many([item.pk], project=project)
    assert "What people said" not in client.get(f"/p/pages/items/{item.public_id}/").content.decode()
    assert client.post(f"/p/pages/items/{item.public_id}/archive/").status_code == 403
    assert client.get("/p/pages/items/?label=news").status_code == 403
