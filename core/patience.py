"""How long somebody waits for work that goes on elsewhere."""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from core.generation.model import Generation

LOOK_EVERY_SECONDS = 0.2


class Patience:
    """So many seconds from now on; `ended`, once it is done, ends them at once."""

    def __init__(self, seconds: float, ended: Future[None]) -> None:
        self._until = time.monotonic() + seconds
        self._ended = ended

    def result(self, future: Future[Generation | None]) -> Generation | None:
        """What the future gives in time; None where it gives nothing."""
        either: list[Future[Any]] = [future, self._ended]
        wait(either, timeout=self._left(), return_when=FIRST_COMPLETED)
        return future.result() if future.done() and not future.cancelled() else None

    def pause(self) -> bool:
        """Wait a little before looking again; False: the time is up."""
        wait([self._ended], timeout=min(LOOK_EVERY_SECONDS, self._left()))
        return self._left() > 0

    def _left(self) -> float:
        return 0 if self._ended.done() else max(0, self._until - time.monotonic())
