"""When to look next: pure arithmetic over what has been tried so far."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

#: A first look when a result is likely, in seconds (docs.kie.ai gives 10-60 s for images, seconds
#: for speech, one to five minutes for videos).
FIRST_LOOK = {"image": 20.0, "audio": 15.0, "video": 60.0, "text": 15.0}
FIRST_LOOK_OTHERWISE = 30.0
#: Gaps grow by this factor up to STEADY_GAP, which holds until a tenth of the age exceeds it.
GROWTH = 1.6
STEADY_GAP = 60.0

GRACE = timedelta(seconds=90)  # how long KIE may not know a task that it has just made
#: How long, and how often at least, KIE is asked about a task that only a callback has named before
#: that is dropped as unknown: it may be the only word of what was paid for.
CANDIDATE_PATIENCE = timedelta(minutes=20)
CANDIDATE_ASKS = 6
EMPTY_PATIENCE = timedelta(minutes=10)  # how long a success without files is asked about again
MEDIA_LIFETIME = timedelta(days=14)
LADDERS = 3  # fruitless ladders after which a file is lost ...
LADDERS_SPAN = timedelta(seconds=60)  # ... and the time that they take at least
CRASHES_SET_ASIDE = 3  # take-overs of dead leases from which on a generation is tried alone
LOOK_AGAIN_FIRST = timedelta(hours=6)
LOOK_AGAIN_UNTIL = timedelta(days=15)  # from creation: KIE keeps nothing for longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings that transitions go by, and the dice for jitter."""

    first_look_seconds: float | None = None  # None: by kind
    max_gap_seconds: float = 300.0
    give_up_after: timedelta = timedelta(hours=24)
    dice: Callable[[], float] = random.random  # uniform in [0, 1)

    def first_look(self, kind: str | None) -> timedelta:
        """How long after submission a result is likely."""
        by_kind = FIRST_LOOK.get(kind or "", FIRST_LOOK_OTHERWISE)
        return timedelta(seconds=self.first_look_seconds or by_kind)

    def look_gap(self, kind: str | None, attempts: int, age: timedelta) -> timedelta:
        """The gap after look number `attempts` at a task of this age."""
        first = self.first_look(kind).total_seconds()
        growing = min(first * GROWTH ** min(attempts - 1, 30), max(first, STEADY_GAP))
        gap = max(growing, age.total_seconds() / 10 if growing >= STEADY_GAP else 0)
        return timedelta(seconds=min(gap, self.max_gap_seconds))

    def retry_gap(self, attempts: int, *, start: float = 2.0) -> timedelta:
        """Full jitter over a range that doubles with each attempt, at least half a second."""
        top = min(start * 2 ** min(attempts - 1, 20), self.max_gap_seconds)
        return timedelta(seconds=max(0.5, self.dice() * top))

    def ladder_gap(self, failures: int) -> timedelta:
        """The gap after fruitless ladder number `failures`: short at first, as media may lag."""
        tripled = 5 * 3 ** min(failures - 1, LADDERS)
        return timedelta(seconds=tripled * (1 + 0.2 * self.dice()))

    def give_up_at(self, created_at: datetime) -> datetime:
        """When a generation without a final state is given up."""
        return created_at + self.give_up_after


def is_news(attempts: int) -> bool:
    """Whether one more failed attempt belongs on the timeline: the 1st, 2nd, 4th, 8th ..."""
    return attempts & (attempts - 1) == 0


def announced_gap(attempts: int, max_gap_seconds: float) -> timedelta:
    """1, 2, 4 ... s: a callback has said more than recordInfo says yet."""
    return timedelta(seconds=min(2.0 ** min(attempts - 1, 20), max_gap_seconds))


def look_again_at(created_at: datetime, gave_up_at: datetime, now: datetime) -> datetime | None:
    """The next look after giving up: 6, 12, 24 ... h after it, until 15 days from creation."""
    gap = LOOK_AGAIN_FIRST
    while gave_up_at + gap <= now:
        gap *= 2
    at = gave_up_at + gap
    return at if at <= created_at + LOOK_AGAIN_UNTIL else None
