"""When things happen in the invented history. Times are Unix seconds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

HOUR = 3600.0
DAY = 24 * HOUR
BUSIEST = 15  # o'clock, UTC


class Incident(NamedTuple):
    """Some time before the history's end in which something did not work."""

    begins: float  # hours before the end
    lasts: float  # hours

    def ends(self, until: float) -> float:
        """When all was well again."""
        return until - (self.begins - self.lasts) * HOUR

    def covers(self, at: float, until: float) -> bool:
        """Whether it was on at that time."""
        return 0 <= self.ends(until) - at <= self.lasts * HOUR


#: In which no callback comes; the last one is still on at the end.
SILENCES = (Incident(begins=150, lasts=7), Incident(begins=2.1, lasts=2.1))
NO_CREDITS = Incident(begins=19 * 24, lasts=3)
STORAGE_AWAY = Incident(begins=60, lasts=1.5)


class Stretch(NamedTuple):
    """An hour at most, and how many generations are created in it."""

    start: float
    end: float
    generations: int

    def times(self, random: Random) -> list[float]:
        """When they are created, in their order."""
        return sorted(random.uniform(self.start, self.end) for _ in range(self.generations))


def stretches(count: int, start: float, until: float) -> Iterator[Stretch]:
    """So many generations: more by day than by night, fewer at weekends, slowly growing."""
    hours = [start + number * HOUR for number in range(math.ceil((until - start) / HOUR))]
    weights = [_busy(at, (at - start) / (until - start)) for at in hours]
    total, passed, made = sum(weights), 0.0, 0
    for at, weight in zip(hours, weights, strict=True):
        passed += weight
        due = round(count * passed / total)
        if due > made:
            yield Stretch(at, min(at + HOUR, until), due - made)
        made = due


def _busy(at: float, progress: float) -> float:
    moment = datetime.fromtimestamp(at, UTC)
    by_day = 1 + 0.75 * math.cos((moment.hour - BUSIEST) * math.tau / 24)
    weekend = 0.65 if moment.weekday() >= 5 else 1.0
    return by_day * weekend * (0.6 + 0.4 * progress)
