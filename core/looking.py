"""Looking at a generation now, for somebody who waits: KIE is asked, and what fits is delivered."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import datetime, timedelta

from core.generation.model import Channel, Generation
from core.patience import Patience
from core.store.claims import Lane
from core.wiring import Core
from core.workers import Workers

ASKED_AT_MOST_EVERY = timedelta(seconds=2)


def look_at(
    core: Core, workers: Workers, generation_id: str, patience: Patience
) -> Generation | None:
    """The generation after a look, be it ours or that of whoever is at it; None: there is none.

    `success` and KIE's own failures are answered from the row; a giving-up is asked about again.
    """
    look = _begin_look(core, workers, generation_id)
    if look is None:
        _wait_for_holder(core, generation_id, patience)
        look = _begin_look(core, workers, generation_id)
    if look is not None and patience.result(look) is None:  # somebody was faster
        _wait_for_holder(core, generation_id, patience)
    return core.queries.by_id(generation_id)


def is_made_due(core: Core, row: Generation) -> bool:
    """Have a generation looked at now; False: there is nothing to learn, or somebody is at it.

    However many want the same look, one of them gets the lease and so KIE is asked once.
    """
    now = core.store.now()
    asked_before = _asked_before(row, now)
    if not _is_worth_a_look(row, asked_before) or row.is_held(now):
        return False
    has_task = row.task_id is not None or row.candidate_task_id is not None
    return not has_task or core.store.generations.wake(row.id, asked_before=asked_before)


def _begin_look(
    core: Core, workers: Workers, generation_id: str
) -> Future[Generation | None] | None:
    row = core.queries.by_id(generation_id)
    if row is None or not is_made_due(core, row):
        return None
    submitted = row.task_id is not None or row.submit_started_at is not None
    lane = Lane.DELIVER if submitted else Lane.SUBMIT
    return workers.advance(row.id, Channel.SYNC, lane)


def _is_worth_a_look(row: Generation, asked_before: datetime) -> bool:
    if row.is_final and not row.gave_up:
        return False
    return row.asked_at is None or row.asked_at <= asked_before


def _asked_before(row: Generation, now: datetime) -> datetime:
    """Since when KIE must not have been asked; it will not be where a file is to be stored."""
    return now - ASKED_AT_MOST_EVERY if row.wanted is None else now


def _wait_for_holder(core: Core, generation_id: str, patience: Patience) -> None:
    while (row := core.queries.by_id(generation_id)) and row.is_held(core.store.now()):
        if not patience.pause():
            return
