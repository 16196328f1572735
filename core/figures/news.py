"""Whether callbacks have stopped: told from who brought the newest results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core.generation.model import Channel
from core.store.health import last_callback_at
from core.store.tables import generations as g

LOOKED_AT = 200  # results, the newest
#: A run of results without callbacks is a stop where the usual loss gives it once in a thousand.
UNLIKELY = 0.001
LEAST_LOSS, MOST_LOSS = 0.1, 0.9
LEAST_RUN = 3

_NEWEST = (  # of one channel each: an index leads to them, however rare they are
    sa.select(
        g.c.delivered_via,
        g.c.created_at,
        sa.func.coalesce(g.c.provider_completed_at, g.c.created_at).label("known_at"),
    )
    .where(g.c.delivered_via == sa.bindparam("via"))
    .order_by(g.c.created_at.desc())
    .limit(LOOKED_AT)
)


@dataclass(frozen=True, slots=True)
class Silence:
    """No callback has come since; `results` have been found without one meanwhile."""

    last_callback_at: datetime | None  # None: never
    results: int  # LOOKED_AT: that many or more


def read_silence(connection: sa.Connection) -> Silence | None:
    """Whether callbacks have stopped, and since when; None where they come."""
    newest = [row for channel in Channel for row in connection.execute(_NEWEST, {"via": channel})]
    newest.sort(key=lambda row: row.created_at, reverse=True)
    results = sorted(newest[:LOOKED_AT], key=lambda row: row.known_at, reverse=True)
    run = silent_run([row.delivered_via == Channel.CALLBACK for row in results])
    if run == 0:
        return None
    return Silence(last_callback_at(connection), run)


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
