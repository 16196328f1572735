"""PostgreSQL, Supabase's or any, reached directly or through a pooler in transaction mode.

Nothing here leaves a trace in the session: a pooler gives each transaction another one.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import errors
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo, timeout_from_conninfo
from psycopg.types.string import StrDumperUnknown

from core.errors import ConfigError
from core.store.address import parse_url
from core.store.database import LOCK_TIMEOUT_SECONDS, Answer, Database, translated
from core.store.server_clock import ServerClock
from core.store.tables import create_grants

STATEMENT_TIMEOUT_SECONDS = 8
#: A client that has stopped in a transaction must not hold its locks longer than a lease lasts.
IDLE_TIMEOUT_SECONDS = 10
#: Later than the server's own timeout: only a server that says nothing at all is waited for.
ANSWER_TIMEOUT_SECONDS = 9.0
COLLISIONS_AT_MOST = 3

#: One round trip with BEGIN: settings of a session would get lost between transactions.
_SETTINGS = (
    f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s';"
    f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS:.0f}s';"
    "SET LOCAL timezone = 'UTC';"  # months and hours begin by it
    f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_TIMEOUT_SECONDS}s'"
)
#: However the server is set up: a create whose record a crash of it forgets would be sent twice.
WRITE = f"BEGIN;{_SETTINGS};SET LOCAL synchronous_commit = on"
READ = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;{_SETTINGS}"
_CLOCK = "SELECT clock_timestamp()"
#: Refused where a write would be.
LOCK_NOTHING = sa.select(create_grants.c.slot).where(sa.false()).with_for_update()

#: What `make_conninfo` may be told otherwise in the URL's query.
_CONNECTION = {
    "connect_timeout": "3",  # for each address of the host: poolers have up to three
    "client_encoding": "UTF8",
    "application_name": "kie-delivery",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "8000",  # ms: a machine that is gone without a word
}

#: Another transaction was quicker, or waited for us as we did for it: look again.
_COLLISIONS = (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure)
#: About the database and not about the statement: somebody took away what it needs.
_NOT_OURS = (errors.UndefinedTable, errors.UndefinedColumn, errors.InsufficientPrivilege)

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_REPLACEMENT = "\ufffd"


class PostgresqlDatabase(Database):
    """A server that the processes of any number of machines share; its clock is theirs."""

    def __init__(self, url: str, *, connections: int) -> None:
        self._url = parse_url(url)
        self._engine = _engine(_conninfo(self._url), connections)
        self._clock = ServerClock()

    @property
    def place(self) -> str:
        """Host and name."""
        host = self._url.host or self._url.query.get("host") or "local socket"
        port = f":{self._url.port}" if self._url.port else ""
        return f"{host}{port}/{self._url.database or ''}"

    def now(self) -> datetime:
        """The server's clock, as of the last transactions of this process."""
        if (now := self._clock.now()) is None:
            with self.read():
                pass
            now = self._clock.now()
        assert now is not None  # every transaction sets it first
        return now

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that commits at the end and rolls back on any exception."""
        with translated(*_NOT_OURS), self._transaction(WRITE) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view of the database, which blocks no writer."""
        with translated(*_NOT_OURS), self._transaction(READ) as connection:
            yield connection

    def run(self, write: Callable[[sa.Connection], Answer]) -> Answer:
        """A write in a transaction of its own: the server's commits share their flush anyway."""
        with translated(*_NOT_OURS):
            for _ in range(COLLISIONS_AT_MOST - 1):
                try:
                    return self._run_once(write)
                except sa.exc.DBAPIError as error:
                    if not isinstance(error.orig, _COLLISIONS):
                        raise
            return self._run_once(write)

    def _run_once(self, write: Callable[[sa.Connection], Answer]) -> Answer:
        with self._transaction(WRITE) as connection:
            return write(connection)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sa.Connection]:
        with self._begin(begin) as connection:
            yield connection
            connection.commit()

    def _begin(self, begin: str) -> sa.Connection:
        """A connection with a transaction begun on it.

        After a restart of the server every pooled connection is dead; where this turns out at
        BEGIN nothing has been done yet, so another one is tried.
        """
        began = time.monotonic()
        try:
            return self._begin_on(self._engine.connect(), begin)
        except sa.exc.DBAPIError as error:
            was_waited_for = time.monotonic() - began > 1
            if was_waited_for or not error.connection_invalidated:
                raise
        return self._begin_on(self._engine.connect(), begin)

    def _begin_on(self, connection: sa.Connection, begin: str) -> sa.Connection:
        try:
            connection.exec_driver_sql(begin)
            if self._clock.is_stale:
                self._clock.set(connection.exec_driver_sql(_CLOCK).scalar_one)
        except BaseException:
            connection.close()
            raise
        return connection

    def check_writable(self) -> None:
        """Raise StoreUnavailableError unless a transaction could write now. Changes nothing."""
        with self.write() as connection:
            connection.execute(LOCK_NOTHING)

    def size(self) -> int:
        """The bytes of tables and indexes."""
        with self.read() as connection:
            size = connection.exec_driver_sql("SELECT pg_database_size(current_database())")
            return int(size.scalar_one())

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


