"""Bring the database to the newest schema, one migrator at a time."""

from __future__ import annotations

import sqlite3
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
    """Raise StoreUnavailableError unless every migration that this code knows has been applied.

    A database that is newer than the code is fine: the schema never rolls back.
    """
    script = ScriptDirectory(str(MIGRATIONS))
    with database.read() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    known = {each.revision for each in script.walk_revisions()}
    if revision is None or (revision in known and revision != script.get_current_head()):
        raise StoreUnavailableError("the database is not migrated: run `python -m core migrate`")


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
