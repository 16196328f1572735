"""A media host on a free port of this machine, with real sockets, that can cut and redirect."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RESET = struct.pack("ii", 1, 0)  # linger for 0 s: close with RST


@dataclass(frozen=True)
class Cut:
    """End an answer after that many bytes of its body."""

    after: int
    reset: bool = False  # else closed in good order


@dataclass
class MediaHost:
    """What it serves, what it does wrong next, and what it was asked."""

    base_url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    etag: str | None = '"v1"'
    told_length: Callable[[int], int | None] = int  # what Content-Length says; None: it is absent
    ranges: bool = True
    cuts: list[Cut] = field(default_factory=list)  # one for each answer to come
    requests: list[dict[str, str]] = field(default_factory=list)  # headers, in lower case

    def url(self, path: str) -> str:
        return f"{self.base_url}{path}"

    @property
    def asked_ranges(self) -> list[str | None]:
        return [request.get("range") for request in self.requests]


class _Server(ThreadingHTTPServer):
    host: MediaHost

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each body waits for its head to be acknowledged
    server: _Server

    def do_GET(self) -> None:
        host = self.server.host
        host.requests.append({name.lower(): value for name, value in self.headers.items()})
        if self.path in host.redirects:
            self._head(302, b"", location=host.redirects[self.path])
        elif self.path in host.files:
            self._serve(host, host.files[self.path])
        else:
            self._head(404, b"")

    def _serve(self, host: MediaHost, data: bytes) -> None:
        headers = {} if host.etag is None else {"etag": host.etag}
        asked = self.headers.get("range")
        if asked and host.ranges and self.headers.get("if-range") == host.etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            content_range = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self._head(206, data[start:], content_range=content_range, **headers)
            self._body(host, data[start:])
        else:
            self._head(200, data, **headers)
            self._body(host, data)

    def _head(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        length = self.server.host.told_length(len(body))
        if length is not None:
            self.send_header("content-length", str(length))
        self.close_connection |= length != len(body)
        self.end_headers()

    def _body(self, host: MediaHost, body: bytes) -> None:
        cut = host.cuts.pop(0) if host.cuts else None
        self.wfile.write(body if cut is None else body[: cut.after])
        if cut is not None:
            self.close_connection = True
            if cut.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def log_message(self, format: str, *args: object) -> None:
        """Tests read `requests` instead."""


@contextmanager
def media_host() -> Iterator[MediaHost]:
    """A host that serves until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.host = MediaHost(base_url=f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def dripping_host(head: bytes) -> Iterator[str]:
    """A host that says this to its first caller, and then a byte now and then; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_drip, args=(listener, head))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/a"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _drip(listener: socket.socket, head: bytes) -> None:
    with suppress(OSError), listener.accept()[0] as caller:
        caller.sendall(head)
        caller.settimeout(0.05)
        while True:
            caller.sendall(b"x")  # raises once the caller is gone
            with suppress(TimeoutError):
                caller.recv(4096)
