"""The write side of the database, as one thing to pass around."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from core.store.claims import Claims
from core.store.database import Database
from core.store.generations import Generations
from core.store.grants import Grants
from core.store.inbox import Inbox
from core.store.matching import sweep_unmatched
from core.store.processes import Processes
from core.store.rollup import Rollup


class Store:
    """Everything that writes. Each method is one short transaction.

    `now` is the only clock for due and lease: the database's, unless one is given. The create limit
    goes by `steady`, where the database has a clock that nobody sets.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime] | None = None,
        steady: Callable[[], datetime] | None = None,
        lease: timedelta = timedelta(seconds=60),
    ) -> None:
        self.database = database
        steady = steady or clock or database.steady
        self.now = clock = clock or database.now
        self.generations = Generations(database, clock)
        self.claims = Claims(database, clock, lease)
        self.grants = Grants(database, clock, steady)
        self.inbox = Inbox(database, clock)
        self.processes = Processes(database, clock)
        self.rollup = Rollup(database, clock)

    def sweep_unmatched(self) -> int:
        """Match callbacks that just missed their generation; how many there were."""
        return sweep_unmatched(self.database, self.now())
