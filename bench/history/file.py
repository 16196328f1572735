"""The SQLite file of the invented history, filled as fast as it goes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa

from bench.history.values import Insert, Row, columns_of

FAST = (
    "locking_mode = EXCLUSIVE",
    "journal_mode = OFF",
    "synchronous = OFF",
    "cache_size = -100000",  # KiB
    "threads = 4",  # sort the indexes
)


@contextmanager
def filling_file(file: Path) -> Iterator[Insert]:
    """What inserts into a migrated database, which nobody else may have open.

    Neither a crash nor an exception undoes what was written: the file is of no use then.
    """
    location = f"{file.absolute().as_uri()}?mode=rw"  # never creates: migrate does
    with closing(sqlite3.connect(location, uri=True, isolation_level=None)) as connection:

        def insert(table: sa.Table, rows: Iterable[Row], *, without: str = "") -> None:
            columns = columns_of(table, without)
            marks = ", ".join("?" for _ in columns)
            sql = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"
            connection.executemany(sql, rows)

        for pragma in FAST:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        indexes = _drop_indexes(connection)
        yield insert
        for statement in indexes:
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")


def _drop_indexes(connection: sqlite3.Connection) -> list[str]:
    """The statements that make them again: over rows that are all there, that is much faster."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    indexes = dict(connection.execute(query).fetchall())
    for name in indexes:
        connection.execute(f"DROP INDEX {name}")
    return list(indexes.values())
