"""The write side of the database, as one thing to pass around."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from core.store.claims import Claims
from core.store.database import Database
from core.store.generations import Generations
from core.store.grants import Grants
from core.store.inbox import Inbox
from core.store.matching import sweep_unmatched
from core.store.processes import Processes
from core.store.rollup import Rollup
from core.store.shared_commit import SharedCommit


def utc_now() -> datetime:
    """The machine's clock, aware."""
    return datetime.now(UTC)


class Store:
    """Everything that writes. Each method is one short transaction.

    `now` is the only clock for due, lease and rate.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime] = utc_now,
        lease: timedelta = timedelta(seconds=60),
    ) -> None:
        self.database = database
        self.now = clock
        shared = SharedCommit(database)  # of all that comes with every callback and delivery
        self.generations = Generations(database, shared, clock)
        self.claims = Claims(database, shared, clock, lease)
        self.grants = Grants(database, clock)
        self.inbox = Inbox(database, shared, clock)
        self.processes = Processes(database, clock)
        self.rollup = Rollup(database, clock)

    def sweep_unmatched(self) -> int:
        """Match callbacks that just missed their generation; how many there were."""
        with self.database.write() as connection:
            return sweep_unmatched(connection, self.now())
