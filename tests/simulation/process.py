"""A process of the product: a core with its threads as fibers, which may die at any call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from datetime import datetime
from typing import Any, Protocol

import httpx
from flask import Flask

from core.deadline import BoundedTransport
from core.disk import DiskUsage
from core.errors import AppError, StorageError, StoreUnavailableError
from core.generation.model import Channel
from core.kie.client import KieClient, kie_http
from core.leases import Leases
from core.media.guard import guarded_client
from core.media.spool import Spool
from core.settings import Settings
from core.storage.port import AssetStorage
from core.store.claims import Lane
from core.store.database import Database
from core.store.opening import open_database
from core.wiring import Core, open_core
from core.workers import Workers
from poller.jobs import jobs
from tests.simulation.due import SparingClaims
from tests.simulation.network import Internet, Network, call, environ
from tests.simulation.ports import (
    FiberExecutor,
    SimulatedDatabase,
    SimulatedStorage,
    VirtualEvent,
    VirtualWaiting,
)
from tests.simulation.scheduler import Crash, Owner, Scheduler
from webhook.app import create_app
from webhook.worker import heartbeat

#: Jobs beside the ticks run this many times less often: most only keep books.
SELDOM = 1200
LONGEST_IDLE = 60.0
REQUEST_SECONDS = 30.0

Wait = Callable[[], None]


class Surroundings(Protocol):
    """What a process finds on its machine, and what may happen to it there."""

    settings: Settings
    internet: Internet

    def now(self) -> datetime:
        """The machine's clock."""
        ...

    def steady(self) -> datetime:
        """Its clock that nobody sets."""
        ...

    def disk(self) -> DiskUsage:
        """The disk of the spool."""
        ...

    def storage(self) -> AssetStorage:
        """Permanent storage."""
        ...

    def fate(self, process: Process, what: str) -> str | None:
        """What happens at a call: None, crash, stop or pause."""
        ...

    def seconds(self) -> float:
        """How long a stop or a pause takes."""
        ...

    def trouble(self, what: str) -> str | None:
        """What goes wrong with a call of database, storage or a host, if anything."""
        ...

    def next_due(self, role: str, lane: Lane | None = None) -> float:
        """When there is work for such a process, as far as known."""
        ...

    def died(self, process: Process) -> None:
        """Somebody has to start it again."""
        ...


