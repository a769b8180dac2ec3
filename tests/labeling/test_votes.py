"""Votes by stream: what was asked for one reason is counted by itself, whatever the same person answered later."""

import pytest

from labeling import judging, queue, reports, slots
from labeling.models import Draw, Selection, Stream
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db
NEWS, NONE = judging.Answer(yes=("news",)), judging.Answer(none=True)


@pytest.fixture
def project():
    return make_project()


def answer_all(project, person, answer):
    while slot := queue.lease_next(project, annotator=person):
        judging.submit(slot, by=person, answer=answer)


@pytest.fixture
def asked_twice(project):
    """Two pages, answered News by two people; one is drawn for gold later, and the first person says None there."""
    first, second = (make_member(project, "annotator") for _ in range(2))
    items = [make_item(project), make_item(project)]
    slots.open_up(project, [Selection.objects.create(item=item, stream=Stream.IMPORT) for item in items], overlap=2)
    answer_all(project, first, NEWS)
    answer_all(project, second, NEWS)
    reports.of_project(project)  # counted up to here
    draw = Draw.objects.create(project=project, number=1, seed="s", frame_sha256="0" * 64, frame_size=2, size=1)
    drawn = Selection.objects.create(item=items[0], stream=Stream.GOLD, draw=draw, probability=0.5)
    slots.open_up(project, [drawn], overlap=1)
    answer_all(project, first, NONE)


def news(project, stream=""):
    return next(label for label in reports.of_project(project, stream=stream).labels if label.key == "news")


def test_a_later_answer_in_another_stream_takes_nothing_from_this_one(project, asked_twice):
    imported = news(project, "import")
    assert (imported.n_items, imported.n_positive) == (2, 4)


def test_the_other_stream_has_the_later_answer(project, asked_twice):
    assert reports.of_project(project, stream="gold").n_answers == 1


def test_the_whole_project_counts_one_answer_a_person_and_page_the_latest(project, asked_twice):
    whole = news(project)
    assert (whole.n_items, whole.n_positive) == (2, 3)
    assert reports.of_project(project).n_answers == 4
