"""Keeps the dashboard's counts: an hour in which something happened is counted again.

Counting an hour again gives the same whoever does it and however often, so nothing has to be added
up exactly once. No delivery writes a counter; only those who count take turns, at one row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa

from core.store.counting import HOUR, SINCE, count_cohorts, count_durations, hour_of
from core.store.database import Database
from core.store.tables import (
    HISTORY_PRUNED,
    IS_OURS,
    cohorts,
    durations,
    events,
    generations,
    rollups,
)
from core.store.tables import stale_hours as stale
from core.store.types import UtcDateTime

logger = logging.getLogger(__name__)

FOLDED_AT_MOST_EVERY = timedelta(seconds=4)
#: A transaction may become visible after one with a later event id; none takes this long.
SETTLED_AFTER = timedelta(minutes=1)
#: After a long pause: more would take longer than a statement may.
EVENTS_AT_ONCE = 100_000

_INSERTS = [
    sa.insert(table).from_select([column.name for column in table.c], counted)
    for table, counted in (
        (cohorts, count_cohorts(SINCE)),
        (durations, count_durations(SINCE)),
    )
]


class Rollup:
    """Folds what happened into the counts. Any process may; several at once do no harm."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def fold(self) -> int:
        """Count the hours again that events tell of; how many. No-op where it was just done."""
        with self._database.read() as connection:
            last = connection.execute(sa.select(rollups)).one()
            if last.folded_at and abs(self._now() - last.folded_at) < FOLDED_AT_MOST_EVERY:
                return 0
            until = last.event_id + EVENTS_AT_ONCE
            hours = _changed_hours(connection, last.event_id, until)
            settled = min(self._settled(connection, last.event_id), until)
        for hour in sorted(hours, reverse=True):  # the newest are looked at first
            try:
                self._count_again(hour)
            except sa.exc.DBAPIError:  # about its rows: the other hours are counted all the same
                extra = {"event": "rollup.bug"}
                logger.exception("the hour %s cannot be counted", hour, extra=extra)
        self._remember(settled)
        return len(hours)

    def rebuild(self, counted: Callable[[datetime], None] = lambda hour: None) -> int:
        """Count every hour again, and forget hours without generations; how many.

        `counted` hears of each hour. May be interrupted, and run while others work.
        """
        with self._database.read() as connection:
            settled = self._settled(connection, 0)
            first, last = connection.execute(
                sa.select(
                    sa.func.min(generations.c.created_at), sa.func.max(generations.c.created_at)
                ).where(IS_OURS)
            ).one()
            known = set(connection.scalars(sa.select(cohorts.c.hour).distinct()))
        hours = sorted(known | set(_hours(first, last)))
        for hour in hours:
            self._count_again(hour)
            counted(hour)
        self._remember(settled)
        return len(hours)

    def _count_again(self, hour: datetime) -> None:
        """In a transaction of its own: workers need not wait for more than an hour's counting."""
        with self._database.write() as connection:
            connection.execute(sa.select(rollups).with_for_update())  # one at a time
            connection.execute(sa.delete(stale).where(stale.c.hour == hour))
            for table in (cohorts, durations):
                connection.execute(sa.delete(table).where(table.c.hour == hour))
            for insert in _INSERTS:
                connection.execute(insert, {"since": hour, "until": hour + HOUR})

    def _remember(self, event_id: int) -> None:
        with self._database.write() as connection:
            values = {"event_id": event_id, "folded_at": self._now()}
            connection.execute(sa.update(rollups).values(values))

    def _settled(self, connection: sa.Connection, since: int) -> int:
        """The last event before which no other can still turn up."""
        long_ago = sa.literal(self._now() - SETTLED_AFTER, UtcDateTime)
        newest = sa.select(sa.func.max(events.c.id)).where(events.c.id > since)
        return connection.scalar(newest.where(events.c.at <= long_ago)) or since


def _changed_hours(connection: sa.Connection, since: int, until: int) -> set[datetime]:
    told = (
        sa.select(generations.c.created_at)
        .join(events, events.c.generation_id == generations.c.id)
        .where(events.c.id > since, events.c.id <= until, events.c.name != HISTORY_PRUNED)
        .distinct()
    )
    created = connection.scalars(told)
    return {*map(hour_of, created), *connection.scalars(sa.select(stale.c.hour))}


def _hours(first: datetime | None, last: datetime | None) -> Iterable[datetime]:
    if first is None or last is None:
        return
    hour = hour_of(first)
    while hour <= last:
        yield hour
        hour += HOUR


def mark_stale(connection: sa.Connection, created_at: datetime) -> None:
    """Have the hour counted again in which a generation that is being deleted was created."""
    hour = hour_of(created_at)
    # Changed even where it is there: whoever is counting this hour right now has to do it again.
    known = connection.execute(sa.update(stale).where(stale.c.hour == hour).values(hour=hour))
    if known.rowcount == 0:
        connection.execute(sa.insert(stale), {"hour": hour})
