"""`python -m bench`: measure, and print docs/performance.md's table."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from bench import asking, backlog, callbacks, claims, dashboard, first_file, idle, large_file
from bench.figures import Row, table
from bench.processes import PATH

INSTALL = {
    "nginx": "Debian: nginx-light",
    "curl": "Debian: curl",
    "chromium": "Debian: chromium",
}


class Measure(NamedTuple):
    """How something is measured, and which programs that needs."""

    take: Callable[[bool], list[Row]]
    needs: tuple[str, ...] = ()


MEASURES = {
    "callbacks-under-load": Measure(callbacks.under_load, ("nginx",)),
    "callbacks-saturated-8": Measure(callbacks.saturated_8),
    "callbacks-saturated-50": Measure(callbacks.saturated_50),
    "first-file": Measure(first_file.first_file, ("nginx",)),
    "large-file": Measure(large_file.large_file, ("nginx", "curl")),
    "backlog": Measure(backlog.backlog, ("nginx",)),
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
    rows = [row for name in arguments.names or MEASURES for row in _take(name, arguments.quick)]
    print(table(rows))
    return 0


def _take(name: str, quick: bool) -> list[Row]:
    measure = MEASURES[name]
    missing = [tool for tool in measure.needs if not shutil.which(tool, path=PATH)]
    if missing:
        why = ", ".join(f"{tool} ({INSTALL[tool]})" for tool in missing)
        return [Row(measure=name, ours=f"NOT MEASURED: install {why}")]
    print(f"{name} ...", end=" ", file=sys.stderr, flush=True)
    started = time.perf_counter()
    rows = measure.take(quick)
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
    return rows


if __name__ == "__main__":
    sys.exit(main())
