"""The checks that only look, kept for all sessions: what was seen last is shown at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

from core.checks.address import plain_client
from core.checks.model import Check
from core.checks.run import run_checks
from core.checks.surroundings import surroundings_of
from core.wiring import Core

KEPT = timedelta(seconds=30)


class Checkup:
    """Runs the checks for whoever asks first; the others see what is known so far."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self.at: datetime | None = None  # when all had been done
        self._running = threading.Lock()

    def is_due(self, now: datetime) -> bool:
        """Whether what is known is too old."""
        return self.at is None or now - self.at >= KEPT

    def run(self, core: Core) -> Iterator[Check]:
        """Each check as soon as it is done; none where they run already."""
        if not self._running.acquire(blocking=False):
            return
        try:
            with plain_client() as http:
                for check in run_checks(surroundings_of(core, http), changing=False):
                    self.checks[check.name] = check
                    yield check
            self.at = core.store.now()
        finally:
            self._running.release()
