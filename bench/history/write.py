"""A long history that never was, for measuring and for pictures.

The same seed gives the same rows. Some of its hours are odd on purpose: see `bench.history.times`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from random import Random

from bench.history.callbacks import refusals, strangers
from bench.history.filling import filling
from bench.history.lives import Part, Rows, parts, rows_of
from bench.history.times import DAY
from bench.history.values import Insert, Row, time_text
from core.store import tables

Spread = Callable[[Callable[[Part], Rows], Iterable[Part]], Iterable[Rows]]


def write_history(
    database: str | Path,
    generations: int,
    *,
    days: float = 90,
    until: datetime,
    seed: int = 25,
    spread: Spread = map,
    progress: Callable[[int], None] = lambda written: None,
) -> None:
    """Fill a migrated, empty database (SQLite's file, or a URL) with the `days` before `until`.

    Nobody else may have it open meanwhile. `spread` says how the parts are made, which changes
    nothing but the time: `bench.history.spread.spread` pays from some 100,000 generations on.
    """
    end, written = until.timestamp(), 0
    start = end - days * DAY
    with filling(database) as insert:
        rows, counted = strangers(Random(seed), start, end)
        insert(tables.callbacks, rows)
        counted += refusals(rows)
        for made in spread(rows_of, parts(seed, generations, start, end)):
            _write(insert, made)
            counted += refusals(made.callbacks)
            written += len(made.generations)
            progress(written)
        insert(tables.refusals, [(*key, counted[key]) for key in sorted(counted)])
        insert(tables.processes, _processes(end))


def _write(insert: Insert, rows: Rows) -> None:
    insert(tables.generations, rows.generations)
    insert(tables.assets, rows.assets)
    insert(tables.callbacks, rows.callbacks)
    insert(tables.events, rows.events, without="id")


def _processes(until: float) -> list[Row]:
    started = time_text(until - 3 * DAY)
    return [
        ("poller", started, time_text(until - 2)),
        ("web", started, time_text(until - 3)),
    ]
