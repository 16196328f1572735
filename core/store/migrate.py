"""Bring the database to the newest schema, one migrator at a time."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from core.errors import StoreUnavailableError
from core.store.database import Database, sqlite_file

MIGRATIONS = Path(__file__).parents[2] / "migrations"


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


def migrate(url: str) -> None:
    """Create the database if there is none, and apply every migration that it lacks. Idempotent."""
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            command.upgrade(_config(connection), "head")
    except sa.exc.DatabaseError as error:
        raise StoreUnavailableError(f"the database cannot be migrated: {error.orig}") from error
    finally:
        engine.dispose()


def require_current(database: Database) -> None:
    """Raise StoreUnavailableError unless every migration that this code knows has been applied."""
    if revision_of(database).is_behind:
        raise StoreUnavailableError("the database is not migrated: run `python -m core migrate`")


def revision_of(database: Database) -> Revision:
    """Where the database stands. Raises StoreUnavailableError where it cannot be read."""
    script = ScriptDirectory(str(MIGRATIONS))
    with database.read() as connection:
        applied = MigrationContext.configure(connection).get_current_revision()
    known = frozenset(each.revision for each in script.walk_revisions())
    return Revision(applied, script.get_current_head() or "", known)


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _engine(url: str) -> sa.Engine:
    _make_folder(sqlite_file(url).parent)
    engine = sa.create_engine(url, connect_args={"timeout": 60, "isolation_level": None})
    sa.event.listen(engine, "connect", _use_wal)
    sa.event.listen(engine, "begin", _take_turn)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError(f"no folder for the database: {error}") from error


def _use_wal(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")


def _take_turn(connection: sa.Connection) -> None:
    # The write lock from the start: a second migrator waits, and then finds nothing to do.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
