"""The adjudicate page over HTTP, with and without scripts."""

import re

import pytest
from django.urls import reverse

from labeling import adjudication, consensus
from labeling.models import Adjudication
from tests.factories import make_judgment, make_project
from tests.labeling.resolution.conftest import judged

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


def form(item, *, cause="overlooked", note="", **verdicts):
    verdicts = verdicts or {"games": "yes", "news": "no"}
    chosen = {f"label.{key}": verdict for key, verdict in verdicts.items()}
    return {"version": adjudication.case_of(item).version, "cause": cause, "note": note, **chosen}


def address(item, name="decide"):
    return reverse(f"labeling:{name}", args=[item.project.slug, item.public_id])


@pytest.fixture
def page(project):
    return reverse("labeling:adjudicate", args=[project.slug])


@pytest.fixture
def client(browser_of, adjudicator):
    return browser_of(adjudicator)


def test_the_page_shows_only_the_labels_in_conflict_and_no_names(client, page, disputed):
    html = client.get(page).content.decode()
    assert "2 labels in conflict" in html
    assert set(re.findall(r'name="label\.(\w+)"', html)) == {"games", "news"}
    assert "All agree on no for Self Harm." in html
    assert not re.search(r"\bw[012]\b", html)


def test_saving_answers_with_the_next_page(client, page, project, disputed):
    judged(project, ["news"], [], url="https://next.example.org/")
    response = client.post(address(disputed), form(disputed), **HTMX)
    assert response.status_code == 200
    assert "next.example.org" in response.content.decode()


def test_without_scripts_saving_leads_back_to_the_page(client, page, disputed):
    assert client.post(address(disputed), form(disputed)).headers["Location"] == page


def test_an_empty_line_says_so(client, page, disputed):
    client.post(address(disputed), form(disputed))
    assert "No disagreements are open" in client.get(page).content.decode()


def test_an_unfinished_decision_keeps_what_was_chosen(client, disputed):
    response = client.post(address(disputed), form(disputed, cause="", games="yes", note="Both hold."), **HTMX)
    html = response.content.decode()
    assert response.status_code == 422
    assert "Still to decide: News." in html
    assert "Say why they disagreed" in html
    assert re.search(r'name="label\.games" value="yes"[^>]* checked', html)
    assert "Both hold." in html
    assert '<a href="#label-news-yes">Still to decide: News.</a>' in html
    assert '<a href="#cause-' in html
    row = re.search(r'<div class="case"[^>]*data-label="news"', html).group()
    assert 'aria-describedby="wrong-1 votes-news"' in row and 'id="wrong-1"' in html


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain form"])
def test_the_second_of_two_sees_both_versions(browser_of, client, other_adjudicator, disputed, headers):
    late = form(disputed, games="no", news="no")
    client.post(address(disputed), form(disputed))
    response = browser_of(other_adjudicator).post(address(disputed), late, **headers)
    html = response.content.decode()
    assert response.status_code == 412
    assert "Someone decided this page while you did" in html
    assert "differs" in html
    assert Adjudication.objects.get().verdicts == {"games": "yes", "news": "no"}


def test_a_new_answer_meanwhile_shows_the_page_again_with_what_was_chosen(client, project, disputed):
    old = form(disputed)
    make_judgment(disputed, "late", yes=["self_harm"])
    consensus.refresh(disputed, project=project)
    response = client.post(address(disputed), old, **HTMX)
    html = response.content.decode()
    assert response.status_code == 412
    assert "3 labels in conflict" in html
    assert "The answers to this page changed while you decided" in html and "missing or wrong" not in html
    assert re.search(r'name="label\.games" value="yes"[^>]* checked', html)


def test_a_double_enter_is_one_decision(client, page, disputed):
    filled = form(disputed)
    client.post(address(disputed), filled)
    assert client.post(address(disputed), filled).headers["Location"] == page
    assert Adjudication.objects.count() == 1


def test_later_moves_the_page_to_the_end_of_the_line(client, page, project, disputed):
    second = judged(project, ["news"], [], [], url="https://second.example.org/")
    first_shown = client.post(address(disputed, "later"), **HTMX).content.decode()
    assert "second.example.org" in first_shown
    client.post(address(second, "later"))
    assert "Chess for all" in client.get(page).content.decode()
    assert not Adjudication.objects.exists()


def test_a_manager_sees_what_waits_but_decides_nothing(browser_of, manager, page, disputed):
    browser = browser_of(manager)
    assert disputed.host in browser.get(page).content.decode()
    assert browser.post(address(disputed), form(disputed)).status_code == 403


def test_disputes_on_one_label_are_shown_alone_to_a_manager_too(browser_of, manager, page, project, disputed):
    other = judged(project, ["self_harm"], [], url="https://other.example.org/")
    html = browser_of(manager).get(f"{page}?label=games").content.decode()
    assert "1 page waits with a disagreement on Games" in html
    assert disputed.host in html and other.host not in html


def test_a_label_without_disputes_says_so_and_leads_back_to_all(client, page, disputed):
    html = client.get(f"{page}?label=self_harm").content.decode()
    assert "No disagreements on Self Harm are open" in html and f'href="{page}"' in html


def test_a_form_of_another_adjudicator_is_not_taken(browser_of, client, page, other_adjudicator, disputed):
    mark = re.search(r'name="person" value="(\w+)"', client.get(page).content.decode()).group(1)
    response = browser_of(other_adjudicator).post(address(disputed), form(disputed) | {"person": mark})
    assert response.status_code == 401 and not Adjudication.objects.exists()


def test_a_page_of_another_project_is_not_found(client, disputed):
    foreign = judged(make_project(slug="foreign"), ["games"], [])
    url = reverse("labeling:decide", args=["pages", foreign.public_id])
    assert client.post(url, {"version": "x"}).status_code == 404


def test_a_decided_page_can_be_opened_and_decided_again(client, disputed):
    client.post(address(disputed), form(disputed))
    html = client.get(address(disputed, "case")).content.decode()
    assert re.search(r'name="label\.games" value="yes"[^>]* checked', html)
    client.post(address(disputed), form(disputed, games="no", news="no"))
    assert Adjudication.objects.in_force().get().verdicts == {"games": "no", "news": "no"}


def test_the_number_of_queries_does_not_grow_with_the_line(
    client, page, project, disputed, django_assert_max_num_queries
):
    for _ in range(10):
        judged(project, ["games"], [])
    with django_assert_max_num_queries(15):
        client.get(page)
