"""The way to the database: connections, transactions, and its failures as one error."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from core.errors import ConfigError, StoreUnavailableError

#: A request has failed within 10 s where the database is locked or away.
LOCK_TIMEOUT_SECONDS = 4.0
LOCK_LOOK_SECONDS = 0.001
_READ_ONLY = "read_only"


class Database:
    """Short transactions on one engine. Make it after fork: connections must not cross it."""

    def __init__(self, url: str, *, connections: int = 20) -> None:
        self._engine = _sqlite_engine(sqlite_file(url), connections)
        # SQLite has one writer: threads wait for their turn here, and not asleep inside it.
        self._write_lock = threading.Lock()
        self._writer: sa.Connection | None = None  # its own: it never waits inside SQLite

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that commits at the end and rolls back on any exception."""
        if not self._write_lock.acquire(timeout=LOCK_TIMEOUT_SECONDS):
            raise StoreUnavailableError("the database is busy: no turn to write came")
        try:
            with _translated(), self._open_writer() as connection, connection.begin():
                yield connection
        finally:
            self._write_lock.release()

    @contextmanager
    def _open_writer(self) -> Iterator[sa.Connection]:
        connection = self._writer or self._connect_writer()
        self._writer = None
        try:
            yield connection
        except BaseException:
            connection.invalidate()  # whatever it was: the next one begins afresh
            connection.close()
            raise
        self._writer = connection

    def _connect_writer(self) -> sa.Connection:
        connection = self._engine.connect()
        # It waits in `_begin_immediate`, and not inside SQLite.
        connection.connection.cursor().execute("PRAGMA busy_timeout = 0")
        return connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view of the database, which blocks no writer."""
        with _translated(), self._engine.connect() as connection:
            connection.execution_options(**{_READ_ONLY: True})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close all connections."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._engine.dispose()


def sqlite_file(url: str) -> Path:
    """The file that a database URL names. ConfigError for anything but SQLite."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise ConfigError("DATABASE_URL: not a database URL") from error
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise ConfigError(
            f"DATABASE_URL: only sqlite:///path is supported, not {parsed.get_backend_name()}"
        )
    return Path(parsed.database).absolute()


def _sqlite_engine(file: Path, connections: int) -> sa.Engine:
    location = f"{file.as_uri()}?mode=rw"  # never creates: migrate does
    engine = sa.create_engine(
        "sqlite://",
        hide_parameters=True,  # URLs and prompts must not reach a traceback
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
    if connection.get_execution_options().get(_READ_ONLY):
        connection.exec_driver_sql("BEGIN")
    else:
        _begin_immediate(connection.connection.driver_connection)


def _begin_immediate(connection: Any) -> None:
    """Take the write lock at once: a transaction that reads first cannot wait for it later.

    Between processes SQLite's own handler sleeps up to 100 ms between two looks, and then misses
    the gaps that a busy writer leaves; so look often.
    """
    deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise StoreUnavailableError(f"the database cannot be used: {error}") from error
        time.sleep(LOCK_LOOK_SECONDS)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError):
        raise  # about one statement, not about the database
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        raise StoreUnavailableError(f"the database cannot be used: {cause}") from error
