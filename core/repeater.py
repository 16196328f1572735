"""A thread that does one small thing again and again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Repeater:
    """Calls `action` every `seconds` until stopped; an error is logged and the next call comes.

    `at_once`: the first time as it starts.
    """

    def __init__(
        self, name: str, seconds: float, action: Callable[[], None], *, at_once: bool = False
    ) -> None:
        self._seconds = seconds
        self._first_seconds = 0.0 if at_once else seconds
        self._action = action
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; waits for a call under way."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        wait = self._first_seconds
        while not self._stopped.wait(wait):
            wait = self._seconds
            try:
                self._action()
            except Exception:
                logger.exception("%s failed", self._thread.name, extra={"event": "repeater.bug"})
