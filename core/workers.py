"""The threads that work off what is due, and stop cleanly."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from core.delivery import Delivery
from core.errors import StoreUnavailableError
from core.generation.model import Channel, Generation
from core.ids import new_token
from core.leases import Leases
from core.store.claims import Claims, Lane

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
#: Makes an executor of so many threads that bear this name.
Executors = Callable[[int, str], Executor]

LOOK_AGAIN_SECONDS = 0.1  # after a look that found nothing and during which a nudge came
CANCEL_SECONDS = 3.0  # a cancelled download notices with its next chunk


class Workers:
    """A bounded pool for each lane. Idle threads cost nothing; busy ones claim what comes next.

    `announced_only`: leave to others what no callback has spoken of (and what was set aside).
    `executor` gives each lane its threads; `stopping` is what they wait for between two looks.
    """

    def __init__(
        self,
        delivery: Delivery,
        claims: Claims,
        leases: Leases,
        *,
        threads: int,
        channel: Channel,
        announced_only: bool = False,
        executor: Executors = ThreadPoolExecutor,
        stopping: threading.Event | None = None,
    ) -> None:
        self._delivery = delivery
        self._claims = claims
        self._leases = leases
        self._channel = channel
        self._announced_only = announced_only
        widths = {Lane.SUBMIT: max(1, threads // 2), Lane.DELIVER: threads}
        self._lock = threading.Lock()
        self._looking: set[Lane] = set()  # somebody is about to look for what is due here
        self._nudged: set[Lane] = set()  # and must look again afterwards
        self._lanes = {
            lane: _LanePool(executor(width, lane.value), width) for lane, width in widths.items()
        }
        self._stopping = stopping or threading.Event()
        self._alone = False  # something set aside is due: claim nothing else
        self._trying_alone = False

    def nudge(self, lane: Lane) -> None:
        """Something may be due: start a thread that claims and works until nothing is.

        However many nudges come, one thread at a time looks: a burst of callbacks must not become
        a burst of claims.
        """
        with self._lock:
            if lane in self._looking:
                self._nudged.add(lane)
                return
            self._looking.add(lane)
        if not self._stopping.is_set():
            self._lanes[lane].start(lambda: self._work_one(lane))

    def tick(self) -> None:
        """Look for what is due in every lane, and for what was set aside. Returns at once."""
        if not self._announced_only and self._tries_alone():
            return
        for lane in Lane:
            self.nudge(lane)

    def advance(
        self, generation_id: str, channel: Channel, lane: Lane
    ) -> Future[Generation | None]:
        """Carry on this generation in its lane's pool; stopping cancels the future."""
        return self._lanes[lane].submit(lambda: self._delivery.advance(generation_id, channel))

    def stop(self, patience: float) -> bool:
        """Claim nothing more, wait, cancel what is still under way, and hand everything back.

        False: a thread hangs in a call that cannot be cancelled (KIE may take two minutes to accept
        a task). Its lease is handed back all the same; end the process without waiting for it.
        """
        self._stopping.set()
        pools = self._lanes.values()
        for pool in pools:
            pool.refuse()
        deadline = time.monotonic() + patience
        if all(pool.wait(deadline - time.monotonic()) for pool in pools):
            return True
        self._leases.end_all()
        deadline = time.monotonic() + CANCEL_SECONDS
        if all(pool.wait(deadline - time.monotonic()) for pool in pools):
            return True
        with suppress(StoreUnavailableError):
            for lease in self._leases.held():
                self._claims.hand_back(lease.generation_id, lease.token, after=timedelta())
        return False

    def _work_one(self, lane: Lane) -> bool:
        """Whether there may be more to do."""
        if self._stopping.is_set() or self._alone:
            self._looked(lane)
            return False
        try:
            claimed = self._claim(
                lambda: self._claims.claim_next(
                    lane, new_token(), announced_only=self._announced_only
                )
            )
        finally:  # whatever went wrong: the next one must be let look
            nudged = self._looked(lane)
        if claimed is None:
            return nudged and not self._stopping.wait(LOOK_AGAIN_SECONDS)
        self.nudge(lane)  # where there is one, there may be more
        self._delivery.run(claimed, self._channel)
        return True

    def _looked(self, lane: Lane) -> bool:
        """The look is over; whether a nudge came during it."""
        with self._lock:
            nudged = lane in self._nudged
            self._looking.discard(lane)
            self._nudged.discard(lane)
            return nudged

    def _tries_alone(self) -> bool:
        """Whether what has crashed its workers is tried now, or waits for the others to end."""
        if self._trying_alone:
            return True
        with suppress(StoreUnavailableError):
            self._alone = self._claims.has_set_aside()
        if self._alone and not any(pool.busy for pool in self._lanes.values()):
            self._trying_alone = True
            self._lanes[Lane.DELIVER].start(self._work_alone)
        return self._alone

    def _work_alone(self) -> bool:
        try:
            claimed = self._claim(lambda: self._claims.claim_set_aside(new_token()))
            if claimed is not None:
                extra = {"event": "delivery.alone", "generation": claimed.id}
                logger.warning("trying alone what ended its workers", extra=extra)
                self._delivery.run(claimed, self._channel)
        finally:
            self._alone = self._trying_alone = False
        return False

    def _claim(self, claim: Callable[[], Generation | None]) -> Generation | None:
        try:
            return claim()
        except StoreUnavailableError as error:
            logger.warning("nothing claimed: %s", error, extra={"event": "store.unavailable"})
            return None


class _LanePool:
    """Threads that repeat a job while it says that there may be more to do."""

    def __init__(self, executor: Executor, width: int) -> None:
        self._executor = executor
        self._width = width
        self._changed = threading.Condition()
        self._under_way = 0  # jobs that run, or wait for a thread
        self._missed: Callable[[], bool] | None = None  # came while every thread was busy
        self._refuses = False

    @property
    def busy(self) -> bool:
        """Whether there is a job under way."""
        return self._under_way > 0

    def start(self, job: Callable[[], bool]) -> None:
        """Repeat the job in a free thread; where none is free, in the next one that is."""
        with self._changed:
            if self._refuses:
                return
            if self._under_way >= self._width:
                self._missed = job
                return
            self._begin(lambda: _repeat(job))

    def submit(self, job: Callable[[], Answer]) -> Future[Answer]:
        """Do the job once, as soon as a thread is free; cancelled where nothing more begins."""
        with self._changed:
            if self._refuses:
                return _cancelled()
            return self._begin(job)

    def refuse(self) -> None:
        """Begin nothing more."""
        with self._changed:
            self._refuses = True
        self._executor.shutdown(wait=False, cancel_futures=True)

    def wait(self, seconds: float) -> bool:
        """Whether every job has ended within this time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._under_way == 0, timeout=seconds)

    def _begin(self, job: Callable[[], Answer]) -> Future[Answer]:
        future = self._executor.submit(job)
        self._under_way += 1
        future.add_done_callback(self._ended)
        return future

    def _ended(self, _future: Future[Answer]) -> None:
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()
            missed, self._missed = self._missed, None
            if missed is not None:
                self.start(missed)


def _repeat(job: Callable[[], bool]) -> None:
    try:
        while job():
            pass
    except Exception:
        logger.exception("a worker failed", extra={"event": "repeater.bug"})


def _cancelled() -> Future[Answer]:
    future: Future[Answer] = Future()
    future.cancel()
    future.set_running_or_notify_cancel()  # else those who wait for it would not hear
    return future
