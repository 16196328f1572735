"""The internet of a simulation: names, addresses, servers that are WSGI apps, and broken cables.

It stands where httpcore opens sockets, so everything above is the product's own: the guard, time
limits, HTTP itself.
"""

from __future__ import annotations

import io
import ssl
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote

import httpcore
from flask import Flask

App = Callable[..., Iterable[bytes]]
HEAD_END = b"\r\n\r\n"


class Trouble(Protocol):
    """What the caller's side decides at each turn; `point` may switch, and end the caller."""

    def point(self, what: str) -> None:
        """A call goes out, or an answer comes in."""
        ...

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        ...

    def cable(self, host: str) -> str | None:
        """What happens to this exchange: None, refused, timeout, lost or cut."""
        ...


@dataclass
class Internet:
    """Who is where. `connected` holds the address of every socket that was opened."""

    apps: dict[str, App] = field(default_factory=dict)  # by address
    names: dict[str, list[list[str]]] = field(
        default_factory=dict
    )  # answers in turn; the last stays
    connected: list[str] = field(default_factory=list)
    answering: Stream | None = None  # whose server is at work right now

    def delay(self, seconds: float) -> None:
        """The server that is at work takes this long before what it says next."""
        assert self.answering is not None
        self.answering.delay += seconds

    def serve(self, name: str, address: str, app: App) -> None:
        """Put a server on the internet."""
        self.names[name] = [[address]]
        self.apps[address] = app

    def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of a host, as `core.media.guard.Resolver` gives them."""
        if host.replace(".", "").isdigit() or ":" in host:
            return [host]
        answers = self.names.get(host)
        if answers is None:
            raise OSError(f"{host}: unknown name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Network(httpcore.NetworkBackend):
    """One process's way to the internet."""

    def __init__(self, internet: Internet, trouble: Trouble) -> None:
        self._internet = internet
        self._trouble = trouble

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to where a name or address leads."""
        self._trouble.point("connect")
        address = self._internet.resolve(host, port)[0]
        self._internet.connected.append(address)
        trouble = self._trouble.cable(host)
        if trouble == "timeout":
            self._trouble.wait(timeout or 10)
            raise httpcore.ConnectTimeout("no answer")
        if trouble == "refused" or address not in self._internet.apps:
            raise httpcore.ConnectError("connection refused")
        return Stream(self._internet, self._internet.apps[address], self._trouble, trouble)


class Cut:
    """Stands for a server's socket: shutting it down cuts the answer off."""

    def __init__(self) -> None:
        self.is_cut = False

    def shutdown(self, how: int) -> None:
        """Break the connection."""
        self.is_cut = True


class Stream(httpcore.NetworkStream):
    """A connection to a server, which answers one request on it.

    Its answer comes in pieces; between two of them others run.
    """

    def __init__(self, internet: Internet, app: App, trouble: Trouble, broken: str | None) -> None:
        self.delay = 0.0
        self._internet = internet
        self._app = app
        self._trouble = trouble
        self._broken = broken
        self._sent = bytearray()
        self._answer: Iterator[bytes] | None = None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send."""
        self._sent += buffer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next piece of the answer; nothing at its end."""
        self._trouble.point("network")
        piece = self._next_piece()
        if timeout is not None and self.delay > timeout:
            self._trouble.wait(timeout)
            raise httpcore.ReadTimeout("nothing came")
        if self.delay:
            self._trouble.wait(self.delay)
            self.delay = 0.0
        if self._broken == "cut" and piece:
            self._broken, self._answer = None, iter(())
            return piece[: len(piece) // 2]
        return piece

    def _next_piece(self) -> bytes:
        self._internet.answering = self
        if self._answer is None:
            self._answer = self._exchange()
            if self._broken == "lost":  # the server has done it, and nobody hears of that
                raise httpcore.ReadError("connection reset")
            if self._broken == "hang":
                self.delay = float("inf")
        return next(self._answer, b"")

    def close(self) -> None:
        """Hang up."""
        self._answer = iter(())

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """As if encrypted."""
        return self

    def get_extra_info(self, info: str) -> Any:
        """Nothing."""
        return None

    def _exchange(self) -> Iterator[bytes]:
        cut = Cut()
        head, body = call(self._app, request_environ(bytes(self._sent)), cut)
        return _pieces(head, body, cut)


def _pieces(head: bytes, body: Iterable[bytes], cut: Cut) -> Iterator[bytes]:
    pieces = iter(body)
    if cut.is_cut:
        return
    yield head + next(pieces, b"")
    yield from pieces


def request_environ(data: bytes) -> dict[str, Any]:
    """A WSGI environment for an HTTP/1.1 request with a Content-Length, or without a body."""
    head, _, body = data.partition(HEAD_END)
    line, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ", 2)
    headers = dict(line.split(": ", 1) for line in lines)
    return environ(method, target, headers, body)


def environ(method: str, target: str, headers: dict[str, str], body: bytes = b"") -> dict[str, Any]:
    """A WSGI environment."""
    path, _, query = target.partition("?")
    made: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path, "latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "server",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.9",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "https",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        made[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return made


def call(
    app: App | Flask, environment: dict[str, Any], cut: Cut | None = None
) -> tuple[bytes, Iterable[bytes]]:
    """The head and body of an app's answer."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    environment["werkzeug.socket"] = cut
    body = app(environment, lambda status, headers, _=None: started.append((status, headers)))
    status, headers = started[0]
    lines = [f"{name}: {value}" for name, value in headers if name.lower() != "connection"]
    head = "\r\n".join([f"HTTP/1.1 {status}", *lines, "connection: close"])
    return head.encode("latin-1") + HEAD_END, body
