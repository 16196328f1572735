"""Requests that wait for work going on elsewhere: how many at once, and for how long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from typing import Any

from core.generation.model import Generation

LOOK_EVERY_SECONDS = 0.2


class Turn:
    """The time that one request may spend waiting."""

    def __init__(self, seconds: float, ended: Future[None], *, has_place: bool) -> None:
        self.has_place = has_place
        self._until = time.monotonic() + (seconds if has_place else 0)
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


class Waiting:
    """Places to wait in, fewer than request threads, so that callbacks are always answered."""

    def __init__(
        self, places: int, *, create: float = 20, sync: float = 25, delete: float = 10
    ) -> None:
        self.create_seconds = create
        self.sync_seconds = sync
        self.delete_seconds = delete
        self._places = threading.BoundedSemaphore(places)
        self._ended: Future[None] = Future()

    @contextmanager
    def turn(self, seconds: float) -> Iterator[Turn]:
        """A turn of so many seconds; of none where every place is taken."""
        has_place = self._places.acquire(blocking=False)
        try:
            yield Turn(seconds, self._ended, has_place=has_place)
        finally:
            if has_place:
                self._places.release()

    def end(self) -> None:
        """Nobody waits any longer: the process is to stop. Safe to call in a signal handler."""
        if not self._ended.done():
            self._ended.set_result(None)
