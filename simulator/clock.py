"""The simulator's clock: the wall clock, moved forward by what a control call added."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Seconds since the epoch, as the pretend KIE sees them."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self.wall = wall
        self.offset = 0.0

    def now(self) -> float:
        """The simulated time."""
        return self.wall() + self.offset
