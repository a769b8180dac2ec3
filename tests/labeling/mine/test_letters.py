"""Letters of one's own: who has learned other keys, or types with one hand, gives the labels theirs."""

import re

import pytest
from django.test import Client

from labeling import letters, own_letters, publishing, schemas, slots
from labeling.models import Desk, Selection
from labeling.publishing import Draft, LabelDraft
from labeling.refusals import Unacceptable
from tests.factories import make_item, make_member, make_project

pytestmark = pytest.mark.django_db
LETTERS = "/p/hands/mine/letters/"


@pytest.fixture
def project():
    return make_project(slug="hands")  # games g, news n, self_harm s


@pytest.fixture
def alice(project):
    return make_member(project, "annotator")


@pytest.fixture
def alices(client: Client, alice) -> Client:
    client.force_login(alice)
    return client


def on_the_page(client, project):
    slots.open_up(project, [Selection.objects.create(item=make_item(project), stream="import")], overlap=1)
    html = client.get(f"/p/{project.slug}/annotate/").content.decode()
    return dict(re.findall(r'data-label="(\w+)"[^>]*data-letter="(\w)"', html))


def test_the_page_is_answered_with_ones_own_letters(alices, project):
    assert alices.post(LETTERS, {"letter.games": "J", "letter.news": "n", "letter.self_harm": "g"}).status_code == 302
    assert Desk.objects.get().letters == {"games": "j", "self_harm": "g"}
    assert on_the_page(alices, project) == {"games": "j", "news": "n", "self_harm": "g"}


def test_nobody_elses_letters_change(alices, project, alice):
    own_letters.choose(project, by=alice, wanted={"games": "j"})
    bob = make_member(project, "annotator")
    assert own_letters.of(schemas.in_force(project), own_letters.wanted_by(bob, project)) == {
        "games": "g", "news": "n", "self_harm": "s",
    }  # fmt: skip


def test_two_labels_on_one_letter_are_refused_with_a_sentence_where_they_stand(alices):
    refused = alices.post(LETTERS, {"letter.games": "x", "letter.news": "x", "letter.self_harm": "s"})
    page = refused.content.decode()
    assert refused.status_code == 422 and not Desk.objects.exclude(letters={}).exists()
    assert "“Games” and “News” cannot both be on the letter x." in page
    assert '<a href="#id_letter.news">News</a>' in page and 'value="x"' in page


@pytest.mark.parametrize("letter", ["1", "é", "?", "gg"])
def test_what_is_no_letter_is_refused(alices, letter):
    refused = alices.post(LETTERS, {"letter.games": letter})
    assert refused.status_code == 422 and "letter from a to z" in refused.content.decode()


def test_a_label_left_empty_has_the_projects_letter_or_a_free_one(project, alice):
    schema = schemas.in_force(project)
    own_letters.choose(project, by=alice, wanted={"games": "n"})
    assert own_letters.of(schema, {"games": "n"}) == {"games": "n", "news": "e", "self_harm": "s"}


def test_the_projects_letters_come_back_by_one_button(alices, project, alice):
    own_letters.choose(project, by=alice, wanted={"games": "x"})
    assert alices.post(LETTERS, {"letter.games": "x", "letter.news": "x", "reset": "1"}).status_code == 302
    assert Desk.objects.get().letters == {}


def test_a_label_published_since_leaves_a_person_their_letters(alices, project, alice):
    own_letters.choose(project, by=alice, wanted={"games": "m"})
    draft = publishing.draft_of(project.schema)
    publishing.publish(project, Draft((*draft.labels, LabelDraft("maps", "Maps"))), by=None)
    assert publishing.in_force(project).labels.get(key="maps").shortcut == "m"
    assert on_the_page(alices, project) == {"games": "m", "news": "n", "self_harm": "s", "maps": "a"}


def test_my_work_names_the_letters_that_are_ones_own(alices, project, alice):
    own_letters.choose(project, by=alice, wanted={"games": "j"})
    page = alices.get("/p/hands/mine/").content.decode()
    assert 'Games <kbd class="always">J</kbd>; the others are the project' in page


def test_beyond_the_alphabet_a_person_may_take_a_letter_from_one_label_for_another(project, alice):
    many = tuple(LabelDraft(f"label_{number:02}", "Same name") for number in range(30))
    publishing.publish(project, Draft(many), by=None)
    schema = schemas.in_force(project)
    given = own_letters.of(schema, {})
    assert len(given) == len(set(given.values())) == 26 and "label_29" not in given
    wanted = given | {"label_29": given["label_00"], "label_00": ""}
    own_letters.choose(project, by=alice, wanted=wanted)
    own = own_letters.of(schema, own_letters.wanted_by(alice, project))
    assert own["label_29"] == given["label_00"] and "label_00" not in own
    with pytest.raises(Unacceptable, match="cannot both be on the letter"):
        own_letters.choose(project, by=alice, wanted=given | {"label_29": given["label_00"]})


def test_letters_are_never_given_twice_whatever_is_chosen_and_known():
    labels = [LabelDraft(f"k{n}", name) for n, name in enumerate(("Älg", "Elg", "elk", "El", "Ł"))]
    given = letters.given(labels, chosen={"k1": "e", "k2": "e"}, known={"k3": "e", "k0": "l"})
    assert given == {"k1": "e", "k0": "l", "k2": "k", "k3": "a", "k4": "b"}


def test_a_label_may_have_the_name_of_a_button(alices, project):
    publishing.publish(
        project, Draft((LabelDraft("reset", "Reset"), LabelDraft("csrfmiddlewaretoken", "Token"))), by=None
    )
    kept = alices.post(LETTERS, {"letter.reset": "x", "letter.csrfmiddlewaretoken": "y"})
    assert kept.status_code == 302 and Desk.objects.get().letters == {"reset": "x", "csrfmiddlewaretoken": "y"}
