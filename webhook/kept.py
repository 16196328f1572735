"""An answer that many ask for and that costs something to find."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """What `look` found, for so many seconds; one caller at a time looks again.

    Nobody waits for another one's look, so strangers who ask take one thread at most.
    """

    def __init__(
        self,
        look: Callable[[], T],
        *,
        seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._seconds = seconds
        self._monotonic = monotonic
        self._looking = Lock()
        self._answer: T | None = None
        self._until = 0.0

    def get(self) -> T | None:
        """The newest answer; None while the very first is being found."""
        if self._monotonic() >= self._until and self._looking.acquire(blocking=False):
            try:
                self._answer = self._look()
                self._until = self._monotonic() + self._seconds
            finally:
                self._looking.release()
        return self._answer
