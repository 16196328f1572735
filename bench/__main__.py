"""`python -m bench`: measure, and print docs/performance.md's table."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple

from bench import (
    asking,
    backlog,
    callbacks,
    claims,
    dashboard,
    first_file,
    idle,
    large_file,
    second_poller,
)
from bench.figures import Row, table
from bench.processes import PATH
from tests.support.postgres import Postgres, Server

INSTALL = {
    "nginx": "Debian: nginx-light",
    "curl": "Debian: curl",
    "chromium": "Debian: chromium",
}


class Measure(NamedTuple):
    """How something is measured, and which programs that needs."""

    take: Callable[[bool, Postgres | None], list[Row]]
    needs: tuple[str, ...] = ()


MEASURES = {
    "callbacks-under-load": Measure(callbacks.under_load, ("nginx",)),
    "callbacks-saturated-8": Measure(callbacks.saturated_8),
    "callbacks-saturated-50": Measure(callbacks.saturated_50),
    "first-file": Measure(first_file.first_file, ("nginx",)),
    "large-file": Measure(large_file.large_file, ("nginx", "curl")),
    "backlog": Measure(backlog.backlog, ("nginx",)),
    "second-poller": Measure(second_poller.second_poller, ("nginx",)),
    "asking": Measure(asking.asking),
    "idle": Measure(idle.idle),
    "claims": Measure(claims.claims),
    "dashboard": Measure(dashboard.dashboard, ("chromium",)),
}


def main() -> int:
    """Take the measures that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(MEASURES)}")
    parser.add_argument("--quick", action="store_true", help="smaller sizes and one round")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(MEASURES):
        parser.error(f"no such measure: {', '.join(sorted(unknown))}")
    names = arguments.names or list(MEASURES)
    on_sqlite = [row for name in names for row in _take(name, arguments.quick, None)]
    on_postgresql = [row for name in names for row in _take_on_server(name, arguments.quick)]
    print(table(on_sqlite, on_postgresql))
    return 0


def _take_on_server(name: str, quick: bool) -> list[Row]:
    """With a server of its own, as it is by default: what it has said is on the disk."""
    with closing(Server(settings=())) as server:
        return _take(name, quick, server)


def _take(name: str, quick: bool, server: Postgres | None) -> list[Row]:
    measure = MEASURES[name]
    missing = [tool for tool in measure.needs if not shutil.which(tool, path=PATH)]
    if missing:
        why = ", ".join(f"{tool} ({INSTALL[tool]})" for tool in missing)
        return [Row(measure=name, ours=f"NOT MEASURED: install {why}")]
    where = "PostgreSQL" if server else "SQLite"
    print(f"{name}, {where} ...", end=" ", file=sys.stderr, flush=True)
    started = time.perf_counter()
    rows = measure.take(quick, server)
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
    return rows


if __name__ == "__main__":
    sys.exit(main())
