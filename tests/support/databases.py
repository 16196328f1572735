"""Both databases, as a test gets one: migrated, empty, and to be taken away."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.store.address import is_sqlite
from core.store.migrate import migrate
from core.store.sqlite import sqlite_file
from core.store.tables import metadata
from tests.support import postgres
from tests.support.postgres import Postgres

#: For what only a file has, or only SQLite tells.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def sqlite_url(folder: Path) -> str:
    """A migrated SQLite database in a folder, where it is by default."""
    (folder / "kie.db").write_bytes(_migrated_file())
    return f"sqlite:///{folder / 'kie.db'}"


@cache
def _migrated_file() -> bytes:
    """Made once: migrating costs more than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kie.db"
        migrate(f"sqlite:///{path}")
        return path.read_bytes()


def rows(url: str, query: str) -> list[dict[str, Any]]:
    """What a database holds, read by somebody who knows nothing of our code."""
    if not is_sqlite(url):
        return postgres.query(url, query)
    file = sqlite_file(url)
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def take_away(url: str) -> None:
    """Nobody can open a database from now on; on SQLite those who have it open still can."""
    if is_sqlite(url):
        sqlite_file(url).rename(_away(url))
    else:
        _server(url).allow_connections(url, allowed=False)


def give_back(url: str) -> None:
    """Undo `take_away`."""
    if is_sqlite(url):
        _away(url).rename(sqlite_file(url))
    else:
        _server(url).allow_connections(url, allowed=True)


def _away(url: str) -> Path:
    return sqlite_file(url).with_name("away.db")


def _server(url: str) -> Postgres:
    admin = sa.make_url(url).set(database="postgres")
    return Postgres(admin.render_as_string(hide_password=False))


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Somebody else holds what every writer needs."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        if is_sqlite(url):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            tables = ", ".join(metadata.tables)
            connection.exec_driver_sql(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")
        yield
    engine.dispose()


def refuse(connection: sa.Connection, what: str, when: str = "TRUE") -> None:
    """Have the database refuse a write (`INSERT ON events`) of rows of which this is true."""
    if connection.dialect.name == "sqlite":
        does = "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        connection.exec_driver_sql(f"CREATE TRIGGER refuses BEFORE {what} WHEN {when} {does}")
        return
    raises = "BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'check_violation'; END"
    connection.exec_driver_sql(
        f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {raises} $$"
    )
    for_each = f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION refuse()"
    connection.exec_driver_sql(f"CREATE TRIGGER refuses BEFORE {what} {for_each}")


def refuse_no_more(connection: sa.Connection, table: str) -> None:
    """Undo `refuse`."""
    of_table = f" ON {table}" if connection.dialect.name == "postgresql" else ""
    connection.exec_driver_sql(f"DROP TRIGGER refuses{of_table}")
