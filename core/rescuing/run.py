"""All tasks of a rescue: many at once, then those that were not saved yet until patience ends."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from core.generation.schedule import GRACE
from core.rescuing.fate import Fate, Rescued

AT_ONCE = 1000
ROUND_SECONDS = 1.0

Counts = Counter[Fate]
T = TypeVar("T")


class Run:
    """Looks at every task once, and again at what may still change.

    `counted` hears of the counts after each task. `pause` waits for so many seconds.
    """

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        *,
        counted: Callable[[Counts], None] = lambda counts: None,
        pause: Callable[[float], object] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._counted = counted
        self._pause = pause
        self._monotonic = monotonic
        self._found: dict[str, Rescued] = {}
        self._counts: Counts = Counter()

    def once(self, task_ids: Sequence[str], look: Callable[[str], Rescued]) -> None:
        """Look at each."""
        for start in range(0, len(task_ids), AT_ONCE):
            self._keep(self._in_parallel(look, task_ids[start : start + AT_ONCE]))

    def until_settled(self, seconds: float, look_again: Callable[[Rescued], Rescued]) -> None:
        """Look again at what may change by itself, for so long at most.

        KIE may not know a task that was made just now, so what it does not know is asked about
        once more when that time is over.
        """
        began = self._monotonic()
        grace = GRACE.total_seconds()
        unknown = [one for one in self._found.values() if one.fate is Fate.UNKNOWN]
        unknown = unknown if grace < seconds else []
        while self._monotonic() - began < seconds:
            waiting = [one for one in self._found.values() if _may_change(one)]
            if unknown and self._monotonic() - began >= grace:
                waiting, unknown = [*waiting, *unknown], []
            if not waiting and not unknown:
                return
            for start in range(0, len(waiting), AT_ONCE):
                self._keep(self._in_parallel(look_again, waiting[start : start + AT_ONCE]))
            self._pause(ROUND_SECONDS)

    def results(self, task_ids: Iterable[str]) -> list[Rescued]:
        """What became of each of these that was looked at, in their order."""
        return [self._found[task_id] for task_id in task_ids if task_id in self._found]

    def _in_parallel(self, look: Callable[[T], Rescued], of: Iterable[T]) -> Iterator[Rescued]:
        """Each as it is done; what fails is raised after all others."""
        failed: BaseException | None = None
        for future in as_completed([self._pool.submit(look, one) for one in of]):
            if (error := future.exception()) is None:
                yield future.result()
            failed = failed or error
        if failed is not None:
            raise failed

    def _keep(self, results: Iterable[Rescued]) -> None:
        for one in results:
            before = self._found.get(one.task_id)
            if before is not None:
                self._counts[before.fate] -= 1
            self._found[one.task_id] = one
            self._counts[one.fate] += 1
            self._counted(self._counts)


def _may_change(rescued: Rescued) -> bool:
    return rescued.fate is Fate.WAITING and not rescued.has_ended
