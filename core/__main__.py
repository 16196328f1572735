"""`python -m core COMMAND`: what is done once, by hand or at a release."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping

from core.errors import AppError
from core.settings import Settings
from core.store.database import open_database
from core.store.migrate import migrate, require_current
from core.store.rollup import Rollup


def main() -> int:
    """Run one command; 2 where a setting or the database is wrong."""
    parser = argparse.ArgumentParser(prog="python -m core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.__doc__, description=command.__doc__)
    arguments = parser.parse_args()
    try:
        COMMANDS[arguments.command](Settings.load())
    except AppError as error:
        print(f"core: {error}", file=sys.stderr)
        return 2
    return 0


def _migrate(settings: Settings) -> None:
    """bring the database to the newest schema"""
    migrate(settings.database)


def _recount(settings: Settings) -> None:
    """count all generations again for the dashboard's figures; others may work meanwhile"""
    database = open_database(settings.database, connections=2)
    try:
        require_current(database)
        rebuilt = Rollup(database, database.now).rebuild(
            lambda hour: print(f"\rcounted {hour:%Y-%m-%d %H:00} UTC", end="", file=sys.stderr)
        )
    finally:
        database.close()
    print(f"\n{rebuilt} hours counted again", file=sys.stderr)


COMMANDS: Mapping[str, Callable[[Settings], None]] = {"migrate": _migrate, "recount": _recount}


if __name__ == "__main__":
    sys.exit(main())
