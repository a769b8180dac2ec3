"""What is done once before the processes start: the schema, and the static files under their hashed names."""

from hashlib import sha256
from pathlib import Path

import psycopg
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import Error, connection

from config.embedded import Unusable

CONNECT_SECONDS = 5


def reach_database() -> None:
    """Touch the database once, past the pool and its patience. Raises Unusable with what it says itself."""
    try:
        if connection.vendor == "postgresql":
            psycopg.connect(**connection.get_connection_params(), connect_timeout=CONNECT_SECONDS).close()
        else:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA schema_version")
    except (Error, psycopg.Error) as trouble:
        said = str(trouble).strip().partition("\n")[0].rstrip(".")
        name = connection.settings_dict["NAME"]
        raise Unusable(f"The database {name} cannot be used: {said}. Mend that, or change DATABASE_URL.") from None


def migrate() -> None:
    """Bring the database to this version; quick when nothing is new."""
    call_command("migrate", interactive=False, verbosity=0)


def collect_static() -> None:
    """Hash and compress the static files, unless the last time's are still those of the sources."""
    stamp = settings.STATIC_ROOT / ".sources"
    now = fingerprint()
    if not settings.STATIC_HASHED or (stamp.exists() and stamp.read_text() == now):
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(now)


def fingerprint() -> str:
    """Changes when a static file of any app is added, removed or edited."""
    digest = sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{storage.location}/{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
