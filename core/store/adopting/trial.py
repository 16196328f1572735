"""Whether the adopted table takes what we write: a row is led through its life, and undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa
from psycopg import errors

from core.generation.model import Generation, Status
from core.ids import new_id
from core.store.adopting.obstacles import give_back, read_checks
from core.store.adopting.old_table import AdoptionError, change, quote, read_columns
from core.store.rows import to_columns
from core.store.tables import generations as g


class _UndoError(Exception):
    """Nothing went wrong: the trial is over."""


def make_room_for_rows(connection: sa.Connection, now: datetime) -> Iterator[str]:
    """Try a row of ours, and relax the rules of other columns that refuse it.

    Raises AdoptionError where it is refused by anything else, as a trigger.
    """
    user = connection.scalar(sa.select(g.c.user_id).where(g.c.user_id.is_not(None)).limit(1))
    if user is None and read_columns(connection)["user_id"].required:
        return  # it depends on users whom we do not know
    told: set[str] = set()
    while (refusal := _refusal(connection, user, now)) is not None:
        sentence = _relaxed(connection, refusal)
        if sentence in told:
            raise _refused(refusal)
        told.add(sentence)
        yield sentence


def _refusal(
    connection: sa.Connection, user: str | None, now: datetime
) -> sa.exc.DBAPIError | None:
    try:
        with _undone(connection):
            _live(connection, user, now)
    except sa.exc.DBAPIError as error:
        return error
    return None


def _live(connection: sa.Connection, user: str | None, now: datetime) -> None:
    row = Generation(
        id=new_id(),
        family="market",
        model="any",
        kind="audio",
        input={},
        user_id=user,
        created_at=now,
        updated_at=now,
    )
    connection.execute(sa.insert(g), to_columns(row))
    mine = g.c.id == row.id
    for status in (Status.GENERATING, Status.FAILED, Status.SUCCESS):
        values = {"status": status, "asset_url": "https://example.org", "task_id": row.id}
        connection.execute(sa.update(g).where(mine).values(values))
    connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    connection.execute(sa.delete(g).where(mine))


@contextmanager
def _undone(connection: sa.Connection) -> Iterator[None]:
    try:
        with connection.begin_nested():
            yield
            raise _UndoError
    except _UndoError:
        pass


def _relaxed(connection: sa.Connection, refusal: sa.exc.DBAPIError) -> str:
    cause = refusal.orig
    if isinstance(cause, errors.CheckViolation):
        for check in read_checks(connection):
            if check.name == cause.diag.constraint_name:
                change(connection, f"DROP CONSTRAINT {quote(check.name)}")
                return give_back(connection, check)
    if isinstance(cause, errors.NotNullViolation) and cause.diag.column_name:
        name = cause.diag.column_name
        if name not in g.c:
            change(connection, f"ALTER COLUMN {quote(name)} DROP NOT NULL")
            return f"column {name} may be empty from now on"
    raise _refused(refusal)


def _refused(refusal: sa.exc.DBAPIError) -> AdoptionError:
    diagnosis = getattr(refusal.orig, "diag", None)
    said = getattr(diagnosis, "message_primary", None) or type(refusal.orig).__name__
    return AdoptionError(f"`generations` refuses rows of ours, so it cannot be adopted: {said}")
