"""Callbacks that we sent ourselves: taken back as if they had never come."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from core.store.database import Database
from core.store.tables import callbacks, refusals


def take_back(database: Database, task_id: str) -> bool:
    """Remove the callbacks that are kept of a task which nobody has; whether there were any.

    They leave the counts too, by which strangers' callbacks are bounded and shown.
    """
    return database.run(lambda connection: _take_back(connection, task_id))


def _take_back(connection: sa.Connection, task_id: str) -> bool:
    of_task = callbacks.c.task_id == task_id
    kept = connection.execute(
        sa.select(callbacks.c.received_at, callbacks.c.reason).where(of_task)
    ).all()
    connection.execute(sa.delete(callbacks).where(of_task))
    for row in kept:
        _uncount(connection, row.received_at, row.reason)
    return bool(kept)


def _uncount(connection: sa.Connection, received_at: datetime, reason: str | None) -> None:
    hour = received_at.replace(minute=0, second=0, microsecond=0)
    counted = sa.and_(
        refusals.c.hour == sa.literal(hour, refusals.c.hour.type),
        refusals.c.reason == reason,
        refusals.c.credential == (not (reason or "").startswith("credential.")),
    )
    connection.execute(sa.update(refusals).where(counted).values(count=refusals.c.count - 1))
    connection.execute(sa.delete(refusals).where(counted, refusals.c.count <= 0))
