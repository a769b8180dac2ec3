"""`./touchstone bench`: speed and memory, as ratios to bare floors of the same run, on a PostgreSQL of its own."""

import argparse
import json
import os
import secrets
import sys
import tempfile
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


def main() -> None:
    wanted = arguments()
    from tests.servers import Postgres

    with tempfile.TemporaryDirectory(prefix="touchstone-bench-") as data, Postgres() as postgres:
        os.environ.update(environment(postgres.url, data))
        prepare()
        from benchmarks import runs

        if wanted.dashboards:
            report = runs.run_dashboards(wanted.dashboards)
        elif wanted.statistics:
            report = runs.run_statistics()
        else:
            report = runs.run(runs.QUICK if wanted.quick else runs.FULL, database_url=postgres.url)
    print(runs.table(report))
    path = wanted.json or RESULTS / f"{report['started'].replace(':', '')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nWritten to {path}", file=sys.stderr)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./touchstone bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes: to see that it runs, not to quote")
    parser.add_argument(
        "--dashboards", type=int, metavar="PAGES",
        help="measure the dashboards alone, of a project of so many pages, three answers each; writes their plans too",
    )  # fmt: skip
    parser.add_argument(
        "--statistics", action="store_true", help="measure the formulas of agreement and consensus alone"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures (default: results/)")
    return parser.parse_args()


def environment(database_url: str, data: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url,
        "REDIS_URL": "memory://",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ALLOWED_HOSTS": "127.0.0.1",
        "TOUCHSTONE_HTTPS": "false",
        "TOUCHSTONE_DATA": data,
        "STATIC_HASHED": "false",
    }


def prepare() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    main()
