"""What a second poller process brings where a slow media host, and no processor, is the limit."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import UTC, datetime
from statistics import median

from bench.figures import Row, at_least
from bench.host import nginx
from bench.processes import wait_until
from bench.product import product, submitted
from tests.support.postgres import Postgres

FILE_BYTES = 1_000_000
BYTES_PER_SECOND = 500_000  # of each download
PATIENCE_SECONDS = 120
SHARE = 1.6
STORED = "SELECT count(*) FROM generations WHERE status = 'success'"


def second_poller(quick: bool, server: Postgres | None) -> list[Row]:
    """Finished tasks whose files take two seconds each: two pollers against one."""
    count, rounds = (48, 1) if quick else (160, 2)
    one, two = [], []
    for _ in range(rounds):
        one.append(count / _drain(count, 1, server))
        two.append(count / _drain(count, 2, server))
    measure = f"{count} files of 2 s each waiting: stored by two pollers, against one"
    return [at_least(measure, median(two), median(one), SHARE, "/s")]


def _drain(count: int, pollers: int, server: Postgres | None) -> float:
    """Seconds from the start of the pollers to the last file."""
    with ExitStack() as stack:
        template = stack.enter_context(product(server))
        host = nginx(template.folder / "host", FILE_BYTES, BYTES_PER_SECOND)
        ours = template.with_kie_at(stack.enter_context(host).url)
        ours.add([submitted(number, due_at=datetime.now(UTC)) for number in range(count)])
        started = time.perf_counter()
        for _ in range(pollers):
            stack.enter_context(ours.poller())
        wait_until(lambda: ours.count(STORED) == count, PATIENCE_SECONDS)
        return time.perf_counter() - started
