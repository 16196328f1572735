"""The PostgreSQL database of the invented history, filled as fast as it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex

from bench.history.values import Insert, Row, columns_of
from core.store.migrate import turn_to_migrate
from core.store.postgresql import connect_url
from core.store.tables import metadata

FAST = (
    "SET LOCAL timezone = 'UTC'",  # times are written without one
    "SET LOCAL maintenance_work_mem = '1GB'",  # sort the indexes
)


@contextmanager
def filling_server(url: str) -> Iterator[Insert]:
    """What inserts into a migrated database: all of it, or nothing after an exception."""
    with turn_to_migrate(url) as connection:
        for setting in FAST:
            connection.exec_driver_sql(setting)
        _drop_indexes(connection)
        yield lambda table, rows, *, without="": _copy(connection, table, rows, without)
        _make_indexes(connection)
    with closing(connect_url(url)) as alone:
        alone.autocommit = True
        alone.execute("VACUUM (ANALYZE)")  # as a server does by itself, some time later


def is_filled(url: str) -> bool:
    """Whether there is already a table that ours would get in the way of."""
    with closing(connect_url(url)) as connection:
        found = connection.execute("SELECT to_regclass('generations') IS NOT NULL").fetchone()
    return bool(found and found[0])


def _drop_indexes(connection: sa.Connection) -> None:
    """And what refers to another table: over rows that are all there, that is much faster."""
    for reference in _references():
        connection.execute(DropConstraint(reference))
    for index in _indexes():
        connection.execute(DropIndex(index))


def _make_indexes(connection: sa.Connection) -> None:
    for index in _indexes():
        connection.execute(CreateIndex(index))
    for reference in _references():
        connection.execute(AddConstraint(reference, isolate_from_table=False))


def _indexes() -> Iterator[sa.Index]:
    for table in metadata.sorted_tables:
        yield from table.indexes


def _references() -> Iterator[sa.ForeignKeyConstraint]:
    for table in metadata.sorted_tables:
        yield from table.foreign_key_constraints


def _copy(connection: sa.Connection, table: sa.Table, rows: Iterable[Row], without: str) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, columns_of(table, without)))
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    server = cast(psycopg.Connection[Any], connection.connection.driver_connection)
    with server.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(row)
