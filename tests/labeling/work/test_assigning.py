"""Pages given to one person, moved up, kept for adjudicators, and all of it taken back."""

import pytest
from django.test import Client

from labeling import accounts, assigning, invariants, judging, members, overlaps, queue, skipping, slots
from labeling.models import Assignment, Consensus, Event, Item, Membership, Selection, State
from labeling.models.work import Purpose
from labeling.refusals import Unacceptable
from tests.factories import make_item, make_member, make_project, make_user

pytestmark = pytest.mark.django_db
NEWS = judging.Answer(yes=("news",))


class Shop:
    """A project with pages in the queue, a manager and two annotators."""

    def __init__(self, pages=3, *, overlap=1, **rules):
        self.project = make_project(overlap={"default": overlap}, **rules)
        self.items = [make_item(self.project, f"https://p{n}.example.org/") for n in range(pages)]
        chosen = [Selection.objects.create(item=item, stream="import") for item in self.items]
        slots.open_up(self.project, chosen, overlap=overlap)
        self.manager = make_member(self.project, "manager", name="maria")
        self.anna = make_member(self.project, "annotator", name="anna")
        self.ben = make_member(self.project, "annotator", name="ben")

    def give(self, *items, to="anna"):
        return assigning.give(self.these(*items), project=self.project, to=to, by=self.manager)

    def these(self, *items):
        return Item.objects.filter(pk__in=[item.pk for item in items or self.items])

    def do(self, verb, *items, **how):
        return getattr(assigning, verb)(self.these(*items), project=self.project, by=self.manager, **how)

    def next_of(self, person):
        return queue.lease_next(self.project, annotator=person)

    def answers(self, person):
        slot = self.next_of(person)
        judging.submit(slot, by=person, answer=NEWS)
        return slot.item


@pytest.fixture
def shop():
    return Shop()


# ---- to one person --------------------------------------------------------------------------------------------------
def test_a_page_given_to_somebody_comes_before_anything_else_and_to_nobody_else(shop):
    _, _, last = shop.items
    Assignment.objects.filter(item=last).update(priority=-50)
    assert shop.give(last) == assigning.Given(pages=1, others=0)
    others = {shop.answers(shop.ben) for _ in range(2)}
    assert last not in others
    assert shop.next_of(shop.ben) is None
    assert shop.answers(shop.anna) == last


def test_of_a_page_that_two_people_answer_one_slot_is_put_by_and_given_once():
    shop = Shop(1, overlap=2)
    shop.give()
    assert shop.give() == assigning.Given(pages=0, others=1)
    assert Assignment.objects.filter(assigned_to=shop.anna).count() == 1
    assert shop.give(to="ben").pages == 1


def test_pages_a_person_knows_already_are_not_given_to_them():
    shop = Shop(4, overlap=2)
    answered, held = shop.answers(shop.anna), shop.next_of(shop.anna).item
    passed = next(item for item in shop.items if item not in (answered, held))
    judging.skip(Assignment.objects.filter(item=passed).first(), by=shop.anna)
    assert shop.give() == assigning.Given(pages=1, others=3)


def test_what_somebody_holds_stays_with_them(shop):
    held = shop.next_of(shop.ben)
    assert shop.give() == assigning.Given(pages=2, others=1)
    held.refresh_from_db()
    assert (held.annotator, held.assigned_to) == (shop.ben, None)


def test_pages_set_aside_are_put_back_before_they_are_given(shop):
    shop.project.skip_policy = "aside"
    shop.project.save()
    judging.skip(shop.next_of(shop.ben), by=shop.ben)
    assert shop.give() == assigning.Given(pages=2, others=1)
    assert skipping.set_aside(shop.project).count() == 1


@pytest.mark.parametrize("name", ["maria", "nobody", "gone", "stranger"])
def test_pages_are_given_only_to_active_people_who_answer_here(shop, name):
    make_member(shop.project, "annotator", name="gone", is_active=False)
    make_member(make_project(), "annotator", name="stranger")
    with pytest.raises(Unacceptable, match=f"“{name}”"):
        shop.give(to=name)


