"""Leases: who may work on which generation, and until when."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum

import sqlalchemy as sa

from core.errors import AppError
from core.generation.model import Generation
from core.generation.schedule import CRASHES_SET_ASIDE
from core.store.database import Database
from core.store.rows import UNREADABLE, load_generations
from core.store.shared_commit import SharedCommit
from core.store.tables import UtcDateTime
from core.store.tables import generations as g

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


def _queues(lane: Lane, *scope: sa.ColumnElement[bool]) -> list[sa.Select[str]]:
    """What to look through for the next one: dead leases, what waits longest, what dies first."""
    scope = (IN_LANE[lane], *scope)
    queues = [
        _queue([g.c.lease_until], LEASE_IS_DEAD, *scope),
        _queue([g.c.due_at, g.c.id], IS_DUE, *scope),
    ]
    if lane is Lane.DELIVER:
        queues.append(_queue([g.c.expires_at], IS_DUE, g.c.expires_at.is_not(None), *scope))
    return queues


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
    .where(g.c.id == sa.bindparam("generation_id"), sa.or_(IS_DUE, LEASE_IS_DEAD))
    .values(
        lease_token=sa.bindparam("token"),
        lease_until=sa.bindparam("until", type_=UtcDateTime),
        due_at=None,
        crashes=g.c.crashes + sa.case((g.c.lease_token.is_not(None), 1), else_=0),
    )
    .returning(*g.c)
)
TAKE_UNLESS_SET_ASIDE = TAKE.where(~SET_ASIDE)
RENEW = (
    sa.update(g)
    .where(
        g.c.lease_until.is_not(None),
        g.c.lease_token.in_(sa.bindparam("tokens", expanding=True)),
    )
    .values(lease_until=sa.bindparam("until", type_=UtcDateTime))
    .returning(g.c.lease_token)
)


class OddRowError(AppError):
    """A row that cannot be read as a generation."""

    def __init__(self, generation_id: str) -> None:
        super().__init__(f"generation {generation_id} cannot be read")
        self.generation_id = generation_id


class Claims:
    """Takes, renews and gives back leases on generations that are due."""

    def __init__(
        self,
        database: Database,
        shared: SharedCommit,
        now: Callable[[], datetime],
        lease: timedelta,
    ) -> None:
        self._database = database
        self._shared = shared
        self._now = now
        self._lease = lease

    def claim(
        self, generation_id: str, token: str, *, even_set_aside: bool = False
    ) -> Generation | None:
        """Take the lease on one generation that is due; None: not due, held, or set aside."""
        take = TAKE if even_set_aside else TAKE_UNLESS_SET_ASIDE
        return self._shared.run(
            lambda connection: self._take(connection, take, generation_id, token)
        )

    def claim_next(
        self, lane: Lane, token: str, *, announced_only: bool = False
    ) -> Generation | None:
        """Take the lease on what should be done next in a lane; None: nothing is due.

        Dead leases first, then by turns what waits longest and what dies first, so that neither
        starves the other. `announced_only` leaves aside what no callback has spoken of, but for
        the submit lane.
        """
        dead, *others = (ANNOUNCED_QUEUES if announced_only else QUEUES)[lane]
        by_turns = others[::-1] if int(token[-1], 16) % 2 else others
        return self._first_of([dead, *by_turns], token)

    def claim_set_aside(self, token: str) -> Generation | None:
        """Take the lease on a generation that crashed its workers; only when nothing else runs."""
        return self._first_of([SELECT_SET_ASIDE], token)

    def has_set_aside(self) -> bool:
        """Whether a generation that crashed its workers is due."""
        with self._database.read() as connection:
            return connection.execute(SELECT_SET_ASIDE, self._moments()).first() is not None

    def _first_of(self, queues: Sequence[sa.Select[str]], token: str) -> Generation | None:
        """The first of the first queue that has any; None too where it cannot be read.

        Such a row is put off, so that it blocks nothing.
        """
        try:
            return self._shared.run(lambda connection: self._take_first(connection, queues, token))
        except OddRowError as error:
            logger.exception(
                "put off", extra={"event": "row.odd", "generation": error.generation_id}
            )
            self._put_off(error.generation_id)
            return None

    def _take_first(
        self, connection: sa.Connection, queues: Sequence[sa.Select[str]], token: str
    ) -> Generation | None:
        moments = self._moments()
        for queue in queues:
            generation_id = connection.scalar(queue, moments)
            if generation_id is not None:
                return self._take(connection, TAKE, generation_id, token)
        return None

    def _take(
        self, connection: sa.Connection, take: sa.Executable, generation_id: str, token: str
    ) -> Generation | None:
        now = self._now()
        values = {"generation_id": generation_id, "token": token, "until": now + self._lease}
        try:
            rows = connection.execute(take, {**values, "now": now}).mappings().all()
            return next(iter(load_generations(connection, rows)), None)
        except UNREADABLE as error:
            raise OddRowError(generation_id) from error

    def _put_off(self, generation_id: str) -> None:
        later = self._now() + AFTER_ODD_ROW
        values = {"lease_token": None, "lease_until": None, "due_at": later}
        with self._database.write() as connection:
            connection.execute(sa.update(g).where(g.c.id == generation_id).values(values))

    def _moments(self) -> dict[str, datetime]:
        now = self._now()
        return {"now": now, "an_hour_ago": now - SET_ASIDE_GAP}

    def renew(self, tokens: Sequence[str]) -> set[str]:
        """Extend the leases that are still ours, expired or not; gives back their tokens."""
        until = self._now() + self._lease
        with self._database.write() as connection:
            mine = connection.scalars(RENEW, {"tokens": list(tokens), "until": until})
            return {token for token in mine if token is not None}

    def hand_back(self, generation_id: str, token: str, *, after: timedelta) -> None:
        """Let go of a generation unfinished; it is due again after a while. No-op if not ours.

        A wake-up that came since the claim keeps its earlier time.
        """
        later = sa.literal(self._now() + after, UtcDateTime)
        due_at = sa.case((g.c.due_at < later, g.c.due_at), else_=later)
        with self._database.write() as connection:
            connection.execute(
                sa.update(g)
                .where(g.c.id == generation_id, g.c.lease_token == token)
                .values(lease_token=None, lease_until=None, due_at=due_at)
            )
