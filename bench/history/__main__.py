"""`python -m bench.history FILE N`: a long history that never was, to look at."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.history.spread import spread
from bench.history.write import write_history
from core.store.migrate import migrate


def main() -> int:
    """Make a file with such a history, to look at."""
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="the SQLite file to make")
    parser.add_argument("generations", type=int, metavar="N", help="how many generations")
    parser.add_argument("--days", type=float, default=90, help="how far back (default: 90)")
    parser.add_argument("--seed", type=int, default=25, help="another one gives other rows")
    arguments = parser.parse_args()
    if arguments.file.exists():
        parser.error(f"{arguments.file} exists already")
    migrate(f"sqlite:///{arguments.file}")
    started = time.perf_counter()
    write_history(
        arguments.file,
        arguments.generations,
        days=arguments.days,
        until=datetime.now(UTC),
        seed=arguments.seed,
        spread=spread,
        progress=lambda written: print(f"\r{written:,}", end="", file=sys.stderr, flush=True),
    )
    print(f" generations in {time.perf_counter() - started:.1f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