def test_what_was_given_is_taken_back_for_everyone(shop):
    shop.give()
    assert shop.do("take_back") == 3
    assert shop.next_of(shop.ben)


def test_checks_that_the_queue_put_by_are_touched_by_none_of_it(shop):
    Assignment.objects.update(purpose=Purpose.HONEYPOT, assigned_to=shop.anna)
    assert shop.give(to="ben").pages == shop.do("take_back") == shop.do("reserve") == 0
    assert shop.do("set_priority", priority=9) == 0
    assert Assignment.objects.filter(purpose=Purpose.HONEYPOT, assigned_to=shop.anna, priority=0).count() == 3


@pytest.mark.parametrize("end", ["removed", "deactivated"])
def test_who_leaves_keeps_nothing_to_themself(shop, end):
    first, check, _ = shop.items
    shop.give(first, check)
    Assignment.objects.filter(item=check).update(purpose=Purpose.REPEAT, round=10_000)
    if end == "removed":
        members.remove(Membership.objects.get(user=shop.anna), by=shop.manager)
    else:
        accounts.deactivate(shop.anna, by=make_user(is_superuser=True))
    assert not Assignment.objects.filter(assigned_to=shop.anna, state=State.OPEN).exists()
    assert {shop.answers(shop.ben) for _ in range(2)} == {first, shop.items[2]}
    assert shop.next_of(shop.ben) is None
    assert not [finding for finding in invariants.findings() if finding.n_breaches]


# ---- sooner or later ------------------------------------------------------------------------------------------------
def test_pages_of_higher_priority_come_first_to_people_who_are_at_work_already():
    shop = Shop(60)
    for _ in range(3):
        shop.answers(shop.anna)
    waiting = [item for item in shop.items if item.assignments.filter(state=State.OPEN).exists()]
    urgent = waiting[-1]
    assert shop.do("set_priority", urgent, priority=7) == 1
    assert shop.answers(shop.anna) == urgent


@pytest.mark.parametrize("priority", [-101, 101])
def test_a_priority_out_of_its_limits_is_a_sentence(shop, priority):
    with pytest.raises(Unacceptable, match="from -100 to 100"):
        shop.do("set_priority", priority=priority)


# ---- for adjudicators -----------------------------------------------------------------------------------------------
def test_reserved_pages_are_given_to_adjudicators_alone_until_they_are_for_everyone_again(shop):
    judge = make_member(shop.project, "adjudicator")
    assert shop.do("reserve", shop.items[0]) == 1
    assert {shop.answers(shop.ben) for _ in range(2)} == set(shop.items[1:])
    assert shop.next_of(shop.ben) is None
    assert shop.next_of(judge).item == shop.items[0]
    queue.release(shop.next_of(judge), by=judge)
    assert shop.do("unreserve") == 1
    assert shop.next_of(shop.ben).item == shop.items[0]


def test_an_adjudicators_answer_to_a_reserved_page_is_a_vote_like_any_other():
    shop = Shop(1, overlap=2)
    judge = make_member(shop.project, "adjudicator")
    shop.answers(shop.anna)
    shop.do("reserve")
    assert Consensus.objects.get().state == "pending"
    shop.answers(judge)
    said = Consensus.objects.get()
    assert (said.state, said.labels["news"]["yes"]) == ("agreed", 2)
    assert not [finding for finding in invariants.findings() if finding.n_breaches]


def test_a_lower_number_of_people_counts_reserved_slots_too():
    shop = Shop(1, overlap=3)
    shop.do("reserve")
    shop.project.overlap = {"default": 1}
    shop.project.save()
    assert overlaps.lower(shop.project, before={"default": 3}, by=None) == 2


