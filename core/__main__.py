"""`python -m core COMMAND`: what is done once, by hand or at a release."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from core.errors import AppError
from core.settings import Settings
from core.store.adopting import require_prefix
from core.store.database import Database
from core.store.migrate import migrate, require_current
from core.store.opening import open_database
from core.store.retention import Pruned, Retention
from core.store.rollup import Rollup


def main() -> int:
    """Run one command; 2 where a setting or the database is wrong."""
    parser = argparse.ArgumentParser(prog="python -m core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        added = commands.add_parser(name, help=command.__doc__, description=command.__doc__)
        if name in DRY_RUNS:
            added.add_argument("--dry-run", action="store_true", help=DRY_RUNS[name])
        if name == "migrate":
            _add_adopting(added)
    arguments = parser.parse_args()
    try:
        COMMANDS[arguments.command](Settings.load(), arguments)
    except AppError as error:
        print(f"core: {error}", file=sys.stderr)
        return 2
    return 0


def _add_adopting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--adopt",
        action="store_true",
        help="take over a table `generations` that was there before: see docs/adopting.md",
    )
    parser.add_argument(
        "--ours",
        action="append",
        default=[],
        metavar="URL",
        help="how permanent URLs of yours begin, up to a /, beside PUBLIC_BASE_URL/assets/;"
        " may be repeated",
    )


def _migrate(settings: Settings, arguments: argparse.Namespace) -> None:
    """bring the database to the newest schema"""
    dry_run = arguments.dry_run
    given = (require_prefix(url, kie_base_url=settings.kie_base_url) for url in arguments.ours)
    ours = [f"{settings.public_base_url}/assets/", *given]
    told: list[str] = []
    migrate(
        settings.database,
        ours=ours if arguments.adopt or dry_run else None,
        dry_run=dry_run,
        tell=told.append,
    )
    for sentence in told or ["the database is at the newest schema"]:
        print(f"- {sentence}" if told else sentence)
    if dry_run:
        print("A dry run: nothing was changed.")


def _recount(settings: Settings, _arguments: argparse.Namespace) -> None:
    """count all generations again for the dashboard's figures; others may work meanwhile"""
    with _opened(settings) as database:
        rebuilt = Rollup(database, database.now).rebuild(
            lambda hour: print(f"\rcounted {hour:%Y-%m-%d %H:00} UTC", end="", file=sys.stderr)
        )
    print(f"\n{rebuilt} hours counted again", file=sys.stderr)


def _prune(settings: Settings, arguments: argparse.Namespace) -> None:
    """delete what is older than RETENTION_DAYS, as the poller does; others may work meanwhile"""
    with _opened(settings) as database:
        retention = Retention(database, database.now, timedelta(days=settings.retention_days))
        pruned = retention.prune(dry_run=arguments.dry_run, progress=_show_progress)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print("would go:" if arguments.dry_run else "gone:", pruned.in_words())


def _show_progress(pruned: Pruned) -> None:
    if sys.stderr.isatty():
        print(f"\r{pruned.in_words()}", end="", file=sys.stderr, flush=True)


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    database = open_database(settings.database, connections=2)
    try:
        require_current(database)
        yield database
    finally:
        database.close()


COMMANDS: Mapping[str, Callable[[Settings, argparse.Namespace], None]] = {
    "migrate": _migrate,
    "recount": _recount,
    "prune": _prune,
}
#: Which of them can be tried, and what that gives.
DRY_RUNS: Mapping[str, str] = {
    "migrate": "say what would change, and change nothing",
    "prune": "say what would go, and change nothing",
}


if __name__ == "__main__":
    sys.exit(main())
