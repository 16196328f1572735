"""Callbacks: how fast, how many, and whether each that was answered is on record."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from bench.bare import bare_route
from bench.figures import Row, at_least, at_most, quantity
from bench.host import nginx
from bench.product import Product, held, product, submitted
from bench.sending import Answered, at_rate, saturate, tool, write_callbacks
from tests.support.postgres import Postgres

RATE = 200
FILE_BYTES = 200_000
LIMIT_MS = 60.0
SHARE = 0.5
ENOUGH_PER_SECOND = 4000
KEPT = "SELECT count(DISTINCT generation_id) FROM callbacks WHERE verdict = 'accepted'"


def under_load(quick: bool, server: Postgres | None) -> list[Row]:
    """200 callbacks a second, each of a finished task that is delivered meanwhile."""
    seconds, rounds = (4, 1) if quick else (10, 3)
    ours, bare, lost = [], [], 0
    for _ in range(rounds):
        answered, missing = _ours_under_load(seconds, server)
        ours.append(answered.p99_ms)
        lost += missing
        bare.append(_bare_under_load(seconds, server).p99_ms)
    limit = max(LIMIT_MS, median(bare))
    p99 = f"callbacks, {RATE}/s while delivering: p99"
    sent = f"callbacks lost of {RATE * seconds * rounds:,} so sent"
    return [
        at_most(p99, median(ours), limit, "ms", quantity(median(bare), "ms")),
        at_most(sent, lost, 0, ""),
    ]


def saturated_8(quick: bool, server: Postgres | None) -> list[Row]:
    """As many callbacks as 8 connections get answered."""
    return [_saturated(8, quick, server)]


def saturated_50(quick: bool, server: Postgres | None) -> list[Row]:
    """As many callbacks as 50 connections get answered."""
    return [_saturated(50, quick, server)]


def _ours_under_load(seconds: int, server: Postgres | None) -> tuple[Answered, int]:
    with product(server) as ours, nginx(ours.folder / "host", FILE_BYTES) as host:
        ours = ours.with_kie_at(host.url)
        callbacks, count = _due_later(ours, seconds)
        with ours.webhook(), ours.poller():
            answered = at_rate(ours.port, callbacks, RATE, seconds)
        return answered, count - ours.count(KEPT)


def _bare_under_load(seconds: int, server: Postgres | None) -> Answered:
    with product(server) as ours:
        callbacks, _ = _due_later(ours, seconds)
        with bare_route(ours.database, ours.folder) as port:
            return at_rate(port, callbacks, RATE, seconds)


def _due_later(ours: Product, seconds: int) -> tuple[Path, int]:
    generations = [submitted(number) for number in range(RATE * seconds)]
    ours.add(generations)
    return write_callbacks(ours.folder / "callbacks.tsv", generations), len(generations)


def _saturated(connections: int, quick: bool, server: Postgres | None) -> Row:
    """Nothing is delivered meanwhile: some other machine is at work on every generation."""
    seconds, rounds = (2, 1) if quick else (4, 3)
    ours, bare = [], []
    for _ in range(rounds):
        with product(server) as each:
            callbacks = _held_by_others(each, seconds)
            with each.webhook():
                ours.append(saturate(each.port, callbacks, connections, seconds).per_second)
        with product(server) as each:
            callbacks = _held_by_others(each, seconds)
            with bare_route(each.database, each.folder) as port:
                bare.append(saturate(port, callbacks, connections, seconds).per_second)
    measure = f"callbacks, saturated by {connections} connections ({tool()})"
    return at_least(measure, median(ours), median(bare), SHARE, "/s")


def _held_by_others(ours: Product, seconds: int) -> Path:
    generations = [held(number) for number in range(ENOUGH_PER_SECOND * seconds)]
    ours.add(generations)
    return write_callbacks(ours.folder / "callbacks.tsv", generations)
