"""A long history that never was, for measuring and for pictures.

The same seed gives the same rows. Some of its hours are odd on purpose: see `bench.history.times`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from random import Random

from bench.history.callbacks import refusals, strangers
from bench.history.file import filling, insert
from bench.history.lives import Part, Rows, parts, rows_of
from bench.history.times import DAY
from bench.history.values import Row, time_text
from core.store import tables
from core.store.sqlite import sqlite_file

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
    """Fill a migrated, empty SQLite database (file or URL) with the `days` before `until`.

    Nobody else may have it open meanwhile. `spread` says how the parts are made, which changes
    nothing but the time: `bench.history.spread.spread` pays from some 100,000 generations on.
    """
    end, written = until.timestamp(), 0
    start = end - days * DAY
    file = database if isinstance(database, Path) else sqlite_file(database)
    with filling(file) as connection:
        rows, counted = strangers(Random(seed), start, end)
        insert(connection, tables.callbacks, rows)
        counted += refusals(rows)
        for made in spread(rows_of, parts(seed, generations, start, end)):
            _write(connection, made)
            counted += refusals(made.callbacks)
            written += len(made.generations)
            progress(written)
        insert(connection, tables.refusals, [(*key, counted[key]) for key in sorted(counted)])
        insert(connection, tables.processes, _processes(end))


def _write(connection: sqlite3.Connection, rows: Rows) -> None:
    insert(connection, tables.generations, rows.generations)
    insert(connection, tables.assets, rows.assets)
    insert(connection, tables.callbacks, rows.callbacks)
    insert(connection, tables.events, rows.events, without="id")


def _processes(until: float) -> list[Row]:
    started = time_text(until - 3 * DAY)
    return [
        ("poller", started, time_text(until - 2)),
        ("web", started, time_text(until - 3)),
    ]
