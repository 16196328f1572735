"""gunicorn's threaded worker and its log, made fit for strangers."""

from __future__ import annotations

import errno
import logging
import select
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn, ThreadWorker

from core.errors import StoreUnavailableError
from core.masking import mask
from core.repeater import Repeater
from core.store.store import Store
from webhook.services import EXTENSION

#: For head and body together. A thread that waits for a slow sender answers nobody else.
RECEIVE_SECONDS = 20.0
#: A reader who takes nothing for that long is gone; while the process stops, for a second.
STALL_SECONDS = 20.0
LOOK_SECONDS = 1.0
BEAT_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Worker(ThreadWorker):  # type: ignore[misc]
    """A threaded worker that slow senders and readers cannot keep busy."""

    def run(self) -> None:
        """Serve, and meanwhile let the database know that the webhook lives."""
        beat = heartbeat(self.wsgi.extensions[EXTENSION].core.store)
        beats = Repeater("heartbeat", BEAT_SECONDS, beat, at_once=True)
        beats.start()
        try:
            super().run()
        finally:
            beats.stop()

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection to a thread; from here on its request has to arrive."""
        if not isinstance(conn.sock, ImpatientSocket):
            conn.sock = ImpatientSocket(conn.sock, is_stopping=lambda: not self.alive)
        conn.sock.expect_all_within(RECEIVE_SECONDS)
        super().enqueue_req(conn)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGTERM: requests that wait for work answer with what there is."""
        if self.wsgi is not None:
            self.wsgi.extensions[EXTENSION].waiting.end()
        super().handle_exit(sig, frame)

    def is_parent_alive(self) -> bool:
        """Without the server: stop as on SIGTERM, else callers that keep connections keep us."""
        if super().is_parent_alive():
            return True
        self.handle_exit(signal.SIGTERM, None)
        return False


def heartbeat(store: Store) -> Callable[[], None]:
    """What to call again and again; while the database is away, each call is a line in the log.

    All worker processes are `web`: requests are answered as long as one of them lives. The counts
    are kept up to date here too, since there may be no poller.
    """
    say = store.processes.started

    def beat() -> None:
        nonlocal say
        try:
            say("web")
            say = store.processes.beat
            store.rollup.fold()
        except StoreUnavailableError as error:
            logger.warning("%s", error, extra={"event": "store.unavailable"})

    return beat


class ImpatientSocket:
    """A socket whose other end seems to be gone when it sends too slowly or reads nothing."""

    def __init__(
        self,
        wrapped: socket.socket,
        *,
        stall_seconds: float = STALL_SECONDS,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._socket = wrapped
        self._stall_seconds = stall_seconds
        self._is_stopping = is_stopping
        self._until = 0.0

    def expect_all_within(self, seconds: float) -> None:
        """Start the time anew."""
        self._until = time.monotonic() + seconds

    def recv(self, size: int) -> bytes:
        """What came; nothing, as at the end, once the time is up."""
        before = self._socket.gettimeout()
        left = max(0.001, self._until - time.monotonic())
        self._socket.settimeout(left if before is None else min(left, before))
        try:
            return self._socket.recv(size)
        except TimeoutError:
            return b""
        finally:
            self._socket.settimeout(before)

    def sendall(self, data: bytes) -> None:
        """Send, for as long as the reader goes on reading; ConnectionResetError otherwise."""
        rest = memoryview(data)
        while rest:
            self._await_reader()
            rest = rest[self._socket.send(rest, socket.MSG_DONTWAIT) :]

    def _await_reader(self) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        until = time.monotonic() + self._stall_seconds
        while not poll.poll(min(LOOK_SECONDS, self._stall_seconds) * 1000):
            if self._is_stopping() or time.monotonic() >= until:
                self._socket.close()  # now: a graceful close would wait for this very reader
                raise ConnectionResetError(errno.ECONNRESET, "the reader stopped reading")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class ServerLog(Logger):  # type: ignore[misc]
    """gunicorn's lines among all others. Some quote the request's URL, so they are masked."""

    def setup(self, cfg: Any) -> None:
        """Leave the output to the root logger."""
        super().setup(cfg)
        self.error_log.propagate = True
        self.error_log.addFilter(_masked)


def _masked(record: logging.LogRecord) -> bool:
    record.msg, record.args = mask(record.getMessage()), ()
    return True
