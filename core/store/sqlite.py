"""SQLite: one file, many readers, one writer at a time."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from core.errors import ConfigError, StoreUnavailableError
from core.store.address import parse_url
from core.store.database import LOCK_TIMEOUT_SECONDS, Answer, Database, translated
from core.store.server_clock import uptime
from core.store.shared_commit import SharedCommit

LOCK_LOOK_SECONDS = 0.001
_READ_ONLY = "read_only"


class SqliteDatabase(Database):
    """A file that the processes of one machine share."""

    def __init__(self, url: str, *, connections: int) -> None:
        self._file = sqlite_file(url)
        self._engine = _engine(self._file, connections)
        # SQLite has one writer: threads wait for their turn here, and not asleep inside it.
        self._write_lock = threading.Lock()
        self._writer: sa.Connection | None = None  # its own: it never waits inside SQLite
        self._shared = SharedCommit(self.write)

    @property
    def place(self) -> str:
        """The path of the file."""
        return str(self._file)

    def now(self) -> datetime:
        """The machine's clock, which all processes on a file share."""
        return datetime.now(UTC)

    def steady(self) -> datetime:
        """The time since the machine was started."""
        return datetime.fromtimestamp(uptime(), UTC)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that commits at the end and rolls back on any exception."""
        if not self._write_lock.acquire(timeout=LOCK_TIMEOUT_SECONDS):
            raise StoreUnavailableError("the database is busy: no turn to write came")
        try:
            with translated(), self._open_writer() as connection, connection.begin():
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
        with translated(), self._engine.connect() as connection:
            connection.execution_options(**{_READ_ONLY: True})
            with connection.begin():
                yield connection

    def run(self, write: Callable[[sa.Connection], Answer]) -> Answer:
        """A write that may share its commit: with one writer, what it costs is the flush."""
        return self._shared.run(write)

    def check_writable(self) -> None:
        """Raise StoreUnavailableError unless a transaction could write now. Changes nothing."""
        with self.write():
            pass

    def size(self) -> int:
        """The bytes of the file, with those that its write-ahead log still holds."""
        try:
            size = self._file.stat().st_size
            with suppress(FileNotFoundError):
                size += self._file.with_name(f"{self._file.name}-wal").stat().st_size
        except OSError as error:  # gone, which those who have it open do not notice
            raise StoreUnavailableError(str(error)) from error
        return size

    def close(self) -> None:
        """Close all connections."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._engine.dispose()


def sqlite_file(url: str) -> Path:
    """The file that a SQLite URL names. ConfigError where it names none."""
    database = parse_url(url).database
    if not database:
        raise ConfigError("DATABASE_URL: sqlite:///path names no file")
    return Path(database).absolute()


def _engine(file: Path, connections: int) -> sa.Engine:
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
