"""What the code of an earlier release writes, as far as its tables say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core.store.migrate import turn_to_migrate

Rows = dict[str, list[tuple[Any, ...]]]

#: What the database checks.
CHECKED = {"provider": "kie", "status": "success"}


def tables_of(url: str) -> sa.MetaData:
    """The tables as they are now: those of the release whose newest migration was the last one."""
    tables = sa.MetaData()
    with turn_to_migrate(url) as connection:
        tables.reflect(connection)
    tables.remove(tables.tables["alembic_version"])
    return tables


def write_rows(url: str, tables: sa.MetaData, number: int) -> None:
    """A row in each of these tables, with a value for each column that they know."""
    with turn_to_migrate(url) as connection:
        for table in tables.sorted_tables:
            values = {column.name: _value(column, number) for column in table.c}
            connection.execute(sa.insert(table).values(values))


def touch_rows(url: str, tables: sa.MetaData) -> None:
    """Write each column of each row again."""
    with turn_to_migrate(url) as connection:
        for table in tables.sorted_tables:
            same = {column.name: column for column in table.c if not column.primary_key}
            connection.execute(sa.update(table).values(same or {c.name: c for c in table.c}))


def read_rows(url: str, tables: sa.MetaData) -> Rows:
    """All rows by table, as far as these tables know them."""
    with turn_to_migrate(url) as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(sa.select(table).order_by(*table.primary_key))
            ]
            for table in tables.sorted_tables
        }


def _value(column: sa.Column[Any], number: int) -> Any:
    if column.name in CHECKED:
        return CHECKED[column.name]
    of_a_kind: dict[type, Any] = {
        bool: True,
        datetime: datetime(2026, 1, number, 12, 30, tzinfo=UTC),
        dict: {"prompt": "a kite"},
        UUID: UUID(int=number),
        str: f"{UUID(int=number)}" if column.name.endswith("id") else f"{column.name} {number}",
    }
    if isinstance(column.type, sa.JSON):
        return of_a_kind[dict]
    return of_a_kind.get(column.type.python_type, 100 + number)
