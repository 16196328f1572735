"""`python -m bench.history DATABASE N`: a long history that never was, to look at."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime

import psycopg

from bench.history.server import is_filled
from bench.history.spread import spread
from bench.history.write import write_history
from core.errors import AppError
from core.store.address import is_sqlite
from core.store.migrate import migrate
from core.store.sqlite import sqlite_file


def main() -> int:
    """Make a database with such a history, to look at."""
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("database", help="the SQLite file to make, or the URL of an empty database")
    parser.add_argument("generations", type=int, metavar="N", help="how many generations")
    parser.add_argument("--days", type=float, default=90, help="how far back (default: 90)")
    parser.add_argument("--seed", type=int, default=25, help="another one gives other rows")
    arguments = parser.parse_args()
    url = arguments.database
    if "://" not in url:
        url = f"sqlite:///{url}"
    try:
        if _is_there(url):
            parser.error("there is a database already, which may hold what is needed")
        migrate(url)
    except (AppError, psycopg.Error) as error:
        parser.error(str(error))
    started = time.perf_counter()
    write_history(
        url,
        arguments.generations,
        days=arguments.days,
        until=datetime.now(UTC),
        seed=arguments.seed,
        spread=spread,
        progress=lambda written: print(f"\r{written:,}", end="", file=sys.stderr, flush=True),
    )
    print(f" generations in {time.perf_counter() - started:.1f} s", file=sys.stderr)
    return 0


def _is_there(url: str) -> bool:
    return sqlite_file(url).exists() if is_sqlite(url) else is_filled(url)


if __name__ == "__main__":
    sys.exit(main())
