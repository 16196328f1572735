"""`python -m poller`: works off everything that is due, whoever started it."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from datetime import timedelta
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler

from core.errors import AppError
from core.generation.model import Channel
from core.logs import set_up_logs
from core.settings import Settings
from core.store.migrate import require_current
from core.wiring import Core, open_core
from core.workers import Workers

logger = logging.getLogger("poller")

TICK_SECONDS = 1
BEAT_SECONDS = 5
SWEEP_SECONDS = 600
ORPHANS_AFTER = timedelta(hours=1)
STOP_PATIENCE_SECONDS = 15
BEHIND_WEB = 10  # niceness: where the processor is short, callbacks are answered first


def main() -> int:
    """Run until SIGTERM or SIGINT; 2 where a setting or the database is wrong."""
    parser = argparse.ArgumentParser(prog="python -m poller", description=__doc__)
    parser.parse_args()
    os.nice(BEHIND_WEB)
    try:
        settings = Settings.load()
        set_up_logs(settings.log_level, settings.log_format)
        with open_core(settings) as core:
            require_current(core.store.database)
            _run(core)
    except AppError as error:
        print(f"poller: {error}", file=sys.stderr)
        return 2
    return 0


def _run(core: Core) -> None:
    workers = core.workers(Channel.POLL)
    renewal = core.renewal()
    scheduler = _scheduler(core, workers)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        scheduler.shutdown(wait=False)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    core.store.processes.started("poller")
    renewal.start()
    logger.info("poller started", extra={"event": "poller.started"})
    scheduler.start()
    at_rest = workers.stop(STOP_PATIENCE_SECONDS)
    renewal.stop()
    logger.info("poller stopped", extra={"event": "poller.stopped"})
    if not at_rest:
        logging.shutdown()
        os._exit(0)  # a thread waits for an answer that may take two minutes


def _scheduler(core: Core, workers: Workers) -> BlockingScheduler:
    """What is due is remembered by the database; the scheduler only ticks."""
    scheduler = BlockingScheduler(
        executors={"default": ThreadPoolExecutor(4)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600},
        timezone="UTC",
    )
    every = {
        workers.tick: TICK_SECONDS,
        lambda: core.store.processes.beat("poller"): BEAT_SECONDS,
        lambda: core.store.sweep_unmatched(): BEAT_SECONDS,
        lambda: core.spool.sweep(ORPHANS_AFTER, core.store.now()): SWEEP_SECONDS,
    }
    for job, seconds in every.items():
        scheduler.add_job(job, "interval", seconds=seconds)
    return scheduler


if __name__ == "__main__":
    sys.exit(main())
