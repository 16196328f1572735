"""A connection that keeps no thread waiting: neither its sender nor its reader can."""

from __future__ import annotations

import errno
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from webhook.arriving import request_end

#: A reader who takes nothing for that long is gone; while the process stops, for a second.
STALL_SECONDS = 20.0
LOOK_SECONDS = 1.0
PIECE_BYTES = 1 << 16
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class ImpatientSocket:
    """A socket that gathers a request before it is read, and gives up a reader who stalls.

    `has_arrived` gathers, and says when `recv` may begin; neither of them waits.
    """

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
        self._begin()

    def _begin(self) -> None:
        self._received = bytearray()
        self._ends = request_end(self._received, self._invite)
        self._end: int | None = None
        self._is_cut = False
        self._read = 0
        self.began_at = time.monotonic()

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their request."""
        return len(self._received)

    def has_arrived(self) -> bool:
        """Take what is there; whether nothing more has to come."""
        if self._end is None and not self._is_cut:
            self._take()
        return self._end is not None or self._is_cut

    def cut(self) -> bool:
        """Nothing more is to come; whether anything came."""
        self._is_cut = True
        return bool(self._received)

    def recv(self, size: int) -> bytes:
        """What came of the request; nothing, as at the end, where the rest did not."""
        piece = bytes(self._received[self._read : self._read + size])
        self._read += len(piece)
        return piece

    def expect_next(self) -> bool:
        """Begin anew; False where the request was cut or read by half, or more came behind it."""
        if not self._end == self._read == len(self._received):
            return False
        self._begin()
        return True

    def end_sending(self) -> bool:
        """Let the reader see the end; False where it is gone."""
        self._begin()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            return True
        return False

    def has_hung_up(self) -> bool:
        """Throw away what is there; whether that was the end."""
        try:
            return not self._socket.recv(PIECE_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def sendall(self, data: bytes) -> None:
        """Send, for as long as the reader goes on reading; ConnectionResetError otherwise."""
        rest = memoryview(data)
        while rest:
            self._await_reader()
            rest = rest[self._socket.send(rest, socket.MSG_DONTWAIT) :]

    def _take(self) -> None:
        try:
            piece = self._socket.recv(PIECE_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        self._received += piece
        self._end = next(self._ends)
        self._is_cut = not piece

    def _invite(self) -> None:
        with suppress(OSError):  # reading will tell
            self._socket.send(CONTINUE, socket.MSG_DONTWAIT)

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
