"""An answer that many ask for and that costs something to find."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """What `look` found, for so many seconds; one caller at a time looks again.

    Nobody waits for another one's look, so strangers who ask take one thread at most. Meanwhile
    they get the last answer, unless it is older than `at_most` seconds.
    """

    def __init__(
        self,
        look: Callable[[], T],
        *,
        seconds: float,
        at_most: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._seconds = seconds
        self._at_most = at_most
        self._monotonic = monotonic
        self._looking = Lock()
        self._found: tuple[T, float] | None = None  # and when

    def get(self) -> T | None:
        """The newest answer; None while one is being found and there is no other."""
        if self._newest(self._seconds) is None and self._looking.acquire(blocking=False):
            try:
                self._found = (self._look(), self._monotonic())
            finally:
                self._looking.release()
        return self._newest(self._at_most)

    def _newest(self, seconds: float) -> T | None:
        if self._found is None:
            return None
        answer, found_at = self._found
        return answer if self._monotonic() < found_at + seconds else None
