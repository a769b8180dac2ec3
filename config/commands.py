"""Running one command of manage.py: an installation that cannot be used says so in a sentence, not a traceback."""

import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from environs import EnvError

from config.embedded import UNUSABLE

INTERRUPTED = 130  # what a shell expects after Ctrl-C


def run(arguments: list[str]) -> None:
    try:
        execute_from_command_line(arguments)
    except (ImproperlyConfigured, EnvError) as wrong:
        print(wrong, file=sys.stderr)  # noqa: T201 (a command speaks to its caller)
        sys.exit(UNUSABLE)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)  # noqa: T201
        sys.exit(INTERRUPTED)
