"""Back through one's last answers and on again, while the page at hand and its ticks wait."""

import re

import pytest

from labeling import consensus, judging, own_work, queue, slots
from labeling.answers import Answer
from labeling.models import Judgment, Selection
from tests.factories import make_item, make_judgment, make_member
from tests.labeling.gold.work import decide

pytestmark = pytest.mark.django_db


@pytest.fixture
def answers(project, alice):
    """Three answers, oldest first."""
    items = [make_item(project) for _ in range(4)]
    slots.open_up(project, [Selection.objects.create(item=item, stream="import") for item in items], overlap=1)
    return [
        judging.submit(queue.lease_next(project, annotator=alice), by=alice, answer=Answer(yes=("news",)))
        for _ in range(3)
    ]


def link(html, key):
    found = re.search(rf'href="([^"]+)" data-key="{key}"', html)
    return found.group(1) if found else None


def dispute_and_decide(project, item):
    make_judgment(item, "second")
    consensus.refresh(item, project=project)
    decide(item, by=make_member(project, "adjudicator"), news="no")


def test_six_goes_back_seven_on_and_five_to_the_page_that_was_left(browser, answers):
    oldest, middle, newest = (f"/p/pages/mine/{judgment.pk}/?back=annotate" for judgment in answers)
    assert browser.get("/p/pages/mine/last/")["Location"] == newest
    html = browser.get(newest).content.decode()
    assert (link(html, 6), link(html, 7), link(html, 5)) == (middle, None, "/p/pages/annotate/")
    html = browser.get(middle).content.decode()
    assert (link(html, 6), link(html, 7)) == (oldest, newest)
    html = browser.get(oldest).content.decode()
    assert (link(html, 6), link(html, 7)) == (None, middle)


def test_what_was_decided_is_stepped_over_and_its_old_link_says_why(browser, project, answers):
    dispute_and_decide(project, answers[1].item)
    html = browser.get(f"/p/pages/mine/{answers[2].pk}/").content.decode()
    assert link(html, 6) == f"/p/pages/mine/{answers[0].pk}/"
    refused = browser.get(f"/p/pages/mine/{answers[1].pk}/")
    assert refused.status_code == 409 and "An adjudicator has decided this page since." in refused.content.decode()


def test_one_steps_through_fifty_and_no_more(project, alice):
    for _ in range(52):
        make_judgment(make_item(project), alice)
    newest_first = list(own_work.revisable(project, alice))
    assert own_work.steps_from(newest_first[49], project, alice).earlier is None
    assert own_work.steps_from(newest_first[50], project, alice) is None
    steps = own_work.steps_from(newest_first[0], project, alice)
    assert (steps.place, steps.of, steps.later) == (1, 50, None)


def test_an_answer_further_back_opens_from_my_work_without_steps(browser, project, alice, answers):
    for _ in range(50):
        make_judgment(make_item(project), alice)
    html = browser.get(f"/p/pages/mine/{answers[0].pk}/").content.decode()
    assert link(html, 6) is None and "Save the corrected answer" in html


def test_the_page_at_hand_and_its_draft_wait_meanwhile(browser, project, alice, answers):
    slot = queue.lease_next(project, annotator=alice)
    judging.save_draft(slot, by=alice, answer=Answer(unsure=("games",)))
    html = browser.get(f"/p/pages/mine/{answers[2].pk}/?back=annotate").content.decode()
    assert f'data-renew-url="/api/v1/assignments/{slot.pk}/renew/"' in html
    sent = browser.post(f"/p/pages/mine/{answers[2].pk}/?back=annotate", {"none": "1"}, follow=True)
    assert sent.redirect_chain == [("/p/pages/annotate/", 302)]
    assert sent.context["assignment"] == slot and "Your corrected answer is saved." in sent.content.decode()
    assert re.search(r'name="label.games" value="unsure"[^>]* checked', sent.content.decode())
    assert Judgment.objects.current().count() == 3


def test_from_my_work_no_page_is_held(browser, project, alice, answers):
    queue.lease_next(project, annotator=alice)
    assert "data-renew-url" not in browser.get(f"/p/pages/mine/{answers[2].pk}/").content.decode()
