"""Whether the database works, and the last proof that KIE's callbacks arrive."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from core.store.database import Database
from core.store.inbox import Verdict
from core.store.tables import callbacks

_LAST_ACCEPTED = sa.select(sa.func.max(callbacks.c.received_at)).where(
    # Written out: planners know a partial index by its words.
    callbacks.c.verdict == sa.literal_column(f"'{Verdict.ACCEPTED}'")
)


def check_writable(database: Database) -> None:
    """Raise StoreUnavailableError unless a transaction could write now. Changes nothing."""
    with database.write():
        pass


def size_on_disk(file: Path) -> int:
    """The bytes of a SQLite database, with those that its write-ahead log still holds.

    Raises OSError where the file is gone, which those who have it open do not notice.
    """
    size = file.stat().st_size
    with suppress(FileNotFoundError):
        size += file.with_name(f"{file.name}-wal").stat().st_size
    return size


def last_callback_at(connection: sa.Connection) -> datetime | None:
    """When the newest accepted callback came."""
    found: datetime | None = connection.scalar(_LAST_ACCEPTED)
    return found
