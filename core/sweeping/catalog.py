"""What storage holds, written down while it is listed: on disk, for it may be millions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Self

from core.storage.port import StoredObject
from core.sweeping.judging import Verdict

_TABLE = """
CREATE TABLE objects (
    path TEXT, place INTEGER, bytes INTEGER, stored_at REAL, verdict TEXT,
    PRIMARY KEY (path, place)
) WITHOUT ROWID
"""


class Listed(NamedTuple):
    """An object, and in which of the storages it is."""

    object: StoredObject
    place: int


class Catalog:
    """Objects and their verdicts, in a temporary file that goes with the process."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("")
        self._connection.execute(_TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def add(self, place: int, judged: Iterable[tuple[StoredObject, Verdict]]) -> None:
        """Write down objects of one storage."""
        rows = (
            (found.path, place, found.size_bytes, found.stored_at.timestamp(), verdict)
            for found, verdict in judged
        )
        self._connection.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", rows)

    def count(self, verdict: Verdict | None = None) -> int:
        """How many objects have this verdict, or there are."""
        query = "SELECT count(*) FROM objects WHERE ?1 IS NULL OR verdict = ?1"
        count: int = self._connection.execute(query, (verdict,)).fetchone()[0]
        return count

    def of(self, verdict: Verdict) -> Iterator[Listed]:
        """The objects with this verdict."""
        query = "SELECT path, bytes, stored_at, place FROM objects WHERE verdict = ? ORDER BY path"
        for path, size_bytes, stored_at, place in self._connection.execute(query, (verdict,)):
            moment = datetime.fromtimestamp(stored_at, UTC)
            yield Listed(StoredObject(path, size_bytes, moment), place)

    def sizes(self, path: str) -> Sequence[int]:
        """The sizes of the objects of this path."""
        found = self._connection.execute("SELECT bytes FROM objects WHERE path = ?", (path,))
        return [size for (size,) in found]
