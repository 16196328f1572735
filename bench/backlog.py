"""After an outage: many finished tasks wait at once, and all their files have to be stored."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from statistics import median

from bench.figures import Row, at_least
from bench.host import nginx
from bench.processes import output_of, python, wait_until
from bench.product import product, submitted
from tests.support.postgres import Postgres

FILE_BYTES = 1_000_000
SHARE = 0.5
PATIENCE_SECONDS = 120
STORED = "SELECT count(*) FROM generations WHERE status = 'success'"


def backlog(quick: bool, server: Postgres | None) -> list[Row]:
    """2,000 tasks of 1 MB: the poller against a bare pool of as many threads."""
    count, rounds = (200, 1) if quick else (2000, 2)
    ours, bare = [], []
    for _ in range(rounds):
        ours.append(count / _ours(count, server))
        bare.append(count / _bare(count, server))
    measure = f"{count:,} finished tasks of 1 MB waiting: files stored"
    return [at_least(measure, median(ours), median(bare), SHARE, "/s")]


def _ours(count: int, server: Postgres | None) -> float:
    """Seconds from the poller's start to the last file."""
    with product(server) as template, nginx(template.folder / "host", FILE_BYTES) as host:
        ours = template.with_kie_at(host.url)
        ours.add([submitted(number, due_at=datetime.now(UTC)) for number in range(count)])
        started = time.perf_counter()
        with ours.poller():
            wait_until(lambda: ours.count(STORED) == count, PATIENCE_SECONDS)
            return time.perf_counter() - started


def _bare(count: int, server: Postgres | None) -> float:
    """Seconds from the bare pool's start to its end."""
    with product(server) as empty, nginx(empty.folder / "host", FILE_BYTES) as host:
        size = ["--tasks", str(count), "--threads", str(empty.settings().delivery_threads)]
        places = (host.url, str(empty.folder), empty.database)
        started = time.perf_counter()
        output_of(python("bench.bare_pool", *places, *size))
        return time.perf_counter() - started
