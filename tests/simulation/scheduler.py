"""Fibers that take turns in an order drawn from a seed, on a clock that jumps to what comes next.

A fiber is a greenlet: code that knows nothing of it runs until it calls `switch` or `sleep`.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from typing import Any

from greenlet import getcurrent, greenlet

Work = Callable[[], Any]


class Crash(BaseException):
    """The process ends here: nothing that it still does reaches anybody."""


class Fiber(greenlet):
    """One strand of work of an owner. `periodic`: it does not count as something to wait for."""

    def __init__(self, work: Work, owner: Owner, parent: greenlet, *, periodic: bool) -> None:
        super().__init__(self._run, parent)
        self.owner = owner
        self.periodic = periodic
        self.turn = 0  # which of its entries among the sleeping counts
        self._work = work
        self._waiting: list[Fiber] = []

    def wait_for(self, other: Fiber) -> None:
        """Have the other one wake this one when it ends."""
        other._waiting.append(self)

    def _run(self) -> None:
        try:
            self._work()
        except Crash:
            pass
        finally:
            self.owner.fibers.pop(self, None)
            for fiber in self._waiting:
                self.owner.scheduler.wake(fiber)


class Owner:
    """Whoever has fibers, and loses all of them at once when it dies."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.fibers: dict[Fiber, None] = {}  # in the order in which they were made
        self.is_alive = True
        self.stopped_until = 0.0  # as by SIGSTOP

    def killed(self) -> None:
        """Called as it is killed, before what ran in it lets go of anything."""

    def died(self) -> None:
        """Called once everything that ran in it has ended."""


class Scheduler:
    """The only clock, and the only one to say who runs."""

    def __init__(self, dice: random.Random, time: float) -> None:
        self.time = time
        self.dice = dice
        self.switches = 0
        self._hub = getcurrent()
        self._ready: list[Fiber] = []
        self._asleep: list[tuple[float, int, Fiber, int]] = []
        self._numbers = itertools.count()
        self._dying: list[Owner] = []

    def spawn(self, owner: Owner, work: Work, *, periodic: bool = False) -> Fiber:
        """A new fiber, which begins when its turn comes."""
        fiber = Fiber(work, owner, self._hub, periodic=periodic)
        owner.fibers[fiber] = None
        self._ready.append(fiber)
        return fiber

    def switch(self, seconds: float) -> None:
        """Let this much time pass, and whoever is ready run before or after us."""
        self.switches += 1
        self.time += seconds
        if self._ready or self._dying or (self._asleep and self._asleep[0][0] <= self.time):
            self._ready.append(_this())
            self._hub.switch()

    def sleep(self, seconds: float) -> None:
        """Come back after that time."""
        self._put_to_sleep(_this(), self.time + max(0.0, seconds))
        self._hub.switch()

    def join(self, fiber: Fiber, seconds: float) -> bool:
        """Wait for a fiber to end; False where it takes longer."""
        if not fiber.dead:
            _this().wait_for(fiber)
            self.sleep(seconds)
        return bool(fiber.dead)

    def wake(self, fiber: Fiber) -> None:
        """End a fiber's sleep now."""
        if not fiber.dead and fiber.turn % 2:
            fiber.turn += 1
            self._ready.append(fiber)

    def kill(self, owner: Owner) -> None:
        """End an owner: its fibers run no more, but to let go of what they hold in memory."""
        if owner.is_alive:
            owner.is_alive = False
            owner.killed()
            self._dying.append(owner)

    def run(self, until: float) -> None:
        """Let fibers run until that time, or until none is left. To be called by no fiber."""
        while True:
            while self._dying:
                self._bury(self._dying.pop())
            self._wake_due()
            if self._ready:
                self._take_turn(self.dice.randrange(len(self._ready)))
            elif self._asleep and self._asleep[0][0] <= until:
                self.time = self._asleep[0][0]
            else:
                self.time = max(self.time, until)
                return

    @property
    def current(self) -> Fiber:
        """The fiber that runs."""
        return _this()

    def next_event(self) -> float:
        """When a fiber that is not periodic comes back, as far as known now."""
        if any(not fiber.periodic for fiber in self._ready):
            return self.time
        times = (at for at, _, fiber, turn in self._asleep if _counts(fiber, turn))
        return min(times, default=float("inf"))

    def _put_to_sleep(self, fiber: Fiber, until: float) -> None:
        fiber.turn += 1  # odd: asleep
        heapq.heappush(self._asleep, (until, next(self._numbers), fiber, fiber.turn))

    def _wake_due(self) -> None:
        while self._asleep and self._asleep[0][0] <= self.time:
            _, _, fiber, turn = heapq.heappop(self._asleep)
            if fiber.turn == turn:
                self.wake(fiber)

    def _take_turn(self, index: int) -> None:
        ready = self._ready
        ready[index], ready[-1] = ready[-1], ready[index]
        fiber = ready.pop()
        if fiber.dead or not fiber.owner.is_alive:
            return
        if fiber.owner.stopped_until > self.time:
            self._put_to_sleep(fiber, fiber.owner.stopped_until)
            return
        fiber.switch()

    def _bury(self, owner: Owner) -> None:
        for fiber in list(owner.fibers):
            if fiber:  # it has begun
                fiber.throw(Crash)
        owner.fibers.clear()
        owner.died()


def _this() -> Fiber:
    current = getcurrent()
    assert isinstance(current, Fiber), "only a fiber can wait"
    return current


def _counts(fiber: Fiber, turn: int) -> bool:
    return fiber.turn == turn and not fiber.periodic and fiber.owner.is_alive and not fiber.dead
