"""gunicorn's threaded worker and its log, made fit for strangers."""

from __future__ import annotations

import logging
import selectors
import signal
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from types import FrameType
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn, ThreadWorker

from core.errors import StoreUnavailableError
from core.masking import mask
from core.repeater import Repeater
from core.store.store import Store
from webhook.impatience import ImpatientSocket
from webhook.services import EXTENSION

RECEIVE_SECONDS = 20.0  # for head and body together
FAREWELL_SECONDS = 2.0  # a connection closed with bytes unread takes the answer with it
MAX_HELD_BYTES = 1 << 26  # of all requests that have begun to arrive
BEAT_SECONDS = 5.0

OnReadable = Callable[[TConn, ImpatientSocket], None]

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
        """Give a connection to a thread; something has come, or it has just been opened."""
        if not isinstance(conn.sock, ImpatientSocket):
            conn.sock = ImpatientSocket(conn.sock, is_stopping=lambda: not self.alive)
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> bool | None:
        """Answer; None where the request has not arrived, since no thread waits for a sender."""
        if not conn.sock.has_arrived():
            return None
        conn.data_ready = True
        answered: bool = super().handle(conn)
        return answered

    def finish_request(self, conn: TConn, future: Future[bool | None]) -> None:
        """Let the poller wait: for the rest of this request, the next one, or the farewell."""
        kept = not future.cancelled() and not future.exception() and future.result()
        if kept is None:
            until = conn.sock.began_at + RECEIVE_SECONDS
            self._wait_for(conn, until, self.on_pending_socket_readable)
        elif kept and conn.sock.expect_next():
            super().finish_request(conn, future)
        elif conn.sock.end_sending():
            self._wait_for(conn, time.monotonic() + FAREWELL_SECONDS, self._on_farewell)
        else:
            self._close(conn)

    def murder_pending(self) -> None:
        """Close what waits for too long, or takes too much of what there is for all."""
        now = time.monotonic()
        for conn in list(self.pending_conns):
            if not self.alive:
                conn.timeout = min(conn.timeout, now + FAREWELL_SECONDS)
            if conn.timeout <= now:
                self._give_up(conn)
        while sum(conn.sock.held for conn in self.pending_conns) > MAX_HELD_BYTES:
            largest = max(self.pending_conns, key=lambda conn: conn.sock.held)
            self._drop(largest, self.pending_conns)
        while self.nr_conns >= self.worker_connections:
            waiting = self.pending_conns or self.keepalived_conns
            if not waiting:
                return  # all of them are being answered
            self._drop(waiting[0], waiting)

    def _wait_for(self, conn: TConn, until: float, on_readable: OnReadable) -> None:
        conn.sock.setblocking(False)
        conn.timeout = until
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(on_readable, conn))

    def _on_farewell(self, conn: TConn, client: ImpatientSocket) -> None:
        if client.has_hung_up():
            self._drop(conn, self.pending_conns)

    def _give_up(self, conn: TConn) -> None:
        if conn.sock.cut():
            self.on_pending_socket_readable(conn, conn.sock)
        else:
            self._drop(conn, self.pending_conns)

    def _drop(self, conn: TConn, waiting: deque[TConn]) -> None:
        waiting.remove(conn)
        self.poller.unregister(conn.sock)
        self._close(conn)

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

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
