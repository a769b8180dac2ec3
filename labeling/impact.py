"""What publishing a draft of labels touches: in words, and counted: answers, releases, pages that wait.

Nothing is changed by asking. Answers that stop pooling stay on record and in releases, with the question they answered.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from django.db.models import Q

from labeling import label_changes, publishing, released, schemas
from labeling.models import Assignment, Judgment, Label, Project, State
from labeling.publishing import Draft, LabelDraft
from labeling.refusals import Refused


@dataclass(frozen=True, slots=True)
class Touched:
    """One label that asks something else, or is asked no more."""

    key: str
    name: str
    n_judgments: int  # answers to it that do not pool with those to come
    n_releases: int  # releases made of such answers


@dataclass(frozen=True, slots=True)
class Impact:
    changes: tuple[str, ...]
    labels: tuple[Touched, ...] = ()
    n_judgments: int = 0  # answers with a verdict on one of these labels or more
    n_releases: int = 0
    n_open_slots: int = 0  # will show the new version
    n_held_slots: int = 0  # are answered under the version their holder was shown


def of(project: Project, draft: Draft) -> Impact:
    """What publishing the draft now would do. Raises Unacceptable when it cannot be published."""
    before = publishing.draft_of(publishing.in_force(project))
    after = publishing.completed(draft, before)
    changes = tuple(label_changes.differences(before, after))
    if not changes:
        return Impact(())
    ended = _questions_that_end(before, after)
    answers = {label.key: _answers_to(label, project) for label in ended}
    resting = {label.key: _releases_on(label, project) for label in ended}
    votes = Judgment.objects.votes().filter(rater__project=project)
    waiting = Assignment.objects.filter(project=project, item__state="active")
    return Impact(
        changes,
        labels=tuple(
            Touched(label.key, label.name, votes.filter(answers[label.key]).count(), len(resting[label.key]))
            for label in ended
        ),
        n_judgments=votes.filter(_any_of(answers.values())).count() if ended else 0,
        n_releases=len(set().union(*resting.values())),
        n_open_slots=waiting.filter(state=State.OPEN).count(),
        n_held_slots=waiting.filter(state=State.LEASED).count(),
    )


def _questions_that_end(before: Draft, after: Draft) -> list[LabelDraft]:
    """The labels in use now whose answers will not pool with those to come."""
    stay = {(label.key, label.revision) for label in after.in_use}
    return [label for label in before.in_use if (label.key, label.revision) not in stay]


def _answers_to(label: LabelDraft, project: Project) -> Q:
    pks = project.schema_versions.values_list("pk", flat=True)
    versions = [pk for pk in pks if _question(label) in {_question(one) for one in schemas.by_id(pk).labels}]
    return Q(schema__in=versions, verdicts__has_key=label.key)


def _question(label: Label | LabelDraft) -> tuple[str, int]:
    return label.key, label.revision


def _any_of(conditions: Collection[Q]) -> Q:
    either = Q()
    for condition in conditions:
        either |= condition
    return either


def _releases_on(label: LabelDraft, project: Project) -> set[int]:
    found = set()
    for release in project.releases.all():
        with suppress(Refused):  # taken down: there is nothing of it left to rest on anything
            if released.labels_of(release).revisions.get(label.key) == label.revision:
                found.add(release.pk)
    return found
