"""What the bare route writes of a callback, with the drivers alone and in one transaction."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import sqlalchemy as sa

from core.store.inbox import FIND_BY_ID, INSERT_CALLBACK, INSERT_EVENT, WAKE
from core.store.sqlite import sqlite_file

DIALECT = sa.make_url("postgresql+psycopg://").get_dialect()()
#: Takes the ids of generation and task, and the body.
Keep = Callable[[str, str, str], None]

SQLITE_INSERT_CALLBACK = """
INSERT INTO callbacks (id, received_at, task_id, generation_id, stage, verdict, headers, body,
                       body_sha256) VALUES (?, ?, ?, ?, 'success', 'accepted', '{}', ?, ?)
"""
SQLITE_WAKE = "UPDATE generations SET due_at = ?, updated_at = ? WHERE id = ?"
SQLITE_INSERT_EVENT = """
INSERT INTO events (generation_id, at, name, detail) VALUES (?, ?, 'callback.accepted', '{}')
"""
FIXED: dict[str, Any] = {
    "stage": "success",
    "verdict": "accepted",
    "claimed": "success",
    "headers": "{}",
    "name": "callback.accepted",
    "detail": "{}",
}


class SqliteKeep:
    """Callback, due time and event; one connection and one lock per process."""

    def __init__(self, url: str) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            sqlite_file(url), timeout=10, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA synchronous=FULL")

    def __call__(self, generation_id: str, task_id: str, body: str) -> None:
        """Write them."""
        callback_id, now = uuid.uuid4().hex, str(datetime.now(UTC).replace(tzinfo=None))
        callback = (callback_id, now, task_id, generation_id, body, callback_id)
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(SQLITE_INSERT_CALLBACK, callback)
            self._connection.execute(SQLITE_WAKE, (now, now, generation_id))
            self._connection.execute(SQLITE_INSERT_EVENT, (generation_id, now))
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class PostgresqlKeep:
    """The product's own four statements as text; a connection for each thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._own = threading.local()
        self._statements = [
            _compiled(FIND_BY_ID),
            _compiled(INSERT_CALLBACK),
            _compiled(WAKE),
            _compiled(INSERT_EVENT, "generation_id", "at", "name", "detail"),
        ]

    def __call__(self, generation_id: str, task_id: str, body: str) -> None:
        """Look for the generation, which nobody else may change then, and write."""
        callback_id, now = uuid.uuid4().hex, datetime.now(UTC)
        values = FIXED | dict.fromkeys(("received_at", "due_at", "at", "now"), now)
        values |= dict.fromkeys(("id", "body_sha256"), callback_id)
        values |= dict.fromkeys(("generation_id", "of"), generation_id)
        values |= {"task_id": task_id, "body": body}
        cursor = self._cursor()
        cursor.execute("BEGIN")
        for statement, fixed in self._statements:
            cursor.execute(statement, fixed | values)
            if cursor.description:
                cursor.fetchall()
        cursor.execute("COMMIT")

    def _cursor(self) -> psycopg.Cursor[Any]:
        if not hasattr(self._own, "cursor"):
            connection = psycopg.connect(self._url, autocommit=True, prepare_threshold=None)
            self._own.cursor = connection.cursor()
        cursor: psycopg.Cursor[Any] = self._own.cursor
        return cursor

    def close(self) -> None:
        """Close the connection of this thread."""
        self._cursor().connection.close()


def _compiled(statement: sa.ClauseElement, *columns: str) -> tuple[bytes, dict[str, Any]]:
    """Its text, and the values that are always the same."""
    compiled = statement.compile(dialect=DIALECT, column_keys=columns or None)
    return str(compiled).encode(), dict(compiled.params)