class Process(Owner):
    """One process, alive once made. `role` is web or poller."""

    def __init__(self, scheduler: Scheduler, role: str, surroundings: Surroundings) -> None:
        super().__init__(scheduler)
        self.role = role
        self._fruitless = 1.0  # seconds until the next look for what could not be taken
        self._around = surroundings
        self._stack = ExitStack()
        self.app: Flask | None = None
        self._spool: Spool | None = None
        scheduler.spawn(self, self._start)

    # what the ports ask

    def point(self, what: str) -> None:
        """Others may run here, and this process may die or be stopped."""
        if not self.is_alive:
            raise Crash
        match self._around.fate(self, what):
            case "crash":
                self.scheduler.kill(self)
                raise Crash
            case "stop":
                self.stopped_until = self.scheduler.time + self._around.seconds()
            case "pause":
                self.scheduler.sleep(self._around.seconds())
        self.scheduler.switch(0.02 if what in ("connect", "network") else 0.002)
        if not self.is_alive:
            raise Crash

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.scheduler.sleep(seconds)

    def cable(self, host: str) -> str | None:
        """What happens to an exchange with a host."""
        return self._around.trouble(host)

    def database(self) -> str | None:
        """What happens to a transaction."""
        return self._around.trouble("database")

    def storage(self) -> str | None:
        """What happens to a call of storage."""
        return self._around.trouble("storage")

    # its life

    def killed(self) -> None:
        """What was only in memory is gone: no file is written on the way out."""
        for part in tuple(self._spool._open) if self._spool else ():
            part.record = part._saved

    def died(self) -> None:
        """Let go of what the operating system would take back."""
        self._stack.close()
        self._around.died(self)

    def request(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes] | None:
        """The answer to a request, from a fiber of somebody else; None: the connection broke."""
        if self.app is None or not self.is_alive:
            return None
        answers: list[tuple[int, bytes]] = []
        app = self.app

        def serve() -> None:
            head, pieces = call(app, environ(method, target, dict(headers), body))
            answers.append((int(head.split(b" ", 2)[1]), b"".join(pieces)))

        fiber = self.scheduler.spawn(self, serve)
        self.scheduler.join(fiber, REQUEST_SECONDS)
        return answers[0] if answers else None

    def _start(self) -> None:
        try:
            self._open()
        except AppError:  # as a process that is refused its start: its manager tries again
            self.scheduler.kill(self)

    def _open(self) -> None:
        settings = self._around.settings
        core = self._stack.enter_context(self._open_core(settings))
        self._spool = core.spool
        core.prepare_storage()
        core.store.claims = SparingClaims(core.store.claims, self._is_due)
        is_web = self.role == "web"
        workers = core.workers(
            Channel.CALLBACK if is_web else Channel.POLL,
            announced_only=is_web,
            executor=lambda width, name: FiberExecutor(self.scheduler, self),
            stopping=VirtualEvent(self.scheduler),
        )
        if is_web:
            waiting = VirtualWaiting(self.scheduler, settings.request_threads // 2)
            self.app = create_app(core, workers, waiting)
            self._repeat(workers.tick, 1, wait=self._until_due)
            self._repeat(heartbeat(core.store), 5 * SELDOM)
        else:
            self._run_jobs(core, workers)
        self._repeat(
            core.leases.renew,
            settings.lease_seconds / 4,
            wait=lambda: self._until_held(core.leases),
        )

    def _open_core(self, settings: Settings) -> Any:
        network = Network(self._around.internet, self)
        database: Database = SimulatedDatabase(
            open_database(settings.database, connections=20), self
        )
        key = settings.kie_api_key
        transport = BoundedTransport(network, httpx.Limits(max_keepalive_connections=0))
        kie = self._stack.enter_context(
            closing(kie_http(settings.kie_base_url, transport=transport))
        )
        media = guarded_client(
            connections=20, resolver=self._around.internet.resolve, connector=network
        )
        return open_core(
            settings,
            clock=self._around.now,
            steady=self._around.steady,
            sleep=self.scheduler.sleep,
            kie=KieClient(kie, key.get_secret_value() if key else ""),
            media=self._stack.enter_context(media),
            storage=SimulatedStorage(self._around.storage(), self),
            database=database,
            disk_usage=lambda path: self._around.disk(),
        )

    def _run_jobs(self, core: Core, workers: Workers) -> None:
        (tick, seconds), *others = jobs(core, workers).items()
        self._repeat(tick, seconds, wait=self._until_due)
        for job, seconds in others:
            self._repeat(job, seconds * SELDOM)

    def _repeat(self, job: Callable[[], object], seconds: float, wait: Wait | None = None) -> None:
        """A thread that does a job again and again."""

        def run() -> None:
            while True:
                with suppress(StoreUnavailableError, StorageError):
                    job()
                self.scheduler.sleep(seconds)
                if wait is None:
                    self._rest()
                else:
                    wait()

        self.scheduler.spawn(self, run, periodic=True)

    def _until_held(self, leases: Leases) -> None:
        if not leases.held():
            self._rest()

    def _until_due(self) -> None:
        """Sleep while a look would find nothing; look less often at what nobody can take."""
        if self._next_due() <= self.scheduler.time:
            self.scheduler.sleep(self._fruitless)
            self._fruitless = min(self._fruitless * 2, LONGEST_IDLE)
            return
        self._fruitless = 1.0
        while self._next_due() > self.scheduler.time:
            self._rest()

    def _rest(self) -> None:
        """Sleep until something happens, or is due."""
        until = min(self.scheduler.next_event(), self._next_due())
        self.scheduler.sleep(max(1.0, until - self.scheduler.time))

    def _next_due(self) -> float:
        return self._around.next_due(self.role)

    def _is_due(self, lane: Lane) -> bool:
        return self._around.next_due(self.role, lane) <= self.scheduler.time
