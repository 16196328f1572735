"""Heartbeats: which processes are alive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from core.store.database import Database
from core.store.tables import processes


class Processes:
    """Each process says that it lives."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def started(self, name: str) -> None:
        """A process of this name has just started."""
        self._database.run(lambda connection: self._started(connection, name))

    def _started(self, connection: sa.Connection, name: str) -> None:
        now = self._now()
        times = {"started_at": now, "beat_at": now}
        known = sa.update(processes).where(processes.c.name == name).values(times)
        if connection.execute(known).rowcount == 0:
            connection.execute(sa.insert(processes), {"name": name, **times})

    def beat(self, name: str) -> None:
        """A process of this name is alive now."""
        beat = sa.update(processes).where(processes.c.name == name)
        self._database.run(lambda connection: connection.execute(beat.values(beat_at=self._now())))
