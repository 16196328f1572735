"""Leases: who may work on which generation, and until when."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

import sqlalchemy as sa

from core.generation.model import Generation
from core.generation.schedule import CRASHES_SET_ASIDE
from core.store.database import Database
from core.store.rows import UNREADABLE, load_generations
from core.store.tables import generations as g
from core.store.types import UtcDateTime

logger = logging.getLogger(__name__)

SET_ASIDE_GAP = timedelta(hours=1)
AFTER_ODD_ROW = timedelta(hours=1)


class Lane(Enum):
    """Kinds of work that must not wait for each other: a create may take two minutes."""

    SUBMIT = "submit"
    DELIVER = "deliver"


# Built once: building a statement costs more than running it, and a claim comes with every task.

NOW = sa.bindparam("now", type_=UtcDateTime)
AN_HOUR_AGO = sa.bindparam("an_hour_ago", type_=UtcDateTime)

IS_DUE = sa.and_(g.c.due_at <= NOW, g.c.lease_until.is_(None))
LEASE_IS_DEAD = g.c.lease_until < NOW
UNSUBMITTED = sa.and_(g.c.submit_started_at.is_(None), g.c.task_id.is_(None))
IN_LANE = {
    Lane.SUBMIT: UNSUBMITTED,
    Lane.DELIVER: sa.or_(g.c.submit_started_at.is_not(None), g.c.task_id.is_not(None)),
}
#: Set aside already, or by the take-over that its dead lease asks for.
SET_ASIDE = sa.or_(
    g.c.crashes >= CRASHES_SET_ASIDE,
    sa.and_(g.c.lease_token.is_not(None), g.c.crashes == CRASHES_SET_ASIDE - 1),
)


def _queue(
    order: Sequence[sa.ColumnElement[object]], *conditions: sa.ColumnElement[bool]
) -> sa.Select[str]:
    return sa.select(g.c.id).where(*conditions, ~SET_ASIDE).order_by(*order).limit(1)


#: The queues of a lane, to be looked through in this order.
Queues = tuple[sa.Select[str], ...]


def _queues(lane: Lane, *scope: sa.ColumnElement[bool]) -> tuple[Queues, Queues]:
    """Dead leases first, then what waits longest and what dies first, in either order."""
    scope = (IN_LANE[lane], *scope)
    dead = _queue([g.c.lease_until], LEASE_IS_DEAD, *scope)
    waiting = _queue([g.c.due_at, g.c.id], IS_DUE, *scope)
    if lane is Lane.SUBMIT:
        return (dead, waiting), (dead, waiting)
    dying = _queue([g.c.expires_at], IS_DUE, g.c.expires_at.is_not(None), *scope)
    return (dead, waiting, dying), (dead, dying, waiting)


QUEUES = {lane: _queues(lane) for lane in Lane}
ANNOUNCED_QUEUES = {
    Lane.SUBMIT: QUEUES[Lane.SUBMIT],
    Lane.DELIVER: _queues(Lane.DELIVER, g.c.announced_at.is_not(None)),
}

#: The generations to be tried alone: at once at first, then an hour after each crash.
SELECT_SET_ASIDE = (
    sa.select(g.c.id)
    .where(
        g.c.crashes >= sa.literal(CRASHES_SET_ASIDE - 1, literal_execute=True),  # as in the index
        sa.or_(g.c.due_at.is_not(None), g.c.lease_until.is_not(None)),
        sa.or_(
            sa.and_(LEASE_IS_DEAD, g.c.crashes == CRASHES_SET_ASIDE - 1),
            sa.and_(
                g.c.crashes >= CRASHES_SET_ASIDE, sa.or_(IS_DUE, g.c.lease_until < AN_HOUR_AGO)
            ),
        ),
    )
    .order_by(g.c.crashes)
    .limit(1)
)

TAKE = (
    sa.update(g)
    .where(sa.or_(IS_DUE, LEASE_IS_DEAD))
    .values(
        lease_token=sa.bindparam("token"),
        lease_until=sa.bindparam("until", type_=UtcDateTime),
        due_at=None,
        crashes=g.c.crashes + sa.case((g.c.lease_token.is_not(None), 1), else_=0),
    )
)
TAKE_THIS = TAKE.where(g.c.id == sa.bindparam("generation_id")).returning(*g.c)
TAKE_THIS_UNLESS_SET_ASIDE = TAKE_THIS.where(~SET_ASIDE)


class _TakeFirst(NamedTuple):
    """Takes the first of the first queue that has any that nobody else is just taking."""

    whole: sa.UpdateBase  # gives the row
    only_id: sa.UpdateBase


def _take_first(queues: Queues) -> _TakeFirst:
    heads = [queue.with_for_update(skip_locked=True).scalar_subquery() for queue in queues]
    take = TAKE.where(g.c.id == (sa.func.coalesce(*heads) if len(heads) > 1 else heads[0]))
    return _TakeFirst(take.returning(*g.c), take.returning(g.c.id))


TAKE_FIRST = {lane: tuple(map(_take_first, both)) for lane, both in QUEUES.items()}
TAKE_FIRST_ANNOUNCED = {
    lane: tuple(map(_take_first, both)) for lane, both in ANNOUNCED_QUEUES.items()
}
TAKE_SET_ASIDE = _take_first((SELECT_SET_ASIDE,))

RENEW = (
    sa.update(g)
    .where(
        g.c.lease_until.is_not(None),
        g.c.lease_token.in_(sa.bindparam("tokens", expanding=True)),
    )
    .values(lease_until=sa.bindparam("until", type_=UtcDateTime))
    .returning(g.c.lease_token)
)


class Claims:
    """Takes, renews and gives back leases on generations that are due."""

    def __init__(self, database: Database, now: Callable[[], datetime], lease: timedelta) -> None:
        self._database = database
        self._now = now
        self._lease = lease

    def claim(
        self, generation_id: str, token: str, *, even_set_aside: bool = False
    ) -> Generation | None:
        """Take the lease on one generation that is due; None: not due, held, or set aside."""
        take = TAKE_THIS if even_set_aside else TAKE_THIS_UNLESS_SET_ASIDE
        return self._database.run(
            lambda connection: self._take(connection, take, token, generation_id=generation_id)
        )

    def claim_next(
        self, lane: Lane, token: str, *, announced_only: bool = False
    ) -> Generation | None:
        """Take the lease on what should be done next in a lane; None: nothing is due.

        Dead leases first, then by turns what waits longest and what dies first, so that neither
        starves the other. `announced_only` leaves aside what no callback has spoken of, but for
        the submit lane.
        """
        by_turns = (TAKE_FIRST_ANNOUNCED if announced_only else TAKE_FIRST)[lane]
        return self._claim_first(by_turns[int(token[-1], 16) % 2], token)

    def claim_set_aside(self, token: str) -> Generation | None:
        """Take the lease on a generation that crashed its workers; only when nothing else runs."""
        return self._claim_first(TAKE_SET_ASIDE, token)

    def has_set_aside(self) -> bool:
        """Whether a generation that crashed its workers is due."""
        with self._database.read() as connection:
            return connection.execute(SELECT_SET_ASIDE, self._moments()).first() is not None

    def _claim_first(self, take: _TakeFirst, token: str) -> Generation | None:
        """What the statement takes; None too where it cannot be read.

        Such a row is put off, so that it blocks nothing.
        """
        try:
            return self._database.run(lambda connection: self._take(connection, take.whole, token))
        except UNREADABLE:
            return self._database.run(
                lambda connection: self._take_with_care(connection, take.only_id, token)
            )

    def _take(
        self, connection: sa.Connection, take: sa.UpdateBase, token: str, **keys: str
    ) -> Generation | None:
        values = {**self._moments(), "token": token, "until": self._now() + self._lease, **keys}
        rows = connection.execute(take, values).mappings().all()
        return next(iter(load_generations(connection, rows)), None)

    def _take_with_care(
        self, connection: sa.Connection, take: sa.UpdateBase, token: str
    ) -> Generation | None:
        """The same, but what cannot be read is put off in the same transaction."""
        values = {**self._moments(), "token": token, "until": self._now() + self._lease}
        generation_id = connection.scalar(take, values)
        this = g.c.id == generation_id
        try:
            rows = connection.execute(sa.select(g).where(this)).mappings().all()
            return next(iter(load_generations(connection, rows)), None)
        except UNREADABLE:
            extra = {"event": "row.odd", "generation": generation_id}
            logger.exception("put off", extra=extra)
            later = self._now() + AFTER_ODD_ROW
            put_off = {"lease_token": None, "lease_until": None, "due_at": later}
            connection.execute(sa.update(g).where(this).values(put_off))
            return None

    def _moments(self) -> dict[str, datetime]:
        now = self._now()
        return {"now": now, "an_hour_ago": now - SET_ASIDE_GAP}

    def renew(self, tokens: Sequence[str]) -> set[str]:
        """Extend the leases that are still ours, expired or not; gives back their tokens."""
        values = {"tokens": list(tokens), "until": self._now() + self._lease}
        mine = self._database.run(lambda connection: connection.scalars(RENEW, values).all())
        return {token for token in mine if token is not None}

    def hand_back(self, generation_id: str, token: str, *, after: timedelta) -> None:
        """Let go of a generation unfinished; it is due again after a while. No-op if not ours.

        A wake-up that came since the claim keeps its earlier time.
        """
        later = sa.literal(self._now() + after, UtcDateTime)
        due_at = sa.case((g.c.due_at < later, g.c.due_at), else_=later)
        let_go = (
            sa.update(g)
            .where(g.c.id == generation_id, g.c.lease_token == token)
            .values(lease_token=None, lease_until=None, due_at=due_at)
        )
        self._database.run(lambda connection: connection.execute(let_go))
