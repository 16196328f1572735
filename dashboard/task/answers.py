"""What KIE says of tasks just now. It is asked in the background: no page waits for its answer."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.kie.report import AskAnswer

FRESH = timedelta(seconds=30)
THREADS = 4
KEPT = 256  # tasks


@dataclass(frozen=True, slots=True)
class Heard:
    """KIE's newest answer about a task, if it has given one."""

    answer: AskAnswer | None = None
    at: datetime | None = None  # when it was asked
    is_asking: bool = False  # a newer one is under way


@dataclass(frozen=True, slots=True)
class _Asked:
    at: datetime
    future: Future[AskAnswer]
    before: Heard

    @property
    def heard(self) -> Heard:
        if self.future.done():
            return Heard(self.future.result(), self.at)
        return replace(self.before, is_asking=True)


class Answers:
    """Asks KIE at most once in 30 s about each task, for all sessions together."""

    def __init__(self, ask: Callable[[str, str], AskAnswer], now: Callable[[], datetime]) -> None:
        self._ask = ask
        self._now = now
        self._pool = ThreadPoolExecutor(THREADS, "ask-kie")
        self._asked: OrderedDict[str, _Asked] = OrderedDict()  # oldest first
        self._lock = threading.Lock()

    def about(self, family: str, task_id: str) -> Heard:
        """The newest answer, at once; asks anew where it has grown old."""
        with self._lock:
            asked, now = self._asked.get(task_id), self._now()
            if asked is None or (asked.future.done() and now - asked.at >= FRESH):
                future = self._pool.submit(self._ask, family, task_id)
                asked = _Asked(now, future, asked.heard if asked else Heard())
                self._keep(task_id, asked)
            return asked.heard

    def _keep(self, task_id: str, asked: _Asked) -> None:
        self._asked[task_id] = asked
        self._asked.move_to_end(task_id)
        if len(self._asked) > KEPT:
            self._asked.popitem(last=False)

    def close(self) -> None:
        """Wait for the answers under way."""
        self._pool.shutdown(cancel_futures=True)
