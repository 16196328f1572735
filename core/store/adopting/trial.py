"""Whether the adopted table takes what we write: a row is led through its life, and undone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from psycopg import errors

from core.generation.model import Generation, Status
from core.ids import new_id
from core.store.adopting.obstacles import give_back, read_checks
from core.store.adopting.old_table import AdoptionError, change, quote, said
from core.store.adopting.words import KINDS
from core.store.rows import to_columns
from core.store.tables import generations as g

#: The rules for rows of ours: what breaks them breaks us.
OURS = frozenset(str(each.name) for each in g.constraints if isinstance(each, sa.CheckConstraint))


class _UndoError(Exception):
    """Nothing went wrong: the trial is over."""


def make_room_for_rows(connection: sa.Connection, now: datetime) -> Iterator[str]:
    """Try a row of ours, and relax the rules of other columns that refuse it.

    Raises AdoptionError where it is refused by anything else, as a trigger.
    """
    user = connection.scalar(sa.select(g.c.user_id).where(g.c.user_id.is_not(None)).limit(1))
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
            if user is None:  # whom it takes we do not know; the rest can be tried all the same
                change(connection, "ALTER COLUMN user_id DROP NOT NULL")
            for kind in KINDS:
                _live(connection, kind, user, now)
    except sa.exc.DBAPIError as error:
        return error
    return None


def _live(connection: sa.Connection, kind: str, user: str | None, now: datetime) -> None:
    row = Generation(
        id=new_id(),
        family="market",
        model="any",
        kind=kind,
        input={},
        user_id=user,
        created_at=now,
        updated_at=now,
    )
    written = to_columns(row)
    connection.execute(sa.insert(g), written)
    _require_kept(connection, row.id, written)
    mine = g.c.id == row.id
    for status in (Status.GENERATING, Status.FAILED, Status.SUCCESS):
        values = {"status": status, "asset_url": "https://example.org", "task_id": row.id}
        connection.execute(sa.update(g).where(mine).values(values))
        _require_kept(connection, row.id, values)
    connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    connection.execute(sa.delete(g).where(mine))


def _require_kept(connection: sa.Connection, key: str, written: Mapping[str, Any]) -> None:
    """A trigger or rule may drop or change a row without an error."""
    columns = [g.c[name] for name in written if name not in ("updated_at", "created_at")]
    kept = connection.execute(sa.select(*columns).where(g.c.id == key)).mappings().one_or_none()
    changed = ["id"] if kept is None else [n for n, v in kept.items() if v != written[n]]
    if changed:
        raise AdoptionError(
            "`generations` does not keep rows of ours as they are written, so it cannot be adopted:"
            f" see what its triggers and rules do to {', '.join(changed)}"
        )


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
            if check.name == cause.diag.constraint_name and check.name not in OURS:
                change(connection, f"DROP CONSTRAINT {quote(check.name)}")
                return give_back(connection, check)
    if isinstance(cause, errors.NotNullViolation) and cause.diag.column_name:
        name = cause.diag.column_name
        if name not in g.c:
            change(connection, f"ALTER COLUMN {quote(name)} DROP NOT NULL")
            return f"column {name} may be empty from now on"
    raise _refused(refusal)


def _refused(refusal: sa.exc.DBAPIError) -> AdoptionError:
    why = said(refusal)
    return AdoptionError(f"`generations` refuses rows of ours, so it cannot be adopted: {why}")
