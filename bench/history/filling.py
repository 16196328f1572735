"""Many rows for a database at once, whichever of the two it is."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from bench.history.file import filling_file
from bench.history.server import filling_server
from bench.history.values import Insert
from core.store.address import is_sqlite
from core.store.sqlite import sqlite_file


def filling(database: str | Path) -> AbstractContextManager[Insert]:
    """What inserts into a migrated database (a URL, or SQLite's file), which nobody else uses."""
    if isinstance(database, Path):
        return filling_file(database)
    return filling_file(sqlite_file(database)) if is_sqlite(database) else filling_server(database)
