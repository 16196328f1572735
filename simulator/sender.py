"""Sends callbacks when due, again when they fail, and goes on where a dead process stopped."""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol

import httpx

from simulator.callbacks import Attempt, Post, next_try
from simulator.clock import Clock
from simulator.ledger import Ledger
from simulator.tasks import Task

TIMEOUT_SECONDS = 15.0  # docs.kie.ai/veo3-api/generate-veo-3-video-callbacks
_WORKERS = 16
_LONGEST_WAIT = 1.0

Job = Callable[[], None]


class Transport(Protocol):
    """Delivers one request; never raises for a receiver's fault."""

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int | None, str]:
        """The answer's status and "", or None and why there was none."""
        ...


class HttpTransport:
    """Real POSTs: 15 s, no redirects, no proxy."""

    def __init__(self) -> None:
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False)

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int | None, str]:
        """The answer's status and "", or None and the error's name."""
        try:
            return self._client.post(url, content=body, headers=headers).status_code, ""
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            return None, type(exc).__name__

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()


class Sender:
    """The callbacks of all tasks, in the order in which they fall due.

    `plan` says what a finished task is owed, `send` tries one post once, `run` runs a job: at once
    by default, which suits tests; a started sender runs them on threads of its own. `woken` is set
    when something new falls due.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        *,
        speed: float,
        plan: Callable[[Task], tuple[Post, ...]],
        send: Callable[[Task, Post], Attempt],
    ) -> None:
        self._ledger, self._clock, self._speed = ledger, clock, speed
        self._plan, self._send = plan, send
        self._due: list[tuple[float, str]] = []
        self._pushed: set[tuple[float, str]] = set()
        self._under_way: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self.woken = threading.Event()
        self._stopped = False
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.run: Callable[[Job], None] = lambda job: job()
        for task in ledger.tasks.values():
            self.look_at(task)

    def look_at(self, task: Task) -> None:
        """Make sure the task is looked at when it ends, or now if it has."""
        if task.finishes_at is not None:
            self._look_at(task.finishes_at, task.id)

    def wake(self) -> None:
        """The clock was moved: look again."""
        self.woken.set()

    def send_due(self) -> None:
        """Send all that is due by now."""
        while (task_id := self._next_due()) is not None:
            self._look(self._ledger.tasks[task_id])

    @property
    def next_due(self) -> float:
        """When something falls due next, on the simulated clock; never: infinity."""
        with self._lock:
            return self._due[0][0] if self._due else float("inf")

    def start(self) -> None:
        """Send what falls due from now on, on threads of its own."""
        self.run = self._jobs.put
        targets = [self._schedule, *[self._work] * _WORKERS]
        self._threads = [threading.Thread(target=target, daemon=True) for target in targets]
        for thread in self._threads:
            thread.start()

    def stop(self, patience: float = 1.0) -> None:
        """Start nothing more; posts under way get `patience` seconds in all."""
        self._stopped = True
        self.woken.set()
        for _ in range(_WORKERS):
            self._jobs.put(None)
        deadline = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _look_at(self, due: float, task_id: str) -> None:
        with self._lock:
            self._push(due, task_id)
        self.woken.set()

    def _push(self, due: float, task_id: str) -> None:
        if (due, task_id) not in self._pushed:  # one look considers all posts of a task
            self._pushed.add((due, task_id))
            heapq.heappush(self._due, (due, task_id))

    def _next_due(self) -> str | None:
        with self._lock:
            if self._stopped or not self._due or self._due[0][0] > self._clock.now():
                return None
            entry = heapq.heappop(self._due)
            self._pushed.remove(entry)
            return entry[1]

    def _look(self, task: Task) -> None:
        if not task.is_final(self._clock.now()):
            return  # looked at again by its new time
        with self._lock:
            if task.id not in self._ledger.posts:
                self._ledger.owe(task.id, self._plan(task))
        for post in self._ledger.posts[task.id]:
            self._consider(task, post)

    def _consider(self, task: Task, post: Post) -> None:
        due = next_try(post, self._ledger.tries(task.id, post.name), self._speed)
        key = task.id, post.name
        with self._lock:
            if due is None or key in self._under_way:
                return
            if due > self._clock.now():
                self._push(due, task.id)
                return
            self._under_way.add(key)
        self.run(lambda: self._try(task, post))

    def _try(self, task: Task, post: Post) -> None:
        self._ledger.attempt(task.id, post.name, self._send(task, post))
        with self._lock:
            self._under_way.discard((task.id, post.name))
        due = next_try(post, self._ledger.tries(task.id, post.name), self._speed)
        if due is not None:
            self._look_at(due, task.id)

    def _schedule(self) -> None:
        while not self._stopped:
            self.woken.clear()
            self.send_due()
            self.woken.wait(min(max(self.next_due - self._clock.now(), 0), _LONGEST_WAIT))

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not self._stopped:
                job()
