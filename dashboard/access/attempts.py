"""How often a wrong password may be tried."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class Attempts:
    """At most `limit` wrong tries in `window_s`, by all sessions that share it."""

    def __init__(self, *, limit: int, window_s: float, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._window_s = window_s
        self._clock = clock
        self._tries: deque[float] = deque(maxlen=limit)
        self._lock = threading.Lock()

    def begin(self) -> float:
        """0: try now, and it counts as wrong until `was_right`. Else how long to wait first."""
        with self._lock:
            now = self._clock()
            full = len(self._tries) == self._limit
            wait_s = self._tries[0] + self._window_s - now if full else 0.0
            if wait_s > 0:
                return wait_s
            self._tries.append(now)
            return 0.0

    def was_right(self) -> None:
        """The latest try does not count."""
        with self._lock:
            self._tries.pop()
