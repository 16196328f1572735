"""KIE's limit on new tasks, shared by all processes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from core.store.database import Database
from core.store.tables import create_grants
from core.store.tables import generations as g

#: docs.kie.ai: 20 new tasks per 10 s and account, which is how many rows `create_grants` has. Half
#: a second more, for the way there.
WINDOW = timedelta(seconds=10.5)
#: An older generation that waits for its turn goes first, unless nobody has come for it this long.
TURN_KEPT = timedelta(seconds=5)
NEXT_TRY = timedelta(seconds=0.5)

#: One at a time, whichever slot is the oldest by the time that the turn has come.
TAKE_TURN = sa.select(create_grants.c.slot).where(create_grants.c.slot == 0).with_for_update()
OLDEST_FIRST = sa.select(create_grants).order_by(create_grants.c.granted_at)


class Grants:
    """Grants a create only when the 20th-last grant is old enough, in order of creation.

    `steady` is the clock of the grants, which nobody sets; `now` is that of everything else.
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        steady: Callable[[], datetime] | None = None,
    ) -> None:
        self._database = database
        self._now = now
        self._steady = steady or now

    def grant(self, generation_id: str) -> datetime | None:
        """None: granted, create now. Otherwise when to ask again."""
        return self._database.run(lambda connection: self._grant(connection, generation_id))

    def _grant(self, connection: sa.Connection, generation_id: str) -> datetime | None:
        connection.execute(TAKE_TURN)
        now, steady = self._now(), self._steady()  # not before the turn has come: it takes seconds
        slots = connection.execute(OLDEST_FIRST).all()
        if slots[-1].granted_at > steady:
            connection.execute(_no_later_than(steady))
        wait: timedelta = min(slots[0].granted_at, steady) + WINDOW - steady
        if wait > timedelta():
            return now + wait
        if connection.scalar(_older_waits(generation_id, now)):
            return now + NEXT_TRY
        connection.execute(
            sa.update(create_grants)
            .where(create_grants.c.slot == slots[0].slot)
            .values(granted_at=steady)
        )
        return None

    def close_window(self) -> None:
        """KIE said 429: nobody creates for a whole window."""
        self._database.run(self._close_window)

    def _close_window(self, connection: sa.Connection) -> None:
        connection.execute(TAKE_TURN)
        connection.execute(sa.update(create_grants).values(granted_at=self._steady()))


def _no_later_than(steady: datetime) -> sa.Update:
    """Grants of another clock, as of before a reboot, can lie ahead: they count as new."""
    return (
        sa.update(create_grants)
        .where(create_grants.c.granted_at > steady)
        .values(granted_at=steady)
    )


def _older_waits(generation_id: str, now: datetime) -> sa.Select[int]:
    mine = g.alias()
    created_at = sa.select(mine.c.created_at).where(mine.c.id == generation_id).scalar_subquery()
    return (
        sa.select(sa.literal(1))
        .where(
            g.c.due_at.is_not(None),
            g.c.submit_started_at.is_(None),
            g.c.task_id.is_(None),
            g.c.error_code.in_(["submit.rate_limited", "kie.rate_limited"]),
            sa.or_(
                g.c.created_at < created_at,
                sa.and_(g.c.created_at == created_at, g.c.id < generation_id),
            ),
            g.c.due_at.between(now - TURN_KEPT, now),
            g.c.lease_until.is_(None),
        )
        .limit(1)
    )
