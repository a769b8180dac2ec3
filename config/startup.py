"""What is done once before the processes start: the schema, and the static files under their hashed names."""

from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


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
