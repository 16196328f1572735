"""A time limit for a whole HTTP exchange.

httpx bounds each read by itself, so a server that drips bytes holds a thread for ever. Here the
socket knows when the exchange must be over:

    client = httpx.Client(transport=BoundedTransport(httpcore.SyncBackend(), limits))
    with time_limit(15):
        client.get(url)  # raises an httpx.TimeoutException after 15 seconds at the latest
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore
import httpx

READ_BYTES = 1 << 18
PIECE_BYTES = 1 << 16  # written at once; the time left is looked at between two

_ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Whatever this thread connects, reads and writes inside is over in time; the innermost counts.

    Only for clients with a `BoundedTransport`. Looking up a host's name is left to the system.
    """
    token = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


class BoundedTransport(httpx.HTTPTransport):
    """httpx's own transport, over sockets of `backend` that keep to the `time_limit`.

    httpx offers no way to pass a network backend, so its pool is built here and its constructor is
    not called: should httpx rename the attribute, requests fail instead of going out unbounded.
    """

    def __init__(self, backend: httpcore.NetworkBackend, limits: httpx.Limits) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_BoundedBackend(backend),
        )


class _BoundedBackend(httpcore.NetworkBackend):
    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        try:
            stream = self._backend.connect_tcp(host, port, left, local_address, socket_options)
        except UnicodeError as error:
            raise httpcore.ConnectError(f"not a host name: {error}") from error
        return _BoundedStream(stream)


class _BoundedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # httpcore asks for 64 KiB, and takes more. Fewer reads are fewer hand-overs of the
        # interpreter: eight threads then fetch a quarter more files in the same time.
        wanted = max(max_bytes, READ_BYTES)
        return self._stream.read(wanted, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), PIECE_BYTES):
            piece = buffer[start : start + PIECE_BYTES]
            self._stream.write(piece, _left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _BoundedStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None, expired: type[httpcore.TimeoutException]) -> float | None:
    ends_at = _ends_at.get()
    if ends_at is None:
        return timeout
    left = ends_at - time.monotonic()
    if left <= 0:
        raise expired("the time for the whole exchange is over")
    return left if timeout is None else min(timeout, left)
