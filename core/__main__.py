"""`python -m core migrate`: bring the database to the newest schema."""

from __future__ import annotations

import argparse
import sys

from core.errors import AppError
from core.settings import Settings
from core.store.migrate import migrate


def main() -> int:
    """Run one command; 2 where a setting or the database is wrong."""
    parser = argparse.ArgumentParser(prog="python -m core")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="bring the database to the newest schema")
    parser.parse_args()
    try:
        migrate(Settings.load().database)
    except AppError as error:
        print(f"core: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
