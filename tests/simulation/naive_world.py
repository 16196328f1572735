"""The world in which the naive application lives: its process, its users, what it says it did."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from core.deadline import BoundedTransport
from core.store.opening import open_database
from simulator.tasks import Task
from tests.checker.database import read
from tests.checker.evidence import Evidence
from tests.checker.headline import Claim, Told
from tests.checker.keeping import told_in_time
from tests.simulation import naive
from tests.simulation.network import Network
from tests.simulation.people import PLANTED, Client
from tests.simulation.ports import SimulatedDatabase, SimulatedStorage
from tests.simulation.process import Process
from tests.simulation.world import APP_URL, KIE_KEY, KIE_URL, SECRET, World

PLANTED_SHA256 = hashlib.sha256(PLANTED).hexdigest()
STEP_SECONDS = 60.0  # patience with KIE: to connect, and for each piece of an answer
POLL_SECONDS, PAGE_SECONDS = 3.0, 300.0
#: After so many failed looks the others are rarer: they fail alike, and cost as much as all else.
TELLING, SELDOM_SECONDS = 5, 30.0


class NaiveProcess(Process):
    """A web process: it answers requests, and does nothing else."""

    def _open(self) -> None:
        settings = self._around.settings
        transport = BoundedTransport(
            Network(self._around.internet, self), httpx.Limits(max_keepalive_connections=0)
        )
        http = httpx.Client(timeout=STEP_SECONDS, transport=transport)
        database = open_database(settings.database, connections=20)
        self._stack.enter_context(http)
        self._stack.callback(database.close)
        self.app = naive.create_app(
            http=http,
            kie_url=KIE_URL,
            kie_key=KIE_KEY,
            database=SimulatedDatabase(database, self),
            storage=SimulatedStorage(self._around.storage(), self),
            uploads=settings.data_dir,
            callback_url=f"{APP_URL}/api/kie/callback",
            secret=SECRET,
            now=self._around.now,
        )


class NaiveClient(Client):
    """Users with a page that polls until it shows an end, for five minutes from the order at most.

    They order the same at the same times. Where no answer comes, or an error, they order again,
    but not as often as a program: a person gives up. Nobody orders again because it takes long.
    """

    tries = 3

    def _look(self, ordered: dict[str, Any]) -> None:
        world = self._world
        closes = world.scheduler.time + PAGE_SECONDS
        status, failures = "generating" if "taskId" in ordered else "refused", 0
        while status == "generating" and world.scheduler.time < closes:
            world.scheduler.sleep(POLL_SECONDS if failures < TELLING else SELDOM_SECONDS)
            if self._can_end(ordered["taskId"]):
                target = f"/api/kie/status?taskId={ordered['taskId']}"
                answer = world.request("GET", target, self._headers(), b"")
                if answer is not None and answer[0] == 200:
                    status = json.loads(answer[1])["status"]
                else:
                    failures += 1

    def _can_end(self, task_id: str) -> bool:
        """Whether a look could show more than the one before; the others are left out."""
        task, now = self._world.kie.ledger.tasks[task_id], self._world.scheduler.time
        return task.has_files(now) or task.state(now) == "fail"


class NaiveWorld(World):
    """The same world, with the naive application in it."""

    process = NaiveProcess
    client = NaiveClient
    roles = ("web",)
    worker = "web"


def install(folder: Path) -> str:
    """The URL of its database, made in a folder."""
    with closing(sqlite3.connect(folder / "naive.db")) as file:
        file.execute(naive.TABLE)
    return f"sqlite:///{folder / 'naive.db'}"


def told_by_naive(database_url: str, evidence: Evidence) -> Told:
    """What its table and storage say; each order is worded differently."""
    [rows] = read(database_url, "SELECT id, status, path FROM tasks")
    tasks_of: dict[str, set[str]] = {}
    for task in evidence.books.tasks.values():
        tasks_of.setdefault(json.dumps(task.request["input"]), set()).add(task.id)
    objects = evidence.objects
    return Told(
        tasks_of=tasks_of,
        claims={
            row["id"]: Claim(
                row["status"],
                [objects[row["path"]].sha256] if row["path"] in objects else [],
                failed_at_kie=row["status"] == "failed",
            )
            for row in rows
        },
    )


def owed_by_naive(told: Told, evidence: Evidence) -> set[str]:
    """The obtainable results that it has on record, or that KIE told it of, answered or not."""
    told_at: dict[str, float] = {}
    for attempt in evidence.books.attempts:
        if attempt["status"] is not None:
            told_at.setdefault(attempt["taskId"], attempt["at"])

    def since(task: Task) -> float | None:
        return task.created_at if task.id in told.claims else told_at.get(task.id)

    return told_in_time(evidence, since)
