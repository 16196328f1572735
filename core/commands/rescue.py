"""`rescue`: task ids from anywhere, and what still lives of them saved."""

from __future__ import annotations

import codecs
import csv
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import click

from core.commands.files import FileError, read_text, written
from core.commands.running import NOT_WELL, WELL, Console, command
from core.commands.telling import NONE, table
from core.commands.working import by_option, opened_core, renewed_leases
from core.creating import require_user_id
from core.csv_cells import ENCODING, cell
from core.errors import AppError
from core.rescuing.asking import Asker
from core.rescuing.fate import Fate, Rescued
from core.rescuing.rescue import Rescue
from core.rescuing.run import Counts, Run
from core.rescuing.task_ids import Reading, read_task_ids
from core.settings import Settings
from core.wiring import Core

MOST_BYTES = 32 << 20
COLUMNS = ("taskId", "fate", "generationId", "url", "reason")
HEADER = ("fate", "task", "generation", "URL or reason")


@command("rescue")
@click.argument("name", metavar="FILE")
@click.option("--user", "user_id", metavar="ID", help="The userId of new generations.")
@by_option
@click.option(
    "--wait",
    "seconds",
    type=click.FloatRange(0, 24 * 3600),
    default=120.0,
    show_default=True,
    help="For how many seconds to look again at what is not saved, once all have been looked at.",
)
@click.option("--report", metavar="FILE", help="Write the report as CSV, too.")
@click.option("--dry-run", is_flag=True, help="Ask KIE, and change nothing.")
def rescue(
    settings: Settings,
    console: Console,
    name: str,
    user_id: str | None,
    by: str,
    seconds: float,
    report: str | None,
    dry_run: bool,
) -> int:
    """Save what KIE still has of the tasks named in FILE, also of tasks that are not ours.

    FILE is any text (- is standard input): ids one a line, a CSV, JSON, KIE's log page. No task is
    ever created, so nothing is paid for. May be interrupted: the same FILE again goes on where it
    was. Only tasks of the market family can be asked about.

    Exit code 1: something that lives is not saved yet; run it again, or leave it to the poller. 2:
    KIE or our database stopped answering; what was learnt until then is reported.
    """
    user_id = require_user_id(user_id)
    reading = read_task_ids(read_text(name, MOST_BYTES).splitlines())
    if not reading.task_ids:
        raise FileError(f"{name} names no task: one id a line will do")
    console.progress(_read(reading))
    problem: AppError | None = None
    with ExitStack() as stack:
        output = report and stack.enter_context(written(report, ENCODING))
        core = stack.enter_context(opened_core(settings))
        pool, stopped = stack.enter_context(_threads(core))
        asker = Asker(core.kie, pause=stopped.wait)
        looking = Rescue(core, asker, by=by, user_id=user_id, is_stopped=stopped.is_set)
        total = len(reading.task_ids)
        run = Run(pool, counted=lambda counts: console.progress(_so_far(counts, total)))
        try:
            if dry_run:
                run.once(reading.task_ids, looking.see)
            else:
                run.once(reading.task_ids, looking.look)
                run.until_settled(seconds, looking.look_again)
        except AppError as error:  # the same for all that are left
            problem = error
        results = run.results(reading.task_ids)
        if output:
            _write(output, results)
    console.progress_over()
    view = {"complete": problem is None, **_view(reading, results, dry_run)}
    console.result(view, _lines(reading, results, dry_run))
    if problem is not None:
        raise problem
    return NOT_WELL if any(one.fate is Fate.WAITING for one in results) else WELL


@contextmanager
def _threads(core: Core) -> Iterator[tuple[ThreadPoolExecutor, threading.Event]]:
    """Threads, and what stops them: whatever ends the block early has all work handed back."""
    stopped = threading.Event()
    pool = ThreadPoolExecutor(core.settings.delivery_threads, thread_name_prefix="rescue")
    try:
        with renewed_leases(core):
            try:
                yield pool, stopped
            finally:
                stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
    finally:
        pool.shutdown()


def _read(reading: Reading) -> str:
    said = f"{len(reading.task_ids)} tasks named"
    if reading.repeated:
        said += f", {reading.repeated} times again"
    if reading.without:
        said += f"; lines without a task id, passed over: {reading.without}"
    return said


def _so_far(counts: Counts, total: int) -> str:
    told = ", ".join(f"{counts[fate]} {fate}" for fate in Fate if counts[fate])
    return f"{counts.total()} of {total}: {told}"


def _lines(reading: Reading, results: Sequence[Rescued], dry_run: bool) -> Iterator[str]:
    yield from table(HEADER, map(_row, results))
    yield ""
    counts = Counter(one.fate for one in results)
    yield _read(reading)
    yield _so_far(counts, len(results))
    if dry_run:
        yield "A dry run: nothing was changed."
    elif counts[Fate.WAITING]:
        yield "What is waiting: run this again; the poller goes on with what has a generation."


def _row(one: Rescued) -> tuple[str, ...]:
    told = one.url or one.reason or ""
    return (one.fate, one.task_id, one.generation_id or NONE, told)


def _view(reading: Reading, results: Sequence[Rescued], dry_run: bool) -> dict[str, object]:
    counts = Counter(one.fate for one in results)
    return {
        "dryRun": dry_run,
        "repeated": reading.repeated,
        "linesWithout": reading.without,
        **{fate: counts[fate] for fate in Fate},
        "tasks": [dict(zip(COLUMNS, _fields(one), strict=True)) for one in results],
    }


def _write(output: codecs.StreamWriter, results: Sequence[Rescued]) -> None:
    writer = csv.writer(output)
    writer.writerow(COLUMNS)
    writer.writerows(map(cell, _fields(one)) for one in results)


def _fields(one: Rescued) -> tuple[str | None, ...]:
    return one.task_id, one.fate, one.generation_id, one.url, one.reason
