"""Processes that halt at named points, to be killed or stopped there."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from core.generation.operating import Order
from core.generation.schedule import Policy
from core.operator import Operator
from core.store.address import is_sqlite
from core.store.opening import open_database
from core.store.sqlite import sqlite_file
from core.store.store import Store
from tests.processes.halting import GO, marker
from tests.processes.points import Point
from tests.support.processes import wait_until
from tests.support.simulator import SPEECH
from tests.support.site import Site

#: A webhook delivers with a quarter of them and submits with half of those, which is enough for one
#: to stay at each point: who submits goes on with what KIE has finished meanwhile.
THREADS = 128


class Victim:
    """A process of ours that halts once at each of some points."""

    def __init__(self, site: Site, module: str, points: Sequence[Point]) -> None:
        self._site, self._points = site, points
        self._folder = site.folder / f"halted-{len(site.processes)}"
        self._folder.mkdir()
        self.process = site.start(
            "tests.processes.halting",
            module,
            halt_at=json.dumps([point.name for point in points]),
            halt_folder=self._folder,
            delivery_threads=THREADS,
        )

    def halted(self) -> int:
        """Wait until somebody stays at every point; the id of the process."""
        return max(self.at(point) for point in self._points)

    def at(self, point: Point) -> int:
        """Wait until somebody stays at a point; the id of the process."""
        file = marker(self._folder, point)
        wait_until(file.exists, f"somebody stays at: {point.name}", 40)
        return int(file.read_text())

    def stop(self) -> None:
        """SIGSTOP, but not in the middle of a transaction: SQLite has one writer."""
        worker = self.halted()
        while True:
            self.process.signal(signal.SIGSTOP)
            wait_until(lambda: _is_stopped(worker), "it has stopped")
            if _can_be_written(self._site.database_url):
                return
            self.process.signal(signal.SIGCONT)

    def wake(self) -> None:
        """SIGCONT, and let all go on where they stayed."""
        (self._folder / GO).touch()
        self.process.signal(signal.SIGCONT)


def order(site: Site, count: int) -> None:
    """Callers of the API, who do not wait for long."""
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(site.create_and_hang_up, [SPEECH] * count))


def send_again(site: Site, generation_id: str) -> None:
    """An operator has looked into KIE's log, and found no task."""
    with closing(open_database(site.database_url, connections=1)) as database:
        store = Store(database)
        seen = store.generations.load(generation_id).submit_started_at
        Operator(store, Policy()).send_again(generation_id, seen, Order(by="ann"))


def _is_stopped(process_id: int) -> bool:
    return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def _can_be_written(database_url: str) -> bool:
    if not is_sqlite(database_url):
        return True
    with closing(sqlite3.connect(sqlite_file(database_url), timeout=0)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True
