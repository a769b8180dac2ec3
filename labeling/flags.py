"""Flags: what people tell the managers about a page, the thread that follows, and what becomes of the page.

A flag is between the person who raised it and those who run the project. Whoever may still be given the page learns
nothing from it: of other people's flags they see that there are some, and who opens one is never given its page.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from labeling import items, permissions, queue, schemas
from labeling.models import (
    Assignment,
    Comment,
    Event,
    Flag,
    FlagKind,
    FlagReading,
    Item,
    ItemState,
    OpenedCase,
    Project,
    Rater,
    Role,
    State,
    User,
)
from labeling.refusals import Forbidden, Refused, Unacceptable

MAX_TEXT = 2_000
SET_ASIDE = "Set aside: someone said that it looks illegal."  # of a page that waits for a manager's decision
BACK, OUT = "back", "out"
DECISIONS = (BACK, OUT)
HOLDS = gettext_noop(
    "You have this page open to answer it. Answer it or give it back before you read what others say about it."
)
SETTLED = gettext_noop("This was settled already. Write below if there is more to say.")
FOR_MANAGERS = gettext_noop("This page is set aside until a manager says what becomes of it.")
TO_DECIDE = gettext_noop("Say what becomes of the page: back to the queue, or out of the project.")


# ---- raising --------------------------------------------------------------------------------------------------------
@transaction.atomic
def raise_flag(item: Item, *, by: User, kind: str, label: str = "", text: str = "") -> Flag:
    """Tell the managers. A page that looks illegal is given to nobody from this moment until a manager decides.

    The same thing said twice about a page is one flag; more words go into its thread.
    """
    kind, label, text = _checked(item, kind, label, text)
    Item.objects.select_for_update().values_list("pk").get(pk=item.pk)
    same = Flag.objects.open().filter(item=item, raised_by=by, kind=kind, label=label)
    flag = same.first()
    if flag is None:
        flag = Flag.objects.create(project=item.project, item=item, kind=kind, label=label, raised_by=by)
        Event.record("flag.raised", by=by, project=item.project, about=flag, what=kind)
    if text and not flag.comments.filter(author=by, text=text).exists():
        Comment.objects.create(flag=flag, author=by, text=text)
    if kind == FlagKind.ILLEGAL:
        _set_aside(item, by)
    return flag


def _set_aside(item: Item, by: User) -> None:
    """Archived: its slots stay as they are, so that as many people are asked as before, and nobody is given one."""
    items.archive(Item.objects.filter(pk=item.pk), project=item.project, by=by, reason=SET_ASIDE)
    for slot in Assignment.objects.filter(item=item, annotator=by, state=State.LEASED):
        queue.release(slot, by=by)


def _checked(item: Item, kind: str, label: str, text: str) -> tuple[str, str, str]:
    label, text = label.strip(), _text(text)
    if kind not in FlagKind.values:
        raise _wrong(_("Say what it is about."), "kind", f"One of {', '.join(FlagKind.values)}.")
    if kind != FlagKind.GUIDELINE:
        label = ""
    elif label not in {known.key for known in schemas.in_force(item.project).labels}:
        raise _wrong(_("Say for which label the guideline does not say."), "label", "A label of this project.")
    if kind == FlagKind.COMMENT and not text:
        raise _wrong(_("Write what you want to say."), "text", "Some words are needed.")
    return kind, label, text


def _text(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise _wrong(_("A message holds %(n)s characters.") % {"n": f"{MAX_TEXT:,}"}, "text", "Too long.")
    return text


def _wrong(sentence: str, field: str, detail: str) -> Unacceptable:
    return Unacceptable(sentence, [{"pointer": f"/{field}", "detail": detail}])


# ---- the thread -----------------------------------------------------------------------------------------------------
@transaction.atomic
def comment(flag: Flag, *, by: User, text: str) -> Comment:
    """Say more. When the person who raised it does so after it was settled, it waits for a manager again."""
    text = _text(text)
    if not text:
        raise _wrong(_("Write what you want to say."), "text", "Some words are needed.")
    locked = Flag.objects.select_for_update().get(pk=flag.pk)
    written = Comment.objects.create(flag=flag, author=by, text=text)
    if locked.resolved_at is not None and locked.raised_by_id == by.pk:
        Flag.objects.filter(pk=flag.pk).update(resolved_at=None, resolved_by=None)
        Event.record("flag.raised_again", by=by, project=flag.project, about=flag)
    return written


@transaction.atomic
def resolve(flag: Flag, *, by: User, text: str = "", decision: str = "", decides: bool = True) -> Flag:
    """Settle a flag, with a word to the person who raised it. Of a page that was set aside, say what becomes of it.

    `decides`: whether this person may take pages out of the project.
    """
    text = _text(text)
    item = Item.objects.select_for_update().select_related("project").get(pk=flag.item_id)
    if not Flag.objects.open().filter(pk=flag.pk).exists():
        raise Refused(_(SETTLED))
    together = Flag.objects.filter(pk=flag.pk)
    if waits_for_decision(flag, item):
        if not decides:
            raise Forbidden(_(FOR_MANAGERS))
        if decision not in DECISIONS:
            raise _wrong(_(TO_DECIDE), "decision", f"One of {', '.join(DECISIONS)}.")
        _decide(item, by, decision, text)
        together = Flag.objects.open().filter(item=item, kind=FlagKind.ILLEGAL)  # the page has one fate
    if text:
        Comment.objects.create(flag=flag, author=by, text=text)
    for settled in together:
        Event.record("flag.resolved", by=by, project=item.project, about=settled, decision=decision)
    together.update(resolved_at=Now(), resolved_by=by)
    flag.refresh_from_db()
    return flag


def waits_for_decision(flag: Flag, item: Item) -> bool:
    """Whether the page is set aside because of this flag."""
    is_aside = item.state == ItemState.ARCHIVED and item.state_reason == SET_ASIDE
    return flag.kind == FlagKind.ILLEGAL and flag.resolved_at is None and is_aside


def _decide(item: Item, by: User, decision: str, text: str) -> None:
    this = Item.objects.filter(pk=item.pk)
    if decision == BACK:
        items.restore(this, project=item.project, by=by)
    else:
        items.withdraw(this, project=item.project, by=by, reason=(text or "It looked illegal.")[: items.MAX_REASON])


# ---- who sees what --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Reader:
    """A person before the flags of a project."""

    person: User
    settles: bool  # reads flags of others, too
    is_given_pages: bool  # must stay blind to what others say of them
    decides: bool  # what becomes of a page that was set aside
    knows_names: bool


def reader(person: User, project: Project, *, roles: frozenset[str]) -> Reader:
    def may(action: str) -> bool:
        return permissions.may(person, action, project, roles=roles)

    return Reader(
        person=person, settles=may("flag.resolve"), is_given_pages=bool(roles & {Role.ANNOTATOR, Role.ADJUDICATOR}),
        decides=may("item.withdraw"), knows_names=may("judgment.read_identified"),
    )  # fmt: skip


def listed(project: Project, reader: Reader) -> QuerySet[Flag]:
    """Flags this person knows of, each with whether its words are still `veiled`."""
    found = Flag.objects.filter(project=project).select_related("item", "raised_by", "project")
    if not reader.settles:
        found = found.filter(raised_by=reader.person)
    opened = OpenedCase.objects.filter(item=OuterRef("item"), person=reader.person)
    is_veiled = ~Q(raised_by=reader.person) & ~Q(Exists(opened))
    found = found.annotate(veiled=Q(is_veiled) if reader.is_given_pages else Q(pk=None))
    return _with_news(found, reader.person)


# ---- what is new ----------------------------------------------------------------------------------------------------
def _with_news(found: QuerySet[Flag], person: User) -> QuerySet[Flag]:
    """Each with whether it `is_new`: an own one answered or settled since it was read, another's that nobody settled
    and that stands otherwise than this person read it.

    Told by what was on the page, never by the hour: no two clocks can lose a message between them.
    """
    mine = FlagReading.objects.filter(flag=OuterRef("pk"), person=person)
    found = found.annotate(read_to=Coalesce(Subquery(mine.values("last_comment")[:1]), 0))
    said = Exists(Comment.objects.filter(flag=OuterRef("pk"), pk__gt=OuterRef("read_to")).exclude(author=person))
    unread = ~Exists(mine)
    settled_since = ~Exists(mine.filter(settled_at=OuterRef("resolved_at")))
    settled = Q(resolved_at__isnull=False) & ~Q(resolved_by=person) & Q(settled_since)
    own = Q(raised_by=person) & (Q(said) | settled)
    of_others = ~Q(raised_by=person) & Q(resolved_at=None) & (Q(unread) | Q(said))
    annotated: QuerySet[Flag] = found.annotate(is_new=Case(When(own | of_others, then=True), default=False))
    return annotated


@dataclass(frozen=True, slots=True)
class News:
    answers: int  # own flags with an answer this person has not read
    raised: int  # flags of others that are new to who settles them


NOTHING_NEW = News(0, 0)


def news(project: Project, person: User, *, settles: bool) -> News:
    """How much is new to this person, in one query."""
    found = Flag.objects.filter(project=project)
    if not settles:
        found = found.filter(raised_by=person)
    new = _with_news(found, person).filter(Q(is_new=True)).order_by()
    own = Count("pk", filter=Q(raised_by=person))
    counts = new.aggregate(answers=own, raised=Count("pk", filter=~Q(raised_by=person)))
    return News(**counts)


def mark_read(flag: Flag, reader: Reader) -> None:
    """This person has the thread before them as it stands. Not while it is veiled: then they have read nothing."""
    if getattr(flag, "veiled", False):
        return
    newest = flag.comments.order_by("-pk").values_list("pk", flat=True).first() or 0
    FlagReading.objects.bulk_create([FlagReading(flag=flag, person=reader.person)], ignore_conflicts=True)
    # Copied by the database: what went through Python is spelled otherwise on SQLite, and would be another moment.
    settled = Subquery(Flag.objects.filter(pk=flag.pk).values("resolved_at")) if flag.resolved_at else None
    FlagReading.objects.filter(flag=flag, person=reader.person).update(last_comment=newest, settled_at=settled)


def in_order(found: QuerySet[Flag], reader: Reader) -> QuerySet[Flag]:
    """Open ones first, and of these, for who is given no pages, what looks illegal first; else newest first."""
    order = [F("resolved_at").desc(nulls_first=True)]
    if reader.is_given_pages:
        return found.order_by(*order, "-pk")
    return found.annotate(is_illegal=Q(kind=FlagKind.ILLEGAL)).order_by(*order, "-is_illegal", "-pk")


def opened(flag: Flag, reader: Reader) -> Flag:
    """Lift the veil: from now on this person is never given the page. Raises Refused while they hold it."""
    if not flag.veiled:  # type: ignore[attr-defined]  # annotated by listed
        return flag
    if Assignment.objects.filter(item=flag.item_id, annotator=reader.person, state=State.LEASED).exists():
        raise Refused(_(HOLDS))
    OpenedCase.objects.bulk_create([OpenedCase(item_id=flag.item_id, person=reader.person)], ignore_conflicts=True)
    flag.veiled = False  # type: ignore[attr-defined]
    return flag


def flaggable(project: Project, reader: Reader) -> QuerySet[Item]:
    """Pages a person may say something about: those they were given, or all for who may take pages out."""
    found = Item.objects.filter(project=project).select_related("project")
    return found if reader.decides else found.filter(pk__in=flaggable_slots(project, reader).values("item"))


def flaggable_slots(project: Project, reader: Reader) -> QuerySet[Assignment]:
    """Slots from whose page the same may be said."""
    found = Assignment.objects.filter(project=project)
    return found if reader.decides else found.visible_to(reader.person)


# ---- in words -------------------------------------------------------------------------------------------------------
def who_said(person: User, flag: Flag, reader: Reader) -> str:
    """Whom a message is from, as this reader may know: a name, a pseudonym, or on which side of the thread they are."""
    if person.pk == reader.person.pk:
        return _("You")
    if reader.knows_names:
        return person.get_username()
    if person.pk != flag.raised_by_id:
        return _("For the managers")
    return Rater.objects.of(flag.project, person).code
