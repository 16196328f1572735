"""Bring the database to the newest schema, one migrator at a time."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from core.errors import StoreUnavailableError
from core.store.address import is_sqlite
from core.store.adopting import AdoptionError, adopt, needs_adopting
from core.store.database import Database
from core.store.postgresql import connect_url
from core.store.row_security import plan_policies
from core.store.sqlite import sqlite_file

MIGRATIONS = Path(__file__).parents[2] / "migrations"
PATIENCE_SECONDS = 60  # with another migrator
#: Migrators of this product take turns; the number means nothing.
TURN = 5_243_897_401
#: Whoever waits for a lock on a table makes all others wait: rather fail, and be run again.
LOCK_TIMEOUT_SECONDS = 10
_SECURES = "0004"  # the migration that ends what others may do with the tables


@dataclass(frozen=True, slots=True)
class Revision:
    """The newest migration that a database has, beside those that this code knows."""

    applied: str | None
    newest: str
    known: frozenset[str]

    @property
    def is_behind(self) -> bool:
        """Whether a migration is missing."""
        return self.applied is None or (self.applied in self.known and self.applied != self.newest)

    @property
    def is_ahead(self) -> bool:
        """Whether a newer code has migrated the database, which is fine: it never rolls back."""
        return self.applied is not None and self.applied not in self.known


def migrate(
    url: str,
    *,
    ours: Sequence[str] | None = None,
    dry_run: bool = False,
    tell: Callable[[str], None] = lambda sentence: None,
) -> None:
    """Create the database if there is none, and apply every migration that it lacks. Idempotent.

    A table `generations` that none of them has made is adopted only if it is said how the URLs of
    permanent files begin (`ours`); else AdoptionError. `tell` hears a sentence about each change;
    a `dry_run` does everything and takes it back.
    """
    try:
        with turn_to_migrate(url) as connection:
            if needs_adopting(connection):
                _adopt(connection, ours, tell)
            else:
                _upgrade(connection, tell)
            if dry_run:
                connection.rollback()
    except sa.exc.DBAPIError as error:
        why = str(error.orig).partition("\n")[0]  # the rest quotes the row
        raise StoreUnavailableError(f"the database cannot be migrated: {why}") from error


def _adopt(
    connection: sa.Connection, ours: Sequence[str] | None, tell: Callable[[str], None]
) -> None:
    if ours is None:
        raise AdoptionError(
            "there is a table `generations` that was not made by this product:"
            " `python -m core migrate --dry-run` tells what taking it over would change,"
            " and `python -m core migrate --adopt` does it"
        )
    now = connection.exec_driver_sql("SELECT now()").scalar_one()
    config = _config(connection)
    adopt(connection, now, ours=ours, tell=tell, upgrade=partial(command.upgrade, config))


def _upgrade(connection: sa.Connection, tell: Callable[[str], None]) -> None:
    revision = _revision(connection)
    if revision.is_ahead:
        if re.fullmatch(r"\d{4}", revision.applied or "") is None:
            raise StoreUnavailableError(
                "`alembic_version` belongs to another application: give this product a schema or a"
                " database of its own"
            )
        return  # an older release was put back, which works with it
    script = ScriptDirectory(str(MIGRATIONS))
    missing = list(script.iterate_revisions("head", revision.applied or "base"))
    if connection.dialect.name == "postgresql" and _SECURES in {one.revision for one in missing}:
        for sentence in plan_policies(connection):
            tell(sentence)
    command.upgrade(_config(connection), "head")
    for one in reversed(missing):
        tell(f"migration {one.revision}: {one.doc}")


@contextmanager
def turn_to_migrate(url: str) -> Iterator[sa.Connection]:
    """One transaction for everything, while every other migrator waits; makes a SQLite file."""
    engine = _sqlite(url) if is_sqlite(url) else _postgresql(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def require_current(database: Database) -> None:
    """Raise StoreUnavailableError unless every migration that this code knows has been applied."""
    if revision_of(database).is_behind:
        raise StoreUnavailableError("the database is not migrated: run `python -m core migrate`")


def revision_of(database: Database) -> Revision:
    """Where the database stands. Raises StoreUnavailableError where it cannot be read."""
    with database.read() as connection:
        return _revision(connection)


def _revision(connection: sa.Connection) -> Revision:
    script = ScriptDirectory(str(MIGRATIONS))
    applied = MigrationContext.configure(connection).get_current_revision()
    known = frozenset(each.revision for each in script.walk_revisions())
    return Revision(applied, script.get_current_head() or "", known)


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _sqlite(url: str) -> sa.Engine:
    _make_folder(sqlite_file(url).parent)
    patient = {"timeout": PATIENCE_SECONDS, "isolation_level": None}
    engine = sa.create_engine(url, connect_args=patient)
    sa.event.listen(engine, "connect", _use_wal)
    sa.event.listen(engine, "begin", _take_turn)
    return engine


def _postgresql(url: str) -> sa.Engine:
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: connect_url(url))
    sa.event.listen(engine, "begin", _take_turn_on_server)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError(f"no folder for the database: {error}") from error


def _use_wal(connection: sqlite3.Connection, _record: Any) -> None:
    # SQLite waits for no lock here, and another migrator may just do the same.
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _take_turn(connection: sa.Connection) -> None:
    # The write lock from the start: a second migrator waits, and then finds nothing to do.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _take_turn_on_server(connection: sa.Connection) -> None:
    # Of the transaction: a lock of the session would stay with a pooler's connection.
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE_SECONDS}s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({TURN})")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