def test_reserved_pages_are_not_given_to_an_annotator_and_leave_who_adjudicates_no_more(shop):
    shop.do("reserve", shop.items[0])
    assert shop.give(shop.items[0]).pages == 0
    judge = make_member(shop.project, "adjudicator", "annotator", name="judge")
    assert shop.give(shop.items[0], to="judge").pages == 1
    members.remove(Membership.objects.get(user=judge, role="adjudicator"), by=shop.manager)
    assert not Assignment.objects.exclude(assigned_to=None).exists()


# ---- the doors ------------------------------------------------------------------------------------------------------
@pytest.fixture
def page(shop):
    client = Client()
    client.force_login(shop.manager)
    return lambda verb, **sent: client.post(f"/p/{shop.project.slug}/queue/pages/{verb}/", sent, follow=True)


@pytest.fixture
def api(shop):
    client = Client()
    client.force_login(shop.manager)
    return lambda verb, body: client.post(
        f"/api/v1/projects/{shop.project.slug}/queue/{verb}/", body, content_type="application/json"
    )


def test_all_pages_of_a_filter_are_given_on_the_list_of_pages(shop, page):
    answer = page("give", host="p1.example.org", to="anna")
    assert "1 page given to anna." in answer.content.decode()
    assert answer.redirect_chain[-1][0].endswith("/items/?host=p1.example.org")
    assert Assignment.objects.get(assigned_to=shop.anna).item == shop.items[1]
    assert Event.objects.get(kind="queue.given").data == {"pages": 1}


def test_one_page_is_moved_on_its_own_page(shop, page):
    answer = page("priority", item=shop.items[2].public_id, priority="12")
    assert "has another place in the queue" in answer.content.decode()
    assert "In the queue" in answer.content.decode()
    assert list(Assignment.objects.filter(priority=12).values_list("item", flat=True)) == [shop.items[2].pk]


@pytest.mark.parametrize("sent", [{"priority": ""}, {"priority": "very"}, {"priority": "9" * 50}, {}])
def test_what_is_no_priority_is_a_sentence_on_the_page(shop, page, sent):
    assert "A priority is a whole number" in page("priority", **sent).content.decode()
    assert not Assignment.objects.exclude(priority=0).exists()


def test_nobody_of_that_name_is_a_sentence_on_the_page(shop, page):
    assert "Nobody who answers pages here is called" in page("give", to="<zed>").content.decode()
    assert page("burn").status_code == 404


def test_the_api_gives_moves_reserves_and_takes_back(shop, api):
    ids = [item.public_id for item in shop.items]
    assert api("give", {"items": ids[:2], "to": "anna"}).json() == {"pages": 2, "others": 0}
    assert api("take-back", {"filter": {"host": ".org"}}).json() == {"pages": 2}
    assert api("priority", {"items": ids[:1], "priority": 3}).json() == {"pages": 1}
    assert api("reserve", {"items": ids}).json() == {"pages": 3}
    assert api("unreserve", {"items": ids[:1]}).json() == {"pages": 1}
    assert api("put-back", {"items": ids}).json() == {"pages": 0}


@pytest.mark.parametrize(
    ("verb", "body", "status"),
    [
        ("give", {"items": []}, 422),
        ("give", {"to": "anna"}, 422),
        ("give", {"items": [], "filter": {}, "to": "anna"}, 422),
        ("give", {"items": [], "to": "zed"}, 422),
        ("priority", {"items": [], "priority": 2**70}, 422),
        ("priority", {"filter": {"color": "red"}, "priority": 1}, 422),
        ("reserve", {"filter": {"state": "lost"}}, 400),
        ("reserve", {"items": "all"}, 422),
        ("reserve", [], 400),
    ],
)
def test_the_api_refuses_what_names_no_pages(shop, api, verb, body, status):
    assert api(verb, body).status_code == status


def test_pages_of_another_project_are_not_touched(shop, api):
    elsewhere = Shop.__new__(Shop)
    elsewhere.project = make_project()
    item = make_item(elsewhere.project, "https://elsewhere.example.org/")
    slots.open_up(elsewhere.project, [Selection.objects.create(item=item, stream="import")], overlap=1)
    assert api("priority", {"items": [item.public_id], "priority": 5}).json() == {"pages": 0}