class _Connection(psycopg.Connection[Any]):
    """A connection that does not wait for ever for a server that has stopped."""

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's, but a silence that is too long closes the connection."""
        try:
            return super().wait(gen, interval, timeout or ANSWER_TIMEOUT_SECONDS)
        except errors._WaitTimeout as error:
            self.pgconn.finish()
            raise psycopg.OperationalError("the server does not answer") from error


class _PlainText(StrDumperUnknown):
    """Text as PostgreSQL can hold it: what strangers send may have NUL in it, or half a pair.

    Sent without a type, so that a column of another one than ours takes it where it can: ids and
    users of an adopted table are UUIDs.
    """

    def dump(self, obj: str) -> bytes:
        """UTF-8 with the replacement character for what cannot be."""
        return obj.replace("\0", _REPLACEMENT).encode("utf-8", "replace")


def _to_json(value: Any) -> str:
    """JSON that `jsonb` takes too."""
    text = json.dumps(value)
    return _NUL.sub(r"\1\\ufffd", text) if "\\u0000" in text else text


def connect_url(url: str) -> psycopg.Connection[Any]:
    """A connection to the database that a URL names, outside of any pool.

    Raises ConfigError where the URL asks for what PostgreSQL's library does not know.
    """
    # Poolers would give a prepared statement to somebody else.
    return psycopg.connect(_conninfo(parse_url(url)), prepare_threshold=None)


def _conninfo(url: sa.URL) -> str:
    query = {
        name: ",".join(value) if isinstance(value, tuple) else value
        for name, value in url.query.items()
    }
    options = url.translate_connect_args(username="user", database="dbname") | query
    try:
        conninfo = make_conninfo(**{**_CONNECTION, **options})
        timeout_from_conninfo(conninfo_to_dict(conninfo))
        return conninfo
    except psycopg.Error as error:
        raise ConfigError(f"DATABASE_URL: {str(error).strip()}") from error


def _engine(conninfo: str, connections: int) -> sa.Engine:
    def connect() -> _Connection:
        connection = _Connection.connect(conninfo, autocommit=True, prepare_threshold=None)
        connection.adapters.register_dumper(str, _PlainText)
        return connection

    engine = sa.create_engine(
        "postgresql+psycopg://",
        creator=connect,
        isolation_level="AUTOCOMMIT",  # transactions begin with a statement of ours
        hide_parameters=True,  # URLs and prompts must not reach a traceback
        json_serializer=_to_json,
        use_native_hstore=False,  # it would be asked for with every connection
        poolclass=sa.QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=LOCK_TIMEOUT_SECONDS,
        pool_use_lifo=True,  # what is not needed falls idle, and no pooler holds a place for it
    )
    # Many rows in one statement, else they go in a pipeline of psycopg's: whoever then stops in the
    # transaction is never ended by PostgreSQL 15, as seen with 15.20, and holds its locks for good.
    engine.dialect.use_insertmanyvalues_wo_returning = True
    sa.event.listen(engine, "handle_error", _leave_read_only_server)
    sa.event.listen(engine, "handle_error", _hide_values)
    return engine


def _leave_read_only_server(context: sa.ExceptionContext) -> None:
    """After a failover the writable server is another one: close all connections to this one."""
    if isinstance(context.original_exception, errors.ReadOnlySqlTransaction):
        context.is_disconnect = True


def _hide_values(context: sa.ExceptionContext) -> None:
    """Leave what the server tells of the row out of the message: prompts must not reach a log."""
    error = context.original_exception
    if isinstance(error, psycopg.Error) and error.diag.sqlstate:
        about_a_value = isinstance(error, psycopg.DataError)
        told = type(error).__name__ if about_a_value else str(error.diag.message_primary)
        error.args = (told,)
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.args = (told,)
