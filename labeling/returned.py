"""What came back to a person: pages they are asked to judge once more, and answers to what they told the managers.

A page is sent back by opening a slot of purpose `rejudge` in a round of its own, assigned to the person; nothing else
is read here but the word it was sent with. It says nothing of what anyone answered, and its judgment is no vote.
"""

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from labeling import flags
from labeling.models import Assignment, Flag, ItemState, Project, Purpose, User


def pages(project: Project, person: User) -> QuerySet[Assignment]:
    """Pages sent back to this person that they have not taken up, in the order in which they get them."""
    slots = Assignment.objects.open_to(person, now=Now()).filter(
        project=project, assigned_to=person, purpose=Purpose.REJUDGE, item__state=ItemState.ACTIVE
    )
    return slots.select_related("item", "sent_back").in_queue_order()


def message_with(slot: Assignment) -> str:
    """What the adjudicator wrote; nothing where chance drew the page."""
    sent = getattr(slot, "sent_back", None)
    return sent.message if sent else ""


def answers(project: Project, reader: flags.Reader) -> QuerySet[Flag]:
    """What this person told the managers and was answered or settled since they last read it, newest first."""
    own = flags.listed(project, reader).filter(raised_by=reader.person)
    return own.filter(Q(is_new=True)).order_by("-pk")  # annotated by flags.listed
