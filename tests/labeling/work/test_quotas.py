"""How much one person may answer: in a day, in all, as a share. Who has come to it is told so and keeps their page."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from labeling import desks, judging, projects, queue, quotas, slots, waiting
from labeling.models import Assignment, Draft, Event, Judgment, Membership, Selection, State
from labeling.models.work import Purpose
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db
NEWS = judging.Answer(yes=("news",))
NOON = datetime(2030, 5, 4, 12, tzinfo=UTC)
MIDNIGHT = datetime(2030, 5, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def project_of(pages: int = 5, *, overlap: int = 1, **quota):
    project = make_project(**quota)
    items = [make_item(project) for _ in range(pages)]
    slots.open_up(project, [Selection.objects.create(item=item, stream="import") for item in items], overlap=overlap)
    Assignment.objects.update(available_at=NOON - timedelta(days=1))
    return project


def works(person, project, *, now=NOON, most=99) -> int:
    """How many pages this person can answer before nothing is given any more."""
    for n in range(most):
        slot = queue.lease_next(project, annotator=person, now=now)
        if slot is None:
            return n
        judging.submit(slot, by=person, answer=NEWS, now=now)
    return most


def set_own(person, role="annotator", **quota):
    Membership.objects.filter(user=person, role=role).update(**quota)


def test_nobody_answers_more_in_a_day_than_the_project_says_and_the_next_day_begins_at_midnight_utc():
    project = project_of(quota_per_day=2)
    anna = make_member(project, "annotator")
    assert works(anna, project, now=NOON) == 2
    assert works(anna, project, now=MIDNIGHT - SECOND) == 0
    assert works(anna, project, now=MIDNIGHT) == 2


def test_who_has_reached_the_day_is_told_so_and_until_when():
    project = project_of(quota_per_day=1)
    anna = make_member(project, "annotator")
    works(anna, project)
    refusal = desks.terms(project, anna, now=NOON).refusal
    assert refusal.until == MIDNIGHT
    assert refusal.sentence.startswith("You have answered 1 page today")
    assert waiting.nothing_left(project, annotator=anna, now=NOON) == refusal.sentence


def test_a_changed_answer_is_not_one_more_of_the_day():
    project = project_of(quota_per_day=2)
    anna = make_member(project, "annotator")
    works(anna, project, most=1)
    judging.revise(Judgment.objects.get(), by=anna, answer=judging.Answer(none=True), now=NOON)
    assert works(anna, project) == 1


def test_nobody_answers_more_in_all_than_the_project_says():
    project = project_of(quota_total=3)
    anna, ben = make_member(project, "annotator"), make_member(project, "annotator")
    assert works(anna, project) == 3
    assert works(anna, project, now=MIDNIGHT) == 0
    assert works(ben, project) == 2


def test_one_persons_share_is_of_the_answers_given_and_still_asked_for():
    project = project_of(5, overlap=4, quota_share=0.2)
    people = [make_member(project, "annotator") for _ in range(4)]
    assert [works(person, project) for person in people] == [4, 4, 4, 4]


def test_a_share_lets_work_begin_and_grows_with_what_is_queued():
    project = project_of(1, quota_share=0.5)
    anna = make_member(project, "annotator")
    assert works(anna, project) == 1
    assert "as large a part" in waiting.nothing_left(project, annotator=anna, now=NOON)
    slots.open_up(project, [Selection.objects.create(item=make_item(project), stream="import")], overlap=3)
    Assignment.objects.filter(state=State.OPEN).update(available_at=NOON)
    assert works(anna, project) == 1


def test_a_membership_says_otherwise_for_one_person_alone():
    project = project_of(quota_per_day=1)
    anna, ben = make_member(project, "annotator"), make_member(project, "annotator")
    set_own(anna, quota_per_day=3)
    assert (works(anna, project), works(ben, project)) == (3, 1)


def test_a_person_with_two_roles_has_the_larger_of_their_own_numbers():
    project = project_of()
    anna = make_member(project, "annotator", "adjudicator")
    set_own(anna, quota_total=1)
    set_own(anna, role="adjudicator", quota_total=2)
    assert works(anna, project) == 2


def test_a_check_counts_like_any_page_so_that_the_count_does_not_tell_it():
    project = project_of(quota_per_day=2)
    Assignment.objects.filter(pk=Assignment.objects.first().pk).update(purpose=Purpose.HONEYPOT, priority=9)
    anna = make_member(project, "annotator")
    assert works(anna, project) == 2


def test_who_comes_to_the_limit_with_a_page_in_hand_keeps_it():
    project = project_of(quota_total=2)
    anna = make_member(project, "annotator")
    slot = queue.lease_next(project, annotator=anna, now=NOON)
    projects.change(project, {"quota_total": 1}, by=None)
    project.refresh_from_db()
    assert queue.lease_next(project, annotator=anna, now=NOON) == slot
    assert judging.submit(slot, by=anna, answer=NEWS, now=NOON)
    assert queue.lease_next(project, annotator=anna, now=NOON) is None


def test_a_late_answer_is_not_one_more_than_the_quota():
    project = project_of(2, overlap=2, quota_total=1)
    anna, ben = make_member(project, "annotator"), make_member(project, "annotator")
    late = queue.lease_next(project, annotator=anna, now=NOON)
    Assignment.objects.exclude(item=late.item).update(priority=-1)
    hour = NOON + timedelta(hours=1)
    slots.reopen(Assignment.objects.filter(pk=late.pk), hour)
    set_own(ben, quota_total=9)
    Assignment.objects.filter(item=late.item).update(priority=-9)
    other = queue.lease_next(project, annotator=anna, now=hour)
    assert other.item_id != late.item_id
    with pytest.raises(judging.LeaseLost):
        judging.submit(late, by=anna, answer=NEWS, now=hour)
    assert Draft.objects.get(annotator=anna, item=late.item).answer["yes"] == ["news"]
    judging.submit(other, by=anna, answer=NEWS, now=hour)
    assert quotas.in_all(project, anna.pk) == 1


def test_a_quota_that_is_not_set_costs_no_query(django_assert_num_queries):
    project = project_of()
    anna = make_member(project, "annotator")
    desks.terms(project, anna)
    with django_assert_num_queries(1):
        desks.terms(project, anna)


def test_managers_see_how_far_everyone_is_in_few_queries(django_assert_max_num_queries):
    project = project_of(6, overlap=2, quota_per_day=2)
    anna, ben = make_member(project, "annotator", name="anna"), make_member(project, "annotator", name="ben")
    set_own(ben, quota_total=3, quota_share=0.1)
    works(anna, project), works(ben, project, most=1)
    with django_assert_max_num_queries(4):
        of_anna, of_ben = quotas.standings(project, moment=NOON)
    assert (of_anna.today, of_anna.total, of_anna.left_today, of_anna.left) == (2, 2, 0, None)
    assert (of_ben.today, of_ben.total, of_ben.left_today, of_ben.left) == (1, 1, 1, 1)


# ---- set by page and API --------------------------------------------------------------------------------------------
@pytest.fixture
def managed():
    project = project_of(quota_per_day=7)
    client = Client()
    client.force_login(make_member(project, "manager", name="maria"))
    make_member(project, "annotator", name="anna")
    return project, client


def own(name="anna", role="annotator"):
    return Membership.objects.get(user__username=name, role=role)


def test_a_manager_sets_one_persons_quota_on_the_page_of_members(managed):
    project, client = managed
    members, url = f"/p/{project.slug}/settings/members/", f"/p/{project.slug}/settings/members/{own().pk}/quota/"
    assert "the project says: at most 7 pages a day." in client.get(members).content.decode()
    assert client.post(url, {"quota_per_day": 3, "quota_total": "", "quota_share": "0.25"}).status_code == 302
    assert (own().quota_per_day, own().quota_total, own().quota_share) == (3, None, 0.25)
    assert "; at most 3 pages a day and 25 % of all answers" in client.get(members).content.decode()
    assert Event.objects.filter(kind="member.changed", project=project).count() == 1
    wrong = client.post(url, {"quota_per_day": 0, "quota_share": 7})
    assert wrong.status_code == 422
    assert own().quota_per_day == 3
    assert client.post(url, {}).status_code == 302
    assert own().quota_per_day is None


def test_only_who_answers_pages_has_a_quota(managed):
    project, client = managed
    assert (
        f"members/{own('maria', 'manager').pk}/quota/"
        not in client.get(f"/p/{project.slug}/settings/members/").content.decode()
    )
    assert client.post(f"/p/{project.slug}/settings/members/{own('maria', 'manager').pk}/quota/").status_code == 409


def test_quotas_are_read_and_set_by_the_api(managed):
    project, client = managed
    url, anna = f"/api/v1/projects/{project.slug}/members/", {"username": "anna", "role": "annotator"}
    answer = client.patch(url, anna | {"quota_total": 40}, content_type="application/json")
    assert answer.status_code == 200
    assert answer.json().items() >= (anna | {"quota_total": 40, "quota_per_day": None}).items()
    listed = client.get(f"{url}?username=anna").json()["results"][0]
    assert listed["quota_total"] == 40
    assert (
        client.patch(url, anna | {"quota_total": None}, content_type="application/json").json()["quota_total"] is None
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "anna", "role": "annotator", "quota_total": 0}, 422),
        ({"username": "anna", "role": "annotator", "quota_share": "nan"}, 422),
        ({"username": "anna", "role": "viewer", "quota_total": 5}, 404),
        ({"username": "maria", "role": "manager", "quota_total": 5}, 409),
        ({"quota_total": 5}, 422),
        ([], 400),
    ],
)
def test_what_cannot_be_a_quota_is_refused(managed, body, status):
    project, client = managed
    url = f"/api/v1/projects/{project.slug}/members/"
    assert client.patch(url, body, content_type="application/json").status_code == status
    assert not Membership.objects.filter(quotas.IS_SET).exists()
