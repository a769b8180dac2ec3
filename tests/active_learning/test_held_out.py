"""What a model says of pages it did not learn from: it finds the label that was recorded wrong."""

import numpy as np
import pytest

from active_learning import held_out
from labeling import consensus, doubts
from labeling.models import Doubt, DoubtRanking
from tests.factories import make_item, make_judgment, make_project

pytestmark = pytest.mark.django_db


def judged(project, number, *, about, says):
    page = make_item(project, f"https://site{number}.org/", title=about, text=f"All about {about}.")
    make_judgment(page, "w1", yes=["games"] if says else [])
    consensus.refresh(page, project=project)
    return page


@pytest.fixture
def project():
    project = make_project(labels=("games",))
    for number in range(40):
        judged(project, number, about="chess and puzzles" if number % 2 else "bank and insurance", says=number % 2)
    return project


def test_few_pages_teach_no_model(project):
    assert held_out.of(project) is None


def test_a_wrong_label_is_believed_least_by_a_model_that_never_saw_it(project):
    for number in range(40, 60):
        judged(project, number, about="chess and puzzles" if number % 2 else "bank and insurance", says=number % 2)
    wrong = judged(project, 60, about="chess and puzzles", says=False)
    says = held_out.of(project)
    p = says.p[:, says.keys.index("games")]
    assert np.isfinite(p).all() and p[says.rows[wrong.public_id]] > 0.6
    doubts.rank(project)
    assert DoubtRanking.objects.get().source == doubts.MODEL
    assert Doubt.objects.get(rank=1).item == wrong
