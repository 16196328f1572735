"""How everything stands at this moment, at a cost that does not grow with history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from core.generation.model import Status
from core.store.counting import HOUR, hour_of
from core.store.health import last_callback_at
from core.store.stuck import Reason, StuckFilter, count_stuck, limits, read_usual
from core.store.tables import IS_OPEN, IS_OURS, cohorts, processes, refusals, rollups
from core.store.tables import generations as g
from core.store.types import UtcDateTime

SHOWN_HOURS = 24
_COUNTED_AT = sa.select(rollups.c.folded_at).where(rollups.c.id == 1)  # its only row


@dataclass(frozen=True, slots=True)
class Beat:
    """A process, and when it last said that it lives."""

    name: str
    started_at: datetime
    beat_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDay:
    """What was created in the hour that is under way and the 23 before it, as the dashboard counts.

    The counts are those of the roll-ups, a few seconds old where a process runs.
    """

    created: int
    delivered: int
    failed: int
    counted_at: datetime | None  # None: never

    @property
    def success_rate(self) -> float | None:
        """Delivered of those that have ended, from 0 to 1; None where none has."""
        ended = self.delivered + self.failed
        return self.delivered / ended if ended else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is open, what waits, who works, and how the last day went."""

    at: datetime
    open: Mapping[Status, int]
    stuck: int  # for whatever reason
    reasons: Mapping[Reason, int]  # one may have several
    due: int
    oldest_due_at: datetime | None
    processes: Sequence[Beat]
    last_callback_at: datetime | None
    refused_callbacks: Mapping[str, int]  # in the same hours, by reason
    last_day: LastDay


def read_standing(connection: sa.Connection, now: datetime, stuck_after: timedelta) -> Standing:
    """Everything, in one view of the database."""
    since = hour_of(now) - (SHOWN_HOURS - 1) * HOUR
    known = limits(read_usual(connection, now), stuck_after)
    stuck = count_stuck(connection, StuckFilter(), known, now)
    due, oldest_due_at = connection.execute(_select_due(now)).one()
    return Standing(
        at=now,
        open=_open(connection),
        stuck=stuck[None],
        reasons={reason: stuck[reason] for reason in Reason},
        due=due,
        oldest_due_at=oldest_due_at,
        processes=_processes(connection),
        last_callback_at=last_callback_at(connection),
        refused_callbacks=_refused(connection, since),
        last_day=_last_day(connection, since),
    )


def _open(connection: sa.Connection) -> dict[Status, int]:
    counted = sa.select(g.c.status, sa.func.count()).where(IS_OURS, IS_OPEN).group_by(g.c.status)
    found = {status: int(count) for status, count in connection.execute(counted)}
    return {status: found.get(status, 0) for status in (Status.QUEUED, Status.GENERATING)}


def _select_due(now: datetime) -> sa.Select[int, datetime | None]:
    moment = sa.literal(now, UtcDateTime)
    is_due = (g.c.due_at <= moment, g.c.lease_until.is_(None))
    return sa.select(sa.func.count(), sa.func.min(g.c.due_at)).where(IS_OURS, *is_due)


def _processes(connection: sa.Connection) -> list[Beat]:
    columns = processes.c.name, processes.c.started_at, processes.c.beat_at
    rows = connection.execute(sa.select(*columns).order_by(processes.c.name))
    return [Beat(*row) for row in rows]


def _refused(connection: sa.Connection, since: datetime) -> dict[str, int]:
    counted = (
        sa.select(refusals.c.reason, sa.func.sum(refusals.c.count))
        .where(refusals.c.hour >= since)
        .group_by(refusals.c.reason)
        .order_by(refusals.c.reason)
    )
    return {reason: int(count) for reason, count in connection.execute(counted)}


def _last_day(connection: sa.Connection, since: datetime) -> LastDay:
    counted = (
        sa.select(cohorts.c.status, sa.func.sum(cohorts.c.generations))
        .where(cohorts.c.hour >= since)
        .group_by(cohorts.c.status)
    )
    found = {status: int(count) for status, count in connection.execute(counted)}
    return LastDay(
        created=sum(found.values()),
        delivered=found.get(Status.SUCCESS, 0),
        failed=found.get(Status.FAILED, 0),
        counted_at=connection.scalar(_COUNTED_AT),
    )
