"""The order in which an old table becomes ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from psycopg.errors import UniqueViolation

from core.store.adopting import columns, deciding, first_revision, obstacles, readers, rewriting
from core.store.adopting.old_table import (
    NAME,
    AdoptionError,
    define,
    oid_of,
    read_columns,
    require_adoptable,
    run,
    said,
)
from core.store.adopting.ours import Ours
from core.store.adopting.trial import make_room_for_rows
from core.store.row_security import plan_policies

_COUNT_AGAIN = f"""
INSERT INTO stale_hours
SELECT DISTINCT date_trunc('hour', created_at, 'UTC') FROM {NAME} ON CONFLICT DO NOTHING
"""
#: Users are looked up by any text: see core.store.sql.as_text.
_INDEX_USERS = f"CREATE INDEX ix_{NAME}_user_text ON {NAME} (CAST(user_id AS text), created_at)"
#: What adopting told of a row that ended long ago would be pruned at once.
_KEEP_TOLD = f"""
UPDATE {NAME} SET history_checked_at = :now WHERE id IN (SELECT generation_id FROM events)
"""
_COUNTED = "UPDATE rollups SET event_id = (SELECT coalesce(max(id), 0) FROM events)"


def needs_adopting(connection: sa.Connection) -> bool:
    """Whether there is a `generations` table that no migration of ours has made."""
    if connection.dialect.name != "postgresql" or oid_of(connection) is None:
        return False
    return MigrationContext.configure(connection).get_current_revision() is None


def adopt(
    connection: sa.Connection,
    now: datetime,
    *,
    ours: Sequence[str],
    upgrade: Callable[[str], None],
    tell: Callable[[str], None],
) -> None:
    """Make the table that is there ours, and migrate to the newest revision.

    `ours` is how the URLs of permanent files begin, `upgrade` migrates the connection's database
    up to a revision; `tell` hears a sentence about each change. All of it is done in the
    connection's transaction: AdoptionError means that it must be rolled back.
    """
    try:
        for sentence in _adopted(connection, now, Ours(tuple(ours)), upgrade):
            tell(sentence)
    except sa.exc.DBAPIError as error:
        raise AdoptionError(f"`{NAME}` cannot be adopted: {said(error)}{_remedy(error)}") from error


def _remedy(error: sa.exc.DBAPIError) -> str:
    if not isinstance(error.orig, UniqueViolation):
        return ""
    return "; rows that differed in an old word are alike now: drop it, or settle those rows first"


def _adopted(
    connection: sa.Connection, now: datetime, ours: Ours, upgrade: Callable[[str], None]
) -> Iterator[str]:
    # Rather an error than policies that hide rows from us.
    define(connection, "SET LOCAL row_security = off")
    require_adoptable(connection)
    define(connection, f"LOCK TABLE {NAME} IN ACCESS EXCLUSIVE MODE")
    with obstacles.triggers_paused(connection):
        yield from obstacles.free_names(connection)
        yield from columns.set_aside(connection)
        checks = obstacles.take_checks(connection)
        yield from columns.make_plain(connection)
        yield from columns.relax(connection)
        old = read_columns(connection)
        first = first_revision.make_others(connection, upgrade)
        first_revision.add_key(connection)
        yield from deciding.decide(connection, now, ours)
        yield from columns.add_missing(connection, first.columns)
        yield from rewriting.rewrite(connection, old, now, ours)
        yield from rewriting.name_fals(connection, old)
        yield from rewriting.fill_others(connection, old)
        columns.require_filled(connection, first.columns)
        for check in checks:
            yield obstacles.give_back(connection, check)
        first_revision.finish(connection, first)
    yield from plan_policies(connection)
    yield from readers.tell_readers(connection)
    upgrade("head")
    yield from make_room_for_rows(connection, now)
    if read_columns(connection)["user_id"].type == "uuid":
        define(connection, _INDEX_USERS)
    run(connection, _COUNT_AGAIN)
    run(connection, _COUNTED)
    with obstacles.triggers_paused(connection):
        run(connection, _KEEP_TOLD, now=now)
