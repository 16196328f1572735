"""Whether callbacks have stopped: told from who brought the newest results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core.generation.model import Channel
from core.store.tables import callbacks
from core.store.tables import generations as g

LOOKED_AT = 200  # results, the newest
#: A run of results without callbacks is a stop where the usual loss gives it once in a thousand.
UNLIKELY = 0.001
LEAST_LOSS, MOST_LOSS = 0.1, 0.9
LEAST_RUN = 3


@dataclass(frozen=True, slots=True)
class Silence:
    """No callback has come since; `results` have been found without one meanwhile."""

    last_callback_at: datetime | None  # None: never
    results: int


def read_silence(connection: sa.Connection) -> Silence | None:
    """Whether callbacks have stopped, and since when; None where they come."""
    newest = (
        sa.select(g.c.delivered_via, g.c.provider_completed_at)
        .where(g.c.delivered_via.is_not(None))
        .order_by(g.c.created_at.desc())
        .limit(LOOKED_AT)
    )
    results = connection.execute(newest).all()
    ordered = sorted(results, key=lambda row: str(row.provider_completed_at or ""), reverse=True)
    run = silent_run([row.delivered_via == Channel.CALLBACK for row in ordered])
    if run == 0:
        return None
    last = sa.select(sa.func.max(callbacks.c.received_at)).where(callbacks.c.verdict == "accepted")
    return Silence(connection.scalar(last), run)


def silent_run(announced: Sequence[bool]) -> int:
    """How many of the newest results came without a callback, if that is no chance; else 0.

    `announced`: of each result, newest first, whether a callback brought it.
    """
    run = next((index for index, one in enumerate(announced) if one), len(announced))
    before = announced[run:]
    loss = 1 - sum(before) / len(before) if before else 0.0
    loss = min(max(loss, LEAST_LOSS), MOST_LOSS)
    needed = max(LEAST_RUN, math.ceil(math.log(UNLIKELY) / math.log(loss)))
    return run if run >= needed else 0
