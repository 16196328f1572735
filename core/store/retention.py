"""How long what happened is remembered. Generations and their files are never deleted.

Of a generation that has ended, with all its files stored, and that has not changed for `kept`, the
timeline goes; one line tells how long it was, and ids that stand nowhere else stay. Its accepted
callbacks lose headers and body: what is left tells that KIE called, and when, and knows a repeat by
the hash of its body. Duplicates hold no more than that, and go. So do, after 15 days, callbacks
that were refused or that belong to nothing which is here.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from core.generation.schedule import LOOK_AGAIN_UNTIL
from core.store.database import Database
from core.store.outdated import ANSWERED, BATCH, COUNTED, ENDED, START, STRANGE, Place, Query
from core.store.tables import HISTORY_PRUNED, callbacks, events, generations, refusals
from core.store.types import UtcDateTime

#: KIE keeps nothing of a task for longer, so nothing can turn out to be about it any more.
STRANGE_KEPT = LOOK_AGAIN_UNTIL
#: How often callbacks were refused is shown for the last 30 days.
COUNTS_KEPT = timedelta(days=90)
#: Other processes that wait to write on SQLite get their turn.
PAUSE_SECONDS = 0.05
#: The one holds ids that stand nowhere else; the other is what is left of the rest.
KEPT_EVENTS = ("task_id.conflict", HISTORY_PRUNED)

_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_TIMELINES = sa.and_(events.c.generation_id.in_(_IDS), events.c.name.not_in(KEPT_EVENTS))
COUNT_EVENTS = (
    sa.select(events.c.generation_id, sa.func.count().label("events"))
    .where(_TIMELINES)
    .group_by(events.c.generation_id)
)
DELETE_EVENTS = sa.delete(events).where(_TIMELINES)
INSERT_EVENT = sa.insert(events)
MARK_CHECKED = (
    sa.update(generations)
    .where(generations.c.id.in_(_IDS))
    .values(history_checked_at=sa.bindparam("now", type_=UtcDateTime))
)
EMPTY_CALLBACKS = sa.update(callbacks).where(callbacks.c.id.in_(_IDS)).values(headers={}, body="")
DELETE_CALLBACKS = sa.delete(callbacks).where(callbacks.c.id.in_(_IDS))
COUNT_COUNTS = sa.select(sa.func.count()).select_from(refusals).where(COUNTED)
DELETE_COUNTS = sa.delete(refusals).where(COUNTED)

Rows = Sequence[sa.Row[*tuple[Any, ...]]]
Forget = Callable[[sa.Connection, Rows], None]


@dataclass(slots=True)
class Pruned:
    """What went, or would go."""

    generations: int = 0  # whose timelines went
    events: int = 0
    emptied: int = 0  # callbacks without headers and body from now on
    callbacks: int = 0  # deleted
    counts: int = 0  # of refused callbacks, by hour and reason

    def in_words(self) -> str:
        """All of it, in half a sentence."""
        return (
            f"{self.events} events of {self.generations} generations, headers and bodies of"
            f" {self.emptied} callbacks, {self.callbacks} whole callbacks, {self.counts} counts"
        )


class Retention:
    """Deletes what is too old to be of use. Several at once do no harm."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        kept: timedelta,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._now = now
        self._kept = kept
        self._pause = pause

    def prune(
        self,
        *,
        batches: int | None = None,
        dry_run: bool = False,
        progress: Callable[[Pruned], None] = lambda so_far: None,
    ) -> Pruned:
        """Delete what is old, in short transactions; what there was of it.

        `batches`: of each sort at most, the rest is left for the next time. `dry_run`: nothing is
        changed. `progress` hears after each transaction. May be interrupted.
        """
        run = _Run(self._database, self._moments(), dry_run)
        for query, forget in (
            (STRANGE, run.delete_callbacks),
            (ENDED, run.delete_timelines),
            (ANSWERED, run.empty_callbacks),
        ):
            place = START
            for number in itertools.count(1):
                rows = run.forget_some(query, forget, place)
                progress(run.pruned)
                if len(rows) < BATCH or number == batches:
                    break
                place = Place(rows[-1].at, rows[-1].id)
                if not dry_run:
                    self._pause(PAUSE_SECONDS)
        run.delete_counts()
        return run.pruned

    def _moments(self) -> dict[str, datetime]:
        now = self._now()
        return {
            "now": now,
            "before": now - self._kept,
            "strange_before": now - STRANGE_KEPT,
            "counts_before": now - COUNTS_KEPT,
        }


@dataclass(frozen=True, slots=True)
class _Run:
    """One time of pruning, and what has gone so far. Whatever is dry only counts."""

    database: Database
    moments: Mapping[str, datetime]
    is_dry: bool
    pruned: Pruned = field(default_factory=Pruned)

    def forget_some(self, query: Query, forget: Forget, after: Place) -> Rows:
        """Forget the next rows of a query, and give them."""
        if not self.is_dry:  # what somebody else is just pruning is locked
            query = query.with_for_update(skip_locked=True)
        with self._transaction() as connection:
            place = {"after_at": after.at, "after_id": after.id}
            rows = connection.execute(query, {**self.moments, **place}).all()
            forget(connection, rows)
            return rows

    def delete_timelines(self, connection: sa.Connection, rows: Rows) -> None:
        """Delete the events of generations, unless a file of theirs was never stored."""
        gone = [row.id for row in rows if not row.lacks_file]
        counted = connection.execute(COUNT_EVENTS, {"ids": gone}).all() if gone else []
        self.pruned.generations += len(counted)
        self.pruned.events += sum(row.events for row in counted)
        if self.is_dry or not rows:
            return
        if counted:
            # First: SQLite gives the id of a deleted last row again, and the roll-up counts on ids
            # that only grow.
            connection.execute(INSERT_EVENT, [self._event(*row) for row in counted])
            connection.execute(DELETE_EVENTS, {"ids": [row.generation_id for row in counted]})
        ids = [row.id for row in rows]
        connection.execute(MARK_CHECKED, {"ids": ids, "now": self.moments["now"]})

    def _event(self, generation_id: str, number: int) -> dict[str, Any]:
        return {
            "generation_id": generation_id,
            "at": self.moments["now"],
            "name": HISTORY_PRUNED,
            "detail": {"events": number},
        }

    def empty_callbacks(self, connection: sa.Connection, rows: Rows) -> None:
        """Take headers and body out of callbacks whose row stays, and delete the others."""
        stay = [row.id for row in rows if row.stays]
        self.pruned.emptied += len(stay)
        if stay and not self.is_dry:
            connection.execute(EMPTY_CALLBACKS, {"ids": stay})
        self.delete_callbacks(connection, [row for row in rows if not row.stays])

    def delete_callbacks(self, connection: sa.Connection, rows: Rows) -> None:
        """Delete callbacks."""
        self.pruned.callbacks += len(rows)
        if rows and not self.is_dry:
            connection.execute(DELETE_CALLBACKS, {"ids": [row.id for row in rows]})

    def delete_counts(self) -> None:
        """Delete counts of long ago."""
        with self._transaction() as connection:
            self.pruned.counts = connection.scalar(COUNT_COUNTS, self.moments) or 0
            if self.pruned.counts and not self.is_dry:
                connection.execute(DELETE_COUNTS, self.moments)

    def _transaction(self) -> AbstractContextManager[sa.Connection]:
        return self.database.read() if self.is_dry else self.database.write()
