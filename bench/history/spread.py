"""A `map` over processes for work that is handed over faster than it is used up."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 32  # results that wait at most; the executor's own `map` has no such bound


def spread(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The results in the order of the items, made by as many processes as there are processors."""
    waiting: deque[Future[Result]] = deque()
    new_processes = multiprocessing.get_context("spawn")  # a fork would share open databases
    with ProcessPoolExecutor(os.cpu_count(), new_processes) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
