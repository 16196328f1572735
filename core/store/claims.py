"""Leases: who may work on which generation, and until when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum

import sqlalchemy as sa

from core.generation.model import Generation
from core.generation.schedule import CRASHES_SET_ASIDE
from core.store.database import Database
from core.store.rows import load_generations
from core.store.tables import generations as g

SET_ASIDE_GAP = timedelta(hours=1)


class Lane(Enum):
    """Kinds of work that must not wait for each other: a create may take two minutes."""

    SUBMIT = "submit"
    DELIVER = "deliver"


class Claims:
    """Takes, renews and gives back leases on generations that are due."""

    def __init__(self, database: Database, now: Callable[[], datetime], lease: timedelta) -> None:
        self._database = database
        self._now = now
        self._lease = lease

    def claim(self, generation_id: str, token: str) -> Generation | None:
        """Take the lease on one generation that is due; None: not due, held, or set aside."""
        now = self._now()
        with self._database.write() as connection:
            claimed = self._take(
                connection, [generation_id], token, now, sa.and_(_claimable(now), ~_set_aside())
            )
        return claimed[0] if claimed else None

    def claim_next(
        self, lane: Lane, token: str, *, announced_only: bool = False
    ) -> Generation | None:
        """Take the lease on what should be done next in a lane; None: nothing is due.

        Dead leases first, then by turns what dies first and what waits longest. `announced_only`
        leaves aside what no callback has spoken of (and nothing of the submit lane).
        """
        now = self._now()
        scope = [_in_lane(lane), ~_set_aside()]
        if announced_only and lane is Lane.DELIVER:
            scope.append(g.c.announced_at.is_not(None))
        with self._database.write() as connection:
            for condition, order in self._queues(lane, now, token):
                row = connection.execute(
                    sa.select(g.c.id).where(condition, *scope).order_by(*order).limit(1)
                ).one_or_none()
                if row is not None:
                    return self._take(connection, [row.id], token, now, _claimable(now))[0]
        return None

    def _queues(
        self, lane: Lane, now: datetime, token: str
    ) -> list[tuple[sa.ColumnElement[bool], Sequence[sa.ColumnElement[object]]]]:
        dead = (_lease_is_dead(now), [g.c.lease_until])
        waiting = (_is_due(now), [g.c.due_at, g.c.id])
        if lane is Lane.SUBMIT:
            return [dead, waiting]
        expiring = (sa.and_(_is_due(now), g.c.expires_at.is_not(None)), [g.c.expires_at])
        # Neither may starve the other: files die while unasked tasks pile up, and the reverse.
        by_turns = [expiring, waiting] if int(token[-1], 16) % 2 else [waiting, expiring]
        return [dead, *by_turns]

    def claim_set_aside(self, token: str) -> Generation | None:
        """Take the lease on a generation that crashed its workers; only when nothing else runs."""
        now = self._now()
        with self._database.write() as connection:
            row = connection.execute(_select_set_aside(now)).first()
            if row is None:
                return None
            return self._take(connection, [row.id], token, now, _claimable(now))[0]

    def has_set_aside(self) -> bool:
        """Whether a generation that crashed its workers is due."""
        with self._database.read() as connection:
            return connection.execute(_select_set_aside(self._now())).first() is not None

    def _take(
        self,
        connection: sa.Connection,
        ids: list[str],
        token: str,
        now: datetime,
        condition: sa.ColumnElement[bool],
    ) -> list[Generation]:
        taken_over = sa.case((g.c.lease_token.is_not(None), 1), else_=0)
        statement = (
            sa.update(g)
            .where(g.c.id.in_(ids), condition)
            .values(
                lease_token=token,
                lease_until=now + self._lease,
                due_at=None,
                crashes=g.c.crashes + taken_over,
            )
            .returning(*g.c)
        )
        return load_generations(connection, connection.execute(statement).mappings().all())

    def renew(self, tokens: Sequence[str]) -> set[str]:
        """Extend the leases that are still ours, expired or not; gives back their tokens."""
        with self._database.write() as connection:
            mine = connection.scalars(
                sa.update(g)
                .where(g.c.lease_until.is_not(None), g.c.lease_token.in_(tokens))
                .values(lease_until=self._now() + self._lease)
                .returning(g.c.lease_token)
            )
            return {token for token in mine if token is not None}

    def hand_back(self, generation_id: str, token: str, *, after: timedelta) -> None:
        """Let go of a generation unfinished; it is due again after a while. No-op if not ours."""
        with self._database.write() as connection:
            connection.execute(
                sa.update(g)
                .where(g.c.id == generation_id, g.c.lease_token == token)
                .values(lease_token=None, lease_until=None, due_at=self._now() + after)
            )


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(g.c.due_at <= now, g.c.lease_until.is_(None))


def _lease_is_dead(now: datetime) -> sa.ColumnElement[bool]:
    return g.c.lease_until < now


def _claimable(now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(_is_due(now), _lease_is_dead(now))


def _in_lane(lane: Lane) -> sa.ColumnElement[bool]:
    unsubmitted = sa.and_(g.c.submit_started_at.is_(None), g.c.task_id.is_(None))
    if lane is Lane.SUBMIT:
        return unsubmitted
    return sa.or_(g.c.submit_started_at.is_not(None), g.c.task_id.is_not(None))


def _set_aside() -> sa.ColumnElement[bool]:
    """Set aside already, or by the take-over that its dead lease asks for."""
    dying = g.c.lease_token.is_not(None)
    return sa.or_(
        g.c.crashes >= CRASHES_SET_ASIDE, sa.and_(dying, g.c.crashes == CRASHES_SET_ASIDE - 1)
    )


def _select_set_aside(now: datetime) -> sa.Select[str]:
    """The generations to be tried alone: at once at first, then an hour after each crash."""
    hourly = g.c.lease_until < now - SET_ASIDE_GAP
    first_time = sa.and_(_lease_is_dead(now), g.c.crashes == CRASHES_SET_ASIDE - 1)
    again = sa.and_(g.c.crashes >= CRASHES_SET_ASIDE, sa.or_(_is_due(now), hourly))
    in_index = sa.and_(
        g.c.crashes >= CRASHES_SET_ASIDE - 1,
        sa.or_(g.c.due_at.is_not(None), g.c.lease_until.is_not(None)),
    )
    return sa.select(g.c.id).where(in_index, sa.or_(first_time, again)).order_by(g.c.id).limit(1)
