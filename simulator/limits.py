"""KIE's limit on new generations: 20 in 10 seconds, and over it a call is refused, not queued."""

from __future__ import annotations

import threading
from collections import deque

CREATES, SECONDS = 20, 10.0


class CreateWindow:
    """The creates of the last seconds. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._admitted: deque[float] = deque(maxlen=CREATES)

    def admit(self, now: float) -> bool:
        """Whether one more create fits; it is then counted."""
        with self._lock:
            full = len(self._admitted) == CREATES and now - self._admitted[0] < SECONDS
            if not full:
                self._admitted.append(now)
            return not full
