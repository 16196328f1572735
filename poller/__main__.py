"""`python -m poller`: works off everything that is due, whoever started it."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from core.errors import AppError, StorageError, StoreUnavailableError
from core.generation.model import Channel
from core.logs import set_up_logs
from core.settings import Settings
from core.store.migrate import require_current
from core.wiring import Core, open_core
from core.workers import Workers
from poller.jobs import jobs

logger = logging.getLogger("poller")

STOP_PATIENCE_SECONDS = 15
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Run until SIGTERM or SIGINT; 2 where a setting, the database or the bucket is wrong."""
    parser = argparse.ArgumentParser(prog="python -m poller", description=__doc__)
    parser.parse_args()
    try:
        settings = Settings.load()
        set_up_logs(settings.log_level, settings.log_format, settings.secret_values)
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
    now = datetime.now(UTC)
    for job, seconds in jobs(core, workers).items():
        scheduler.add_job(_forgiving(job), "interval", seconds=seconds, next_run_time=now)
    return scheduler


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
