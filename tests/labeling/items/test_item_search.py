"""What a filter finds, who may search by what, and pages of the list."""

import pytest

from labeling import consensus, item_search
from labeling.models import Item, Selection
from labeling.permissions import Sight
from labeling.refusals import Forbidden
from tests.factories import make_assignment, make_item, make_judgment, make_project

pytestmark = pytest.mark.django_db
SEES_ALL = Sight(consensus=True, whole=True, text=True)
SEES_NO_OPINIONS = Sight(consensus=False, whole=True, text=True)


@pytest.fixture
def project():
    return make_project("pages")


def found(project, **params) -> set[str]:
    wanted = item_search.read_filter(params, project, sight=SEES_ALL)
    return {item.host for item in item_search.find(project, wanted)}


def test_a_host_means_itself_and_the_hosts_under_it(project):
    for host in ("example.org", "www.example.org", "badexample.org", "example.com"):
        make_item(project, f"https://{host}/")
    assert found(project, host="example.org") == {"example.org", "www.example.org"}
    assert found(project, host=".ORG") == {"example.org", "www.example.org", "badexample.org"}


def test_signs_of_a_pattern_are_only_signs(project):
    make_item(project, "https://a.example/x_y%25")
    make_item(project, "https://b.example/xzy")
    assert found(project, q="x_y") == {"a.example"}
    assert found(project, q="%") == {"a.example"}
    assert found(project, host="%") == set()


def test_a_search_looks_at_titles_too(project):
    make_item(project, "https://a.example/", title="Castles and gardens")
    make_item(project, "https://b.example/")
    assert found(project, q="garden") == {"a.example"}


def test_archived_pages_are_shown_only_when_asked_for(project):
    make_item(project, "https://a.example/")
    make_item(project, "https://b.example/", state="archived")
    assert found(project) == {"a.example"}
    assert found(project, state="archived") == {"b.example"}


def test_pages_are_found_by_how_they_were_chosen_and_what_people_said(project):
    chosen, other = make_item(project, "https://a.example/"), make_item(project, "https://b.example/")
    Selection.objects.create(item=chosen, stream="random", probability=0.5)
    for item, second in ((chosen, ["news"]), (other, ["games"])):
        make_judgment(item, "r1", yes=["news"])
        make_judgment(item, "r2", yes=second)
    consensus.refresh_many([chosen.pk, other.pk], project=project)
    assert found(project, stream="random") == {"a.example"}
    assert found(project, state="disputed") == {"b.example"}
    assert found(project, label="news") == {"a.example"}
    assert found(project, label="news", min_probability="0.5") == {"a.example", "b.example"}


def test_a_page_still_open_tells_nothing_of_its_answers(project):
    slot = make_assignment(project)
    make_judgment(slot.item, "r1", yes=["news"])
    consensus.refresh_many([slot.item_id], project=project)
    assert found(project, label="news") == set()
    assert found(project, label="news", min_probability="0.1") == set()


def test_who_may_not_see_answers_may_not_search_by_them(project):
    for params in ({"label": "news"}, {"state": "disputed"}):
        with pytest.raises(Forbidden):
            item_search.read_filter(params, project, sight=SEES_NO_OPINIONS)


def test_the_filter_is_said_in_words(project):
    wanted = item_search.read_filter({"state": "disputed", "host": ".org"}, project, sight=SEES_ALL)
    assert item_search.in_words(wanted, 1204, project) == "1,204 pages, disputed, host ends in .org"
    assert item_search.in_words(item_search.Filter(), item_search.COUNT_CAP + 1, project) == "more than 100,000 pages"


def test_leaves_of_a_list_hold_every_page_once_in_both_directions(project):
    every = [make_item(project).public_id for _ in range(7)][::-1]
    pages = Item.objects.filter(project=project)
    first = item_search.leaf(pages, size=3)
    second = item_search.leaf(pages, after=first.later, size=3)
    third = item_search.leaf(pages, after=second.later, size=3)
    assert [row.public_id for leaf in (first, second, third) for row in leaf.rows] == every
    assert (first.earlier, third.later) == ("", "")
    back = item_search.leaf(pages, before=third.earlier, size=3)
    assert [row.public_id for row in back.rows] == [row.public_id for row in second.rows]
    assert item_search.leaf(pages, before=back.earlier, size=3).earlier == ""
