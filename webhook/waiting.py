"""Requests that wait for work going on elsewhere: how many at once, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from core.patience import Patience


class Turn(Patience):
    """The time that one request may spend waiting; none without a place to wait in."""

    def __init__(self, seconds: float, ended: Future[None], *, has_place: bool) -> None:
        super().__init__(seconds if has_place else 0, ended)
        self.has_place = has_place


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
