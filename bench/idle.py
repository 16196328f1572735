"""What the processes cost while there is nothing to do."""

from __future__ import annotations

import time

from bench.figures import Row, at_most
from bench.processes import children, cpu_seconds
from bench.product import product
from tests.support.postgres import Postgres

LIMIT_PERCENT = 2.0
SETTLE_SECONDS = 3


def idle(quick: bool, server: Postgres | None) -> list[Row]:
    """The processor time of each web worker and of the poller, in percent of one core."""
    seconds = 5 if quick else 20
    with product(server) as empty, empty.webhook() as web, empty.poller() as poller:
        time.sleep(SETTLE_SECONDS)
        processes = [poller.pid, *children(web.pid)]
        before = [cpu_seconds(pid) for pid in processes]
        time.sleep(seconds)
        used = [
            (cpu_seconds(pid) - start) / seconds * 100
            for pid, start in zip(processes, before, strict=True)
        ]
    polling, *serving = used
    return [
        at_most("idle: poller, of a core", polling, LIMIT_PERCENT, "%"),
        at_most("idle: busiest web worker, of a core", max(serving), LIMIT_PERCENT, "%"),
    ]
