"""What is asked of SQLite, and how it would look for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

Statement = tuple[str, tuple[Any, ...]]


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Every statement that is executed meanwhile."""
    statements: list[Statement] = []

    def record(_c: object, _cursor: object, sql: str, values: Any, *_more: object) -> None:
        if not sql.startswith("BEGIN"):
            statements.append((sql, tuple(values)))

    sa.event.listen(sa.Engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", record)


def plans(file: Path, statements: Sequence[Statement]) -> list[str]:
    """The lines of the plans of those that read."""
    with closing(sqlite3.connect(file)) as connection:
        return [
            str(row[3])
            for sql, values in statements
            if not sql.startswith("PRAGMA")
            for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        ]
