"""Quality as managers and annotators see it, in light, in dark and on a phone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling import honeypots, judging, pauses, suggestions
from labeling.models import Adjudication, Purpose
from tests.e2e.album import Album
from tests.factories import make_item, make_judgment, make_member, make_project
from tests.labeling.known.pool import GAMES, NONE, given, known_page, known_pages, queue_pages
from tests.labeling.suggestions.model import Model, page_for, queued
from tests.labeling.suggestions.test_anchoring_report import work

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def asked_twice(project, person, other, n: int) -> None:
    for number in range(n):
        item, long_ago = make_item(project), timezone.now() - timedelta(days=40)
        make_judgment(item, person, yes=["games"] if number % 2 else [], submitted_at=long_ago)
        Adjudication.objects.create(item=item, adjudicator=other, schema=project.schema, verdicts={"games": "no"},
                                    cause="overlooked")  # fmt: skip
        make_judgment(item, person, yes=["games"] if number % 5 else [], purpose=Purpose.REPEAT, round=10_000,
                      submitted_at=long_ago + timedelta(days=10))  # fmt: skip


@pytest.fixture
def team():
    """One person is paused, one does well and was asked pages twice, one has answered nothing."""
    project = make_project("quality", honeypot_share=1.0, pause_below=0.8, onboarding_pages=4, name="Home pages")
    boss = make_member(project, "manager", name="olga")
    paused, steady, _ = (make_member(project, "annotator", name=name) for name in ("carla", "anna", "a" * 60))
    asked_twice(project, steady, boss, 24)
    make_judgment(make_item(project), paused)  # at work for long: no first pages for them
    known_pages(project, 18)
    known_page(project, is_onboarding=True)
    queue_pages(project, 60)
    list(given(project, paused, 16, NONE))
    list(given(project, steady, 5, GAMES))
    list(given(project, steady, 2, judging.Answer(yes=("news",))))
    for known in project.honeypots.filter(item__judgments__rater__user=steady)[:7]:
        honeypots.retire(known, by=boss)
    return project, boss, paused, steady


def test_quality_is_clean_in_light_and_dark_and_on_a_phone(team, visit, settings, tmp_path):
    project, boss, paused, steady = team
    album, manager = Album(settings.BASE_DIR / "var" / "pictures" / "quality"), visit(boss)
    album.add(manager, f"/p/{project.slug}/quality/", "quality")
    album.add(manager, f"/p/{project.slug}/quality/pages/", "pool")
    album.add(manager, f"/p/{project.slug}/quality/pages/{project.honeypots.first().pk}/", "known-page")
    album.add(visit(steady), f"/p/{project.slug}/mine/", "mine")
    album.add(visit(paused), f"/p/{project.slug}/annotate/", "paused")
    assert album.findings == []


def test_what_a_model_says_and_what_that_does_are_clean_in_light_and_dark_and_on_a_phone(visit, settings, monkeypatch):
    project = make_project("leaning", suggests=True, name="Home pages")
    boss, reader = make_member(project, "manager", name="olga"), make_member(project, "annotator", name="anna")
    work(project, follows=0.6)
    model = Model(learnt_at=timezone.now())
    monkeypatch.setattr(suggestions, "_sources", [model])
    page = page_for(project, reader, title="Chess club of the Gustav School", text="We play on Tuesdays.")
    model.yes[page.pk] = ("games", "self_harm")
    queued(project, page)
    album = Album(settings.BASE_DIR / "var" / "pictures" / "suggestions")
    album.add(visit(boss), f"/p/{project.slug}/quality/", "anchoring")
    album.add(visit(reader), f"/p/{project.slug}/annotate/", "suggested")
    assert album.findings == []


def test_a_manager_lets_a_person_go_on_with_one_click(team, visit):
    project, boss, _paused, _ = team
    page = visit(boss).open(f"/p/{project.slug}/quality/")
    page.get_by_role("button", name="Let carla go on").click()
    page.get_by_text("carla can go on.").wait_for()
    assert not pauses.Desk.objects.exclude(paused_at=None).exists()
