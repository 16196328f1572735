"""From a callback to its stored file on an idle system, the poller running as well."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import httpx

from bench.figures import Row, at_most
from bench.host import Host, nginx
from bench.processes import wait_until
from bench.product import Product, product, submitted
from bench.sending import write_callbacks
from tests.support.postgres import Postgres

FILE_BYTES = 200_000
LIMIT_MS = 150.0
LOOK_EVERY_SECONDS = 0.002
IDLE_SECONDS = 0.3
PATIENCE_SECONDS = 30
DELIVERED = "SELECT count(*) FROM generations WHERE status = 'success'"


def first_file(quick: bool, server: Postgres | None) -> list[Row]:
    """A callback at a time; KIE's own time to answer is taken off."""
    rounds = 5 if quick else 30
    with product(server) as empty, nginx(empty.folder / "host", FILE_BYTES) as host:
        ours = empty.with_kie_at(host.url)
        generations = [submitted(number) for number in range(rounds)]
        ours.add(generations)
        callbacks = write_callbacks(ours.folder / "callbacks.tsv", generations)
        with ours.webhook(), ours.poller():
            took = _deliver(ours, callbacks)
        own = median(took) - _kie_seconds(host, rounds)
    return [at_most("callback to stored file of 200 KB, idle", own * 1000, LIMIT_MS, "ms")]


def _deliver(ours: Product, callbacks: Path) -> list[float]:
    """Seconds from each callback to its file."""
    took = []
    with httpx.Client(base_url=ours.base_url, trust_env=False) as client:
        for number, line in enumerate(callbacks.read_text().splitlines(), start=1):
            path, body = line.split("\t")
            time.sleep(IDLE_SECONDS)
            started = time.perf_counter()
            client.post(path, content=body, headers={"Content-Type": "application/json"})
            _wait_for_stored(ours, number)
            took.append(time.perf_counter() - started)
    return took


def _wait_for_stored(ours: Product, number: int) -> None:
    wait_until(lambda: ours.count(DELIVERED) == number, PATIENCE_SECONDS, LOOK_EVERY_SECONDS)


def _kie_seconds(host: Host, rounds: int) -> float:
    """The median time of one recordInfo, which is all that a delivery asks KIE."""
    took = []
    with httpx.Client(trust_env=False) as client:
        for _ in range(rounds):
            started = time.perf_counter()
            client.get(host.record_url("task00000000"))
            took.append(time.perf_counter() - started)
    return median(took)
