"""`python -m poller`: works off everything that is due, whoever started it."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from core.errors import AppError, StorageError, StoreUnavailableError
from core.generation.model import Channel
from core.logs import set_up_logs
from core.settings import Settings
from core.store.migrate import require_current
from core.store.retention import Pruned, Retention
from core.wiring import Core, open_core
from core.workers import Workers

logger = logging.getLogger("poller")

TICK_SECONDS = 1
BEAT_SECONDS = 5
SWEEP_SECONDS = 600
PRUNE_SECONDS = 600
PRUNED_BATCHES = 20  # at a time, of each sort: a stop waits for no more
ORPHANS_AFTER = timedelta(hours=1)
STOP_PATIENCE_SECONDS = 15
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Run until SIGTERM or SIGINT; 2 where a setting, the database or the bucket is wrong."""
    parser = argparse.ArgumentParser(prog="python -m poller", description=__doc__)
    parser.parse_args()
    try:
        settings = Settings.load()
        set_up_logs(settings.log_level, settings.log_format)
        with open_core(settings) as core:
            require_current(core.store.database)
            core.prepare_storage()
            _run(core)
    except AppError as error:
        print(f"poller: {error}", file=sys.stderr)
        return 2
    return 0


def _run(core: Core) -> None:
    workers = core.workers(Channel.POLL)
    renewal = core.renewal()
    scheduler = _scheduler(core, workers)

    # Blocked in every thread, so that the first one is waited for and no later one interrupts.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    core.store.processes.started("poller")
    renewal.start()
    logger.info("poller started", extra={"event": "poller.started"})
    scheduler.start()
    signal.sigwait(STOP_SIGNALS)
    scheduler.shutdown(wait=False)
    at_rest = workers.stop(STOP_PATIENCE_SECONDS)
    renewal.stop()
    logger.info("poller stopped", extra={"event": "poller.stopped"})
    if not at_rest:
        logging.shutdown()
        os._exit(0)  # a thread waits for an answer that may take two minutes


def _scheduler(core: Core, workers: Workers) -> BackgroundScheduler:
    """What is due is remembered by the database; the scheduler only ticks."""
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(4)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600},
        timezone="UTC",
    )
    every = {
        lambda: _tick(workers): TICK_SECONDS,
        lambda: core.store.processes.beat("poller"): BEAT_SECONDS,
        lambda: core.store.sweep_unmatched(): BEAT_SECONDS,
        lambda: core.submission.hand_in(): BEAT_SECONDS,
        lambda: core.store.rollup.fold(): BEAT_SECONDS,
        lambda: core.sweep_spool(ORPHANS_AFTER): SWEEP_SECONDS,
        lambda: core.storage.sweep(ORPHANS_AFTER, core.store.now()): SWEEP_SECONDS,
        lambda: _prune(core): PRUNE_SECONDS,
    }
    now = datetime.now(UTC)
    for job, seconds in every.items():
        scheduler.add_job(_forgiving(job), "interval", seconds=seconds, next_run_time=now)
    return scheduler


def _tick(workers: Workers) -> None:
    logger.debug("tick", extra={"event": "poller.tick"})
    workers.tick()


def _prune(core: Core) -> None:
    kept = timedelta(days=core.settings.retention_days)
    pruned = Retention(core.store.database, core.store.now, kept).prune(batches=PRUNED_BATCHES)
    if pruned != Pruned():
        logger.info("pruned %s", pruned.in_words(), extra={"event": "history.pruned"})


def _forgiving(job: Callable[[], object]) -> Callable[[], None]:
    """The job; a database or a storage that is away is one line, for the job comes again."""

    def run() -> None:
        try:
            job()
        except StoreUnavailableError as error:
            logger.warning("%s", error, extra={"event": "store.unavailable"})
        except StorageError as error:
            logger.warning("%s", error, extra={"event": "storage.unavailable"})

    return run


if __name__ == "__main__":
    sys.exit(main())
