"""Plain SQL on either database, by somebody who knows nothing of our code."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

Row = dict[str, Any]

_TIMES = ("_at", "_until", "_since")
_JSON = ("result_urls", "detail")


def is_sqlite(url: str) -> bool:
    """Whether the database is a file."""
    return url.startswith("sqlite:")


def read(url: str, *queries: str) -> list[list[Row]]:
    """The rows of each query, all of one moment, alike on both databases.

    Times are seconds since the epoch, ids are text, `result_urls` and `detail` are values.
    """
    if is_sqlite(url):
        with closing(sqlite3.connect(f"file:{_file(url)}?mode=ro", uri=True)) as file:
            file.row_factory = sqlite3.Row
            file.execute("BEGIN")
            return [[_plain(dict(row)) for row in file.execute(query)] for query in queries]
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as server:
        server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return [[_plain(row) for row in server.execute(query.encode())] for query in queries]


def write(url: str, *statements: str) -> None:
    """Run these statements."""
    if is_sqlite(url):
        with closing(sqlite3.connect(_file(url), timeout=30)) as file, file:
            for statement in statements:
                file.execute(statement)
        return
    with psycopg.connect(url) as server:
        for statement in statements:
            server.execute(statement.encode())


def has_table(url: str, name: str) -> bool:
    """Whether there is such a table."""
    known = (
        f"SELECT 1 FROM sqlite_master WHERE name = '{name}'"
        if is_sqlite(url)
        else f"SELECT 1 FROM pg_class WHERE relname = '{name}'"
    )
    [found] = read(url, known)
    return bool(found)


def _file(url: str) -> str:
    return url.removeprefix("sqlite:///")


def _plain(row: Row) -> Row:
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str) and name in _JSON:
        return json.loads(value)
    if isinstance(value, str) and name.endswith(_TIMES):
        return datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp()
    return value.timestamp() if isinstance(value, datetime) else value
