"""Make an account, give it a role or a token. Safe to repeat: what is there already stays as it is."""

import json
import secrets
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from labeling import members, tokens
from labeling.models import ApiToken, Project, Role, User
from labeling.refusals import Refused

TOKEN_NAME = "create_user"  # noqa: S105  (the name of the token, not its secret)


class Command(BaseCommand):
    help = "Make an account, with a role in a project or as operator, and with a token. Each secret is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--role", choices=Role.values)
        parser.add_argument("--project", metavar="P", help="the project's slug")
        parser.add_argument("--superuser", action="store_true", help="an operator of the installation")
        parser.add_argument("--token", metavar="SCOPES", help="read, write or read,write")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args, **options) -> None:
        if bool(options["role"]) != bool(options["project"]):
            raise CommandError("Give --role and --project together, or neither.")
        try:
            said = self.prepare(options)
        except Refused as refused:
            raise CommandError(refused.sentence) from None
        if options["json"]:
            self.stdout.write(json.dumps(said))
            return
        self.stdout.write(f"name      {said['username']}")
        self.stdout.write(f"password  {said['password'] or 'as it was'}")
        if options["token"]:
            self.stdout.write(f"token     {said['token'] or 'as it was'}")

    @transaction.atomic
    def prepare(self, options: dict) -> dict[str, str | None]:
        user, password = account(options["name"])
        if options["superuser"]:
            user.is_superuser = user.is_staff = True
            user.save(update_fields=["is_superuser", "is_staff"])
        if options["project"]:
            project = Project.objects.filter(slug=options["project"]).first()
            if project is None:
                raise CommandError(f"There is no project “{options['project']}”.")
            members.add(project, username=user.username, role=options["role"], by=None)
        return {
            "username": user.username,
            "password": password,
            "token": token_of(user, options["token"]) if options["token"] else None,
        }


def account(name: str) -> tuple[User, str | None]:
    """The account, and its password when it is new."""
    user = User.objects.filter(username=name).first()
    if user is not None:
        return user, None
    user = User(username=name)
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as wrong:
        raise CommandError(" ".join(wrong.messages)) from None
    password = secrets.token_urlsafe(15)
    user.set_password(password)
    user.save()
    return user, password


def token_of(user: User, scopes: str) -> str | None:
    """A new token's secret; None when this command made one with these scopes before that still works."""
    wanted = sorted({scope.strip() for scope in scopes.split(",") if scope.strip()})
    before = ApiToken.objects.live().filter(user=user, name=TOKEN_NAME)
    if any(token.scopes == wanted for token in before):
        return None
    ends = timezone.now() + timedelta(days=tokens.MAX_DAYS)
    return tokens.issue(user, name=TOKEN_NAME, scopes=wanted, expires_at=ends)[1]
