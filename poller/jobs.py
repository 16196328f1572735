"""What the poller does again and again, and how often. Each is one call of core."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from core.store.retention import Pruned, Retention
from core.wiring import Core
from core.workers import Workers

logger = logging.getLogger("poller")

TICK_SECONDS = 1
BEAT_SECONDS = 5
SWEEP_SECONDS = 600
PRUNE_SECONDS = 600
PRUNED_BATCHES = 20  # at a time, of each sort: a stop waits for no more
ORPHANS_AFTER = timedelta(hours=1)


def jobs(core: Core, workers: Workers) -> Mapping[Callable[[], object], int]:
    """Every job with the seconds from one time to the next.

    They may raise StoreUnavailableError and StorageError: the next time comes all the same.
    """
    return {
        lambda: _tick(workers): TICK_SECONDS,
        lambda: core.store.processes.beat("poller"): BEAT_SECONDS,
        lambda: core.store.sweep_unmatched(): BEAT_SECONDS,
        lambda: core.submission.hand_in(): BEAT_SECONDS,
        lambda: core.store.rollup.fold(): BEAT_SECONDS,
        lambda: core.sweep_spool(ORPHANS_AFTER): SWEEP_SECONDS,
        lambda: core.storage.sweep(ORPHANS_AFTER, core.store.now()): SWEEP_SECONDS,
        lambda: _prune(core): PRUNE_SECONDS,
    }


def _tick(workers: Workers) -> None:
    logger.debug("tick", extra={"event": "poller.tick"})
    workers.tick()


def _prune(core: Core) -> None:
    kept = timedelta(days=core.settings.retention_days)
    pruned = Retention(core.store.database, core.store.now, kept).prune(batches=PRUNED_BATCHES)
    if pruned != Pruned():
        logger.info("pruned %s", pruned.in_words(), extra={"event": "history.pruned"})
