"""Plain functions that make rows, with the numbers that do not matter already filled in."""

import hashlib
from itertools import count

from labeling import exposure, schemas, weburls
from labeling.models import (
    Assignment,
    Item,
    Judgment,
    Label,
    Membership,
    Project,
    Rater,
    SchemaVersion,
    Selection,
    Snapshot,
    State,
    Stream,
    User,
)

_numbers = count(1)
LABELS = ("games", "news", "self_harm")


def make_user(name: str | None = None, **fields) -> User:
    user = User(username=name or f"person{next(_numbers)}", **fields)
    user.set_password("correct horse battery")
    user.save()
    return user


def make_project(slug: str | None = None, *, labels=LABELS, **fields) -> Project:
    slug = slug or f"project-{next(_numbers)}"
    project = Project.objects.create(slug=slug, name=fields.pop("name", slug.title()), **fields)
    make_schema(project, labels=labels)
    return project


def make_schema(project: Project, *, labels=LABELS, number: int = 1, **fields) -> SchemaVersion:
    schema = SchemaVersion.objects.create(project=project, number=number, guideline="Read the page first.", **fields)
    Label.objects.bulk_create(
        Label(schema=schema, key=key, name=key.replace("_", " ").title(), position=place, shortcut=key[0])
        for place, key in enumerate(labels)
    )
    return schema


def make_member(project: Project, *roles: str, name: str | None = None, **fields) -> User:
    user = make_user(name, **fields)
    for role in roles:
        Membership.objects.create(project=project, user=user, role=role)
    return user


def make_item(project: Project, url: str | None = None, *, title: str = "", text: str = "", **fields) -> Item:
    url = url or f"https://any{next(_numbers)}.example.org/"
    address = weburls.parse(url)
    item = Item.objects.create(
        project=project, public_id=address.public_id, url_raw=address.raw, url_key=address.key,
        url_display=address.display, host=address.host, registrable_domain=address.registrable_domain,
        flags=list(address.flags), **fields,
    )  # fmt: skip
    if title or text:
        digest = hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()
        item.snapshot = Snapshot.objects.create(item=item, title=title, text=text, content_hash=digest)
        item.save(update_fields=["snapshot"])
    return item


def make_assignment(
    project: Project, item: Item | None = None, *, slot: int = 1, leased_to: User | None = None, **fields
) -> Assignment:
    item = item or make_item(project)
    selection = fields.pop("selection", None) or Selection.objects.create(item=item, stream=Stream.IMPORT)
    if leased_to is not None:
        fields |= {"annotator": leased_to, "state": State.LEASED}
    expires_at = fields.pop("expires_at", None)
    if expires_at is not None:
        fields["available_at"] = expires_at
    fields.setdefault("shuffle", next(_numbers))
    return Assignment.objects.create(
        project=project, item=item, slot=slot, selection=selection, snapshot=item.snapshot, **fields
    )


def make_judgment(item: Item, rater: Rater | User | str, *, yes=(), unsure=(), **fields) -> Judgment:
    """A counted answer on every label in force. `rater` may be a code, a person or a Rater."""
    project = item.project
    if isinstance(rater, User):
        rater = Rater.objects.of(project, rater)
    elif isinstance(rater, str):
        rater, _ = Rater.objects.get_or_create(project=project, code=rater)
    schema = fields.pop("schema", project.schema)
    verdicts = {
        key: "yes" if key in yes else "unsure" if key in unsure else "no"
        for key in fields.pop("asked", schema.asked_keys())
    }
    fields.setdefault("exposure", exposure.points(verdicts, schemas.by_id(schema.pk)))
    return Judgment.objects.create(
        item=item, rater=rater, schema=schema, snapshot=item.snapshot, verdicts=verdicts, **fields
    )
