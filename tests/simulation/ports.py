"""The product's ports, each call of which is a point at which others run and faults strike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from core.errors import StorageError, StoreUnavailableError
from core.generation.model import Generation
from core.storage.port import AssetStorage, KeepGoing, StoredObject
from core.store.database import Database
from tests.simulation.scheduler import Fiber, Owner, Scheduler
from webhook.waiting import Turn, Waiting

Answer = TypeVar("Answer")


class Trouble(Protocol):
    """What may go wrong with a call; raises where it does."""

    def point(self, what: str) -> None:
        """Others may run here, and the process may die or be stopped."""
        ...

    def database(self) -> str | None:
        """What happens to a transaction: None, away, busy or answer_lost."""
        ...

    def storage(self) -> str | None:
        """What happens to a call of storage: None, away, refused or answer_lost."""
        ...


class SimulatedDatabase(Database):
    """A real database, whose transactions may fail before or after they are committed."""

    def __init__(self, inner: Database, trouble: Trouble) -> None:
        self._inner = inner
        self._trouble = trouble

    @property
    def place(self) -> str:
        """Of the real one."""
        return self._inner.place

    def now(self) -> datetime:
        """Of the real one; the store is given the virtual clock."""
        return self._inner.now()

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction."""
        fate = self._begin()
        with self._inner.write() as connection:
            yield connection
        self._end(fate)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view."""
        self._begin()
        with self._inner.read() as connection:
            yield connection

    def run(self, write: Callable[[sa.Connection], Answer]) -> Answer:
        """A write, at either side of which the process may die."""
        fate = self._begin()
        answer = self._inner.run(write)
        self._end(fate)
        return answer

    def check_writable(self) -> None:
        """As the real one, while it is there."""
        self._begin()
        self._inner.check_writable()

    def size(self) -> int:
        """Of the real one."""
        return self._inner.size()

    def close(self) -> None:
        """Close the real one."""
        self._inner.close()

    def _begin(self) -> str | None:
        self._trouble.point("database")
        fate = self._trouble.database()
        if fate in ("away", "busy"):
            raise StoreUnavailableError(f"the database is {fate}")
        return fate

    def _end(self, fate: str | None) -> None:
        self._trouble.point("committed")
        if fate == "answer_lost":
            raise StoreUnavailableError("the answer to the commit was lost")


class SimulatedStorage:
    """A real storage that may be away, refuse, or do what it is told and not say so."""

    def __init__(self, inner: AssetStorage, trouble: Trouble) -> None:
        self._inner = inner
        self._trouble = trouble

    @property
    def place(self) -> str:
        """Of the real one."""
        return self._inner.place

    def prepare(self) -> None:
        """Make the folder or bucket."""
        with self._call():
            self._inner.prepare()

    def put(
        self, source: Path, path: str, content_type: str, keep_going: KeepGoing = lambda: None
    ) -> None:
        """Store a file."""
        with self._call():
            self._inner.put(source, path, content_type, keep_going)

    def size(self, path: str) -> int | None:
        """The size of an object."""
        with self._call():
            return self._inner.size(path)

    def read(self, path: str) -> AbstractContextManager[Iterator[bytes]]:
        """The bytes of an object."""
        return self._inner.read(path)

    def url(self, path: str) -> str:
        """The permanent URL."""
        return self._inner.url(path)

    def signed_url(self, path: str, signature: str, *, download: bool = False) -> str | None:
        """A URL of a private object."""
        return self._inner.signed_url(path, signature, download=download)

    def delete(self, path: str) -> None:
        """Remove an object."""
        with self._call():
            self._inner.delete(path)

    def objects(self) -> Iterator[StoredObject]:
        """Every object."""
        return self._inner.objects()

    def check(self) -> None:
        """Whether an object could be stored."""
        with self._call():
            self._inner.check()

    def sweep(self, older_than: timedelta, now: datetime) -> int:
        """Remove what interrupted puts left."""
        with self._call():
            return self._inner.sweep(older_than, now)

    @contextmanager
    def _call(self) -> Iterator[None]:
        self._trouble.point("storage")
        fate = self._trouble.storage()
        if fate == "away":
            raise StorageError("storage.unavailable", "storage is away")
        if fate == "refused":
            raise StorageError("storage.refused", "storage does not take it")
        yield
        self._trouble.point("stored")
        if fate == "answer_lost":
            raise StorageError("storage.unavailable", "the answer was lost")


class FiberExecutor(Executor):
    """Threads of a pool as fibers of one process."""

    def __init__(self, scheduler: Scheduler, owner: Owner) -> None:
        self._scheduler = scheduler
        self._owner = owner

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        """Begin when a turn comes."""
        future: Future[Answer] = Future()

        def work() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    result = fn(*args, **kwargs)
                except Exception as error:
                    future.set_exception(error)
                else:
                    future.set_result(result)

        self._scheduler.spawn(self._owner, work)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Fibers end with their process."""


class VirtualEvent(Event):
    """Nobody waits for it longer than virtually."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._waiting: list[Fiber] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Let time pass, until it is set."""
        if not self.is_set():
            self._waiting.append(self._scheduler.current)
            self._scheduler.sleep(math.inf if timeout is None else timeout)
        return self.is_set()

    def set(self) -> None:
        """Wake who waits."""
        super().set()
        while self._waiting:
            self._scheduler.wake(self._waiting.pop())


class VirtualWaiting(Waiting):
    """Requests that wait in virtual time."""

    def __init__(self, scheduler: Scheduler, places: int) -> None:
        super().__init__(places)
        self._scheduler = scheduler

    @contextmanager
    def turn(self, seconds: float) -> Iterator[Turn]:
        """A turn on the virtual clock."""
        with super().turn(seconds) as turn:
            yield VirtualTurn(self._scheduler, seconds if turn.has_place else 0)


class VirtualTurn(Turn):
    """The time that one request may spend, on the virtual clock."""

    def __init__(self, scheduler: Scheduler, seconds: float) -> None:
        super().__init__(0, Future(), has_place=seconds > 0)
        self._scheduler = scheduler
        self._until_then = scheduler.time + seconds

    def result(self, future: Future[Generation | None]) -> Generation | None:
        """What the future gives in time."""
        while not future.done() and self._goes_on():
            self._scheduler.sleep(0.2)
        return future.result() if future.done() and not future.cancelled() else None

    def pause(self) -> bool:
        """Wait a little."""
        self._scheduler.sleep(0.2)
        return self._goes_on()

    def _goes_on(self) -> bool:
        return self._scheduler.time < self._until_then
