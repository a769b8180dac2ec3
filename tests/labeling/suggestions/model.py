"""A model that says what a test wants of pages, and pages that chance deals with as a test wants."""

from datetime import datetime
from itertools import count

from labeling import slots, suggestions, weburls
from labeling.models import Assignment, Item, Project, Selection, Stream, User
from labeling.suggestions import Opinion
from tests.factories import make_item


class Model:
    """Says yes to some labels of some pages and no to the others; of other pages it says nothing."""

    keys = ("games", "news", "self_harm")

    def __init__(self, learnt_at: datetime) -> None:
        self.learnt_at, self.run = learnt_at, 7
        self.yes: dict[int, tuple[str, ...]] = {}
        self.asked: list[int] = []

    def __call__(self, project: Project, item: int) -> Opinion | None:
        self.asked.append(item)
        if item not in self.yes:
            return None
        return Opinion(self.run, self.learnt_at, {key: key in self.yes[item] for key in self.keys})


def page_for(project: Project, person: User, *, shown: bool = True, blind: bool = False, **fields) -> Item:
    """A page for which the coin of this person falls so."""
    for number in count():
        url = f"https://page{number}.example.org/"
        item = Item(project=project, public_id=weburls.parse(url).public_id)
        falls = suggestions.is_in_shown_half(item, person), suggestions.is_blind(project, item.public_id)
        if falls == (shown, blind) and not Item.objects.filter(project=project, public_id=item.public_id).exists():
            return make_item(project, url, **fields)
    raise AssertionError


def queued(project: Project, *items: Item, overlap: int = 1, stream: str = Stream.IMPORT) -> None:
    slots.open_up(project, [Selection.objects.create(item=item, stream=stream) for item in items], overlap=overlap)


def put_by(project: Project, item: Item, person: User, *, round: int = 1, **fields) -> Assignment:
    """A slot that this person is given next."""
    fields.setdefault("selection", Selection.objects.create(item=item, stream=Stream.IMPORT))
    return Assignment.objects.create(
        project=project, item=item, slot=fields.pop("slot", 1), round=round, assigned_to=person, shuffle=0, **fields
    )
