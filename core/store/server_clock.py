"""The database server's clock, read on its machine from time to time and carried on here."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

READ_EVERY_SECONDS = 10.0
#: An answer that took longer says too little about the moment at which it was true.
PROMPT_SECONDS = 0.5
WALL_MAY_DRIFT_SECONDS = 1.0


def uptime() -> float:
    """Seconds on a clock that nobody sets, and that goes on while a machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


class _Reading(NamedTuple):
    time: datetime
    at: float  # uptime
    wall: float  # what the machine's own clock was ahead of its uptime


class ServerClock:
    """Tells the server's time without asking: machines' own clocks may differ by minutes."""

    def __init__(
        self,
        uptime: Callable[[], float] = uptime,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._uptime = uptime
        self._wall = wall
        self._reading: _Reading | None = None

    def now(self) -> datetime | None:
        """The server's time; None before the first reading."""
        reading = self._reading
        return reading and reading.time + timedelta(seconds=self._uptime() - reading.at)

    @property
    def is_stale(self) -> bool:
        """Whether it is time to read it again."""
        reading, uptime = self._reading, self._uptime()
        if reading is None or uptime - reading.at > READ_EVERY_SECONDS:
            return True
        # Set by somebody, or put right after the machine was paused, of which no uptime tells.
        return abs(self._wall() - uptime - reading.wall) > WALL_MAY_DRIFT_SECONDS

    def set(self, ask: Callable[[], datetime]) -> None:
        """Read the server's clock; an answer that was slow only counts where there is no other."""
        asked_at = self._uptime()
        told = ask()
        took = self._uptime() - asked_at
        if took <= PROMPT_SECONDS or self._reading is None:
            at = asked_at + took / 2
            self._reading = _Reading(told.astimezone(UTC), at, self._wall() - self._uptime())
