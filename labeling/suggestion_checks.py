"""What must be true of suggestions: gold never rests on one, and an answer says whether it saw one."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef

from labeling.invariants import check, named
from labeling.models import Judgment, Stream, Suggestion
from labeling.models.work import COUNTED


@check("blind_gold", "Nobody answers for a sample who was shown before what a model says of the page.")
def shown_before_gold() -> Iterator[str]:
    shown = Suggestion.objects.filter(
        item=OuterRef("item"), annotator=OuterRef("rater__user"), is_shown=True, made_at__lt=OuterRef("submitted_at")
    )
    gold = Judgment.objects.current().filter(assignment__selection__stream=Stream.GOLD, purpose__in=COUNTED)
    yield from named(gold.filter(Exists(shown)).order_by("pk"), "for a sample, after a suggestion on this page")


@check("suggestions", "An answer says that it saw a suggestion where its page was shown with one, and only there.")
def marked() -> Iterator[str]:
    shown = Suggestion.objects.filter(
        item=OuterRef("item"), annotator=OuterRef("rater__user"), round=OuterRef("round"), is_shown=True
    )
    answers = Judgment.objects.annotate(was_shown=Exists(shown))
    yield from named(answers.filter(saw_suggestion=True, was_shown=False).order_by("pk"), "nothing was shown")
    unmarked = answers.filter(saw_suggestion=False, was_shown=True).exclude(source=Judgment.Source.IMPORT)
    yield from named(unmarked.order_by("pk"), "what a model says was shown, and it is not marked")
