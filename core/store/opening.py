"""Which database a URL names."""

from __future__ import annotations

from core.store.address import is_sqlite
from core.store.database import Database
from core.store.postgresql import PostgresqlDatabase
from core.store.sqlite import SqliteDatabase


def open_database(url: str, *, connections: int = 20) -> Database:
    """The database that a URL names, with that many connections at most; connects when used.

    Raises ConfigError where the URL is none that can be used.
    """
    if is_sqlite(url):
        return SqliteDatabase(url, connections=connections)
    return PostgresqlDatabase(url, connections=connections)
