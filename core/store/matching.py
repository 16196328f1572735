"""Callbacks that came before their task was known, and how they find it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from core.kie.report import FAIL, SUCCESS
from core.store.database import Database
from core.store.tables import ACCEPTED_FOR_GOOD, IS_OURS, callbacks, events, generations

#: A callback can miss its generation only while both are being written at the same moment, so the
#: sweep looks back no further than this.
SWEEP_BACK = timedelta(minutes=10)
#: Written out: planners know a partial index by its words.
_IS_UNMATCHED = callbacks.c.verdict == sa.literal_column("'unmatched'")


def match_unmatched(
    connection: sa.Connection, generation_id: str, task_id: str, now: datetime
) -> int:
    """Give a generation the callbacks that were waiting for its task id, and make it due.

    Returns how many there were.
    """
    waiting = connection.execute(
        sa.select(callbacks)
        .where(
            callbacks.c.task_id == task_id,
            _IS_UNMATCHED,
            _opens(generation_id),
        )
        .order_by(callbacks.c.id)
    ).all()
    matched = [row for row in waiting if _accept(connection, generation_id, row)]
    if not matched:
        return 0
    last = max(matched, key=lambda row: (row.received_at, row.id))
    connection.execute(
        sa.update(generations)
        .where(generations.c.id == generation_id)
        .values(due_at=now, announced_at=last.received_at, announced_state=_claim(last.stage))
    )
    connection.execute(
        sa.insert(events),
        {
            "generation_id": generation_id,
            "at": now,
            "name": "callback.matched",
            "detail": {"callbacks": len(matched), "stage": last.stage},
        },
    )
    return len(matched)


def _accept(connection: sa.Connection, generation_id: str, row: sa.Row[Any]) -> bool:
    """Give the generation a callback; whether it had none like it."""
    twin = connection.scalar(
        sa.select(callbacks.c.id).where(
            callbacks.c.generation_id == generation_id,
            callbacks.c.task_id == row.task_id,
            callbacks.c.stage == row.stage,
            callbacks.c.body_sha256 == row.body_sha256,
            ACCEPTED_FOR_GOOD,
        )
    )
    changes = {
        "verdict": "accepted" if twin is None else "duplicate",
        "generation_id": generation_id,
        "reason": "matched.later",
    }
    connection.execute(sa.update(callbacks).where(callbacks.c.id == row.id).values(changes))
    return twin is None


def _opens(generation_id: str | sa.Column[str]) -> sa.ColumnElement[bool]:
    """A credential made for one generation speaks for no other one's task."""
    return sa.or_(callbacks.c.generation_id.is_(None), callbacks.c.generation_id == generation_id)


def _claim(stage: str | None) -> str | None:
    return stage if stage in (SUCCESS, FAIL) else None


def sweep_unmatched(database: Database, now: datetime) -> int:
    """Match recent unmatched callbacks whose generation is known by now; how many there were."""
    since = sa.literal(now - SWEEP_BACK, callbacks.c.received_at.type)
    missed = (
        sa.select(generations.c.id, generations.c.task_id)
        .distinct()
        .join(callbacks, callbacks.c.task_id == generations.c.task_id)
        .where(IS_OURS, _IS_UNMATCHED, _opens(generations.c.id), callbacks.c.received_at > since)
    )
    with database.read() as connection:
        pairs = connection.execute(missed).all()
    return sum(database.run(partial(_match, row.id, row.task_id, now)) for row in pairs)


def _match(generation_id: str, task_id: str, now: datetime, connection: sa.Connection) -> int:
    """One generation's, which is held as whoever saves its task id holds it."""
    chosen = sa.select(generations.c.id).where(generations.c.id == generation_id)
    if connection.scalar(chosen.with_for_update()) is None:  # deleted meanwhile
        return 0
    return match_unmatched(connection, generation_id, task_id, now)
