"""Each person judges a project under one short pseudonym of their own."""

import secrets

import pytest

from labeling.models import Rater
from tests.factories import make_project, make_user

pytestmark = pytest.mark.django_db


def test_a_person_keeps_the_pseudonym_they_have():
    project, alice = make_project(), make_user("alice")
    assert Rater.objects.of(project, alice) == Rater.objects.of(project, alice)


def test_who_draws_a_pseudonym_that_is_taken_draws_another_one(monkeypatch):
    project, drawn = make_project(), iter(["00aa11", "00aa11", "77ff2299"])
    monkeypatch.setattr(secrets, "token_hex", lambda digits: next(drawn))
    assert Rater.objects.of(project, make_user("alice")).code == "r00aa11"
    assert Rater.objects.of(project, make_user("bob")).code == "r77ff2299"
