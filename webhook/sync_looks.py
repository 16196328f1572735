"""Looks that callers asked for: KIE is asked once, however many ask at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from datetime import datetime, timedelta

from core.errors import StoreUnavailableError
from core.generation.model import Channel, Generation
from core.store.claims import Lane
from core.store.database import LOCK_TIMEOUT_SECONDS
from core.wiring import Core
from core.workers import Workers

ASKED_AT_MOST_EVERY = timedelta(seconds=2)


class SyncLooks:
    """Brings looks forward; those who want the same one share it."""

    def __init__(self, core: Core, workers: Workers) -> None:
        self._core = core
        self._workers = workers
        self._under_way: dict[str, Future[Generation | None]] = {}
        self._lock = threading.Lock()

    def start(self, generation_id: str) -> Future[Generation | None] | None:
        """Look at a generation now; None: there is nothing to learn, or somebody is at it.

        Raises StoreUnavailableError.
        """
        if not self._lock.acquire(timeout=LOCK_TIMEOUT_SECONDS):
            raise StoreUnavailableError("the database is busy: no turn to look came")
        try:
            return self._under_way.get(generation_id) or self._begin(generation_id)
        finally:
            self._lock.release()

    def _begin(self, generation_id: str) -> Future[Generation | None] | None:
        row = self._core.queries.by_id(generation_id)
        now = self._core.store.now()
        if row is None or not _is_worth_a_look(row, now) or is_held(row, now):
            return None
        has_task = row.task_id is not None or row.candidate_task_id is not None
        if has_task and not self._core.store.generations.wake(
            row.id, asked_before=_asked_before(row, now)
        ):
            return None  # another process was faster
        submitted = row.task_id is not None or row.submit_started_at is not None
        lane = Lane.DELIVER if submitted else Lane.SUBMIT
        future = self._workers.advance(row.id, Channel.SYNC, lane)
        self._under_way[row.id] = future
        future.add_done_callback(lambda _: self._under_way.pop(row.id, None))
        return future


def is_held(generation: Generation, now: datetime) -> bool:
    """Whether somebody works on it now."""
    return generation.lease_until is not None and generation.lease_until >= now


def _is_worth_a_look(generation: Generation, now: datetime) -> bool:
    if generation.is_final and not generation.gave_up:
        return False
    asked_before = _asked_before(generation, now)
    asked_at = generation.asked_at
    return asked_before is None or asked_at is None or asked_at <= asked_before


def _asked_before(generation: Generation, now: datetime) -> datetime | None:
    """Since when KIE must not have been asked; None: it will not be, a file is to be stored."""
    return now - ASKED_AT_MOST_EVERY if generation.wanted is None else None
