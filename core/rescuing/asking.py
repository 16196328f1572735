"""Asking KIE about many tasks from many threads, no faster than KIE likes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from core.errors import AppError
from core.fetching import Provider
from core.kie.report import AskFailed, TaskRecord

FAMILY = "market"  # the others are not built
TRIES = 6
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
#: Worth asking again soon.
_PASSING = frozenset({"kie.rate_limited", "kie.unavailable"})
#: The same for every task.
_FOR_ALL = frozenset({"kie.unauthorized", "kie.no_credits", "kie.key_capped"})
_STOPPED = AskFailed("kie.unavailable", "the rescue was stopped first")


class KieClosedError(AppError):
    """KIE answers nothing at all with this key."""


class Asker:
    """Asks, and once KIE wants to be left alone, all threads wait.

    `pause` waits for so many seconds; what it gives is true where there is to be no more asking.
    """

    def __init__(
        self,
        kie: Provider,
        *,
        pause: Callable[[float], object] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kie = kie
        self._pause = pause
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._not_before = 0.0

    def record(self, task_id: str) -> TaskRecord | AskFailed:
        """What KIE has about a task. Raises KieClosedError where it is of no use to go on."""
        wait = FIRST_WAIT_SECONDS
        for _ in range(TRIES - 1):
            answer = self._ask(task_id)
            if not isinstance(answer, AskFailed) or answer.code not in _PASSING:
                return answer
            self._leave_alone(min(answer.retry_after or wait, LONGEST_WAIT_SECONDS))
            wait *= 2
        return self._ask(task_id)

    def _ask(self, task_id: str) -> TaskRecord | AskFailed:
        while (left := self._not_before - self._monotonic()) > 0:
            if self._pause(left):
                return _STOPPED
        answer = self._kie.record(FAMILY, task_id)
        if isinstance(answer, AskFailed) and answer.code in _FOR_ALL:
            raise KieClosedError(f"KIE answers nothing ({answer.code}): {answer.message}")
        return answer

    def _leave_alone(self, seconds: float) -> None:
        with self._lock:
            self._not_before = max(self._not_before, self._monotonic() + seconds)
