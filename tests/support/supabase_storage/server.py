"""The double's HTTP server: who may ask, which function answers, and how answers go wrong."""

from __future__ import annotations

import re
import select
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.supabase_storage import objects, resumable
from tests.support.supabase_storage.faults import Fault, taken
from tests.support.supabase_storage.state import State
from tests.support.supabase_storage.wire import (
    PIECE_BYTES,
    Answer,
    Body,
    CutError,
    RefusedError,
    Request,
    json_answer,
    refused,
)

PREFIX = "/storage/v1"
RESET = struct.pack("ii", 1, 0)  # linger for 0 s: close with RST
DRAINED_BYTES = 1 << 18  # of a refused body that much is read, and no more
RECEIVE_BUFFER_BYTES = 1 << 16
OPEN = re.compile(r"GET /object/(public|sign)/|HEAD /object/public/")


class Server(ThreadingHTTPServer):
    """One run of the double."""

    daemon_threads = False  # each is waited for

    def __init__(self, port: int, state: State, key: str, anon_key: str) -> None:
        self.state, self.key, self.anon_key = state, key, anon_key
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.limit: int | None = None
        self.drains = False
        self.stopping = Event()
        self.callers: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def server_bind(self) -> None:
        """Listen with a small buffer, so that a body that is not read soon stops its sender."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        super().server_bind()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.callers.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.callers.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Break every connection."""
        self.stopping.set()
        for caller in tuple(self.callers):
            with suppress(OSError):
                caller.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what many tests are about."""


Route = Callable[..., Answer]
ROUTES: list[tuple[str, Route]] = [
    (r"POST /bucket", objects.create_bucket),
    (r"GET /bucket/(?P<bucket>[^/]+)", objects.show_bucket),
    (r"POST /object/list-v2/(?P<bucket>[^/]+)", objects.list_v2),
    (r"POST /object/sign/(?P<bucket>[^/]+)/(?P<key>.*)", objects.sign),
    (r"GET /object/sign/(?P<bucket>[^/]+)/(?P<key>.*)", objects.download_signed),
    (r"GET /object/info/(?P<bucket>[^/]+)/(?P<key>.*)", objects.show_info),
    (r"(GET|HEAD) /object/public/(?P<bucket>[^/]+)/(?P<key>.*)", objects.download_public),
    (r"DELETE /object/(?P<bucket>[^/]+)", objects.remove),
    (r"(GET|HEAD) /object/(?P<bucket>[^/]+)/(?P<key>.*)", objects.download),
    (r"HEAD /upload/resumable/(?P<upload_id>[A-Za-z0-9_-]+)", resumable.look),
    (r"PATCH /upload/resumable/(?P<upload_id>[A-Za-z0-9_-]+)", resumable.append),
    (r"DELETE /upload/resumable/(?P<upload_id>[A-Za-z0-9_-]+)", resumable.end),
]
UPLOAD = re.compile(r"(POST|PUT) /object/(?P<bucket>[^/]+)/(?P<key>.*)")


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        path = _normalised(unquote(parts.path)).removeprefix(PREFIX)
        fault = taken(self.server.faults, f"{self.command} {path}")
        cut_after = fault.after if fault and fault.kind == "cut" else None
        request = Request(
            method=self.command,
            path=path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=Body(self.rfile, self.headers, cut_after),  # type: ignore[arg-type]
        )
        self.server.requests.append(request)
        try:
            self._react(request, fault)
        except (CutError, OSError):
            self._reset()

    def _react(self, request: Request, fault: Fault | None) -> None:
        match fault:
            case Fault(kind="hang"):
                self._wait_for_the_end()
            case Fault(kind="answer"):
                self._send(Answer(fault.status, fault.body, fault.headers), request)
            case Fault(kind="forget"):
                for _ in request.body.pieces():
                    pass
                self._send(json_answer({"Key": request.path, "Id": "1"}), request)
            case Fault(kind="lose_answer"):
                self._answer(request)
                self._reset()
            case Fault(kind="truncate"):
                answer = self._answer(request)
                self._head(answer, len(answer.body) or answer.size)
                self.wfile.write(answer.body[: len(answer.body) // 2])
                self.close_connection = True
            case Fault(kind="drip"):
                self._head(self._answer(request), 1 << 20)
                while not self.server.stopping.wait(0.05):
                    self.wfile.write(b" ")
            case _:
                self._send(self._answer(request), request)

    def _answer(self, request: Request) -> Answer:
        try:
            self._authorize(request)
            return self._routed(request)
        except RefusedError as error:
            return error.answer

    def _authorize(self, request: Request) -> None:
        given = request.headers.get("authorization")
        if OPEN.match(request.line):
            return
        if given is None and request.method in ("GET", "HEAD"):
            bucket = self.server.state.buckets.get(request.path.split("/")[2])
            if bucket is not None and bucket.public and request.path.startswith("/object/"):
                return
        if given is None:
            message = "headers must have required property 'authorization'"
            raise refused(400, "Error", message, "InvalidRequest")
        if given == f"Bearer {self.server.anon_key}":
            self._refuse_stranger(request)
        if given != f"Bearer {self.server.key}":
            raise refused(403, "Unauthorized", "signature verification failed", "AccessDenied")

    def _refuse_stranger(self, request: Request) -> None:
        """The anonymous key without a policy: nothing is seen, nothing is written."""
        if request.method in ("GET", "HEAD"):
            raise refused(404, "Bucket not found", "Bucket not found", "NoSuchBucket")
        message = "new row violates row-level security policy"
        raise refused(403, "Unauthorized", message, "AccessDenied")

    def _routed(self, request: Request) -> Answer:
        state, limit = self.server.state, self.server.limit
        for pattern, route in ROUTES:
            if found := re.fullmatch(pattern, request.line):
                return route(state, request, **found.groupdict())
        if request.line == "POST /upload/resumable":
            return resumable.create(state, request, f"{self.server.url}{PREFIX}", limit)
        if request.path.startswith("/upload/resumable/"):
            raise RefusedError(Answer(400, b"Invalid upload id", {"content-type": "text/plain"}))
        if found := UPLOAD.fullmatch(request.line):
            return objects.upload(state, request, **found.groupdict(), limit=limit)
        message = f"Route {request.line} not found"
        body = {"statusCode": 404, "error": "Not Found", "message": message}
        raise RefusedError(json_answer(body, 404))

    def _send(self, answer: Answer, request: Request) -> None:
        self._head(answer, len(answer.body) if answer.file is None else answer.size)
        if self.command != "HEAD":
            self._write_body(answer)
        self.wfile.flush()
        if request.body.unread > DRAINED_BYTES and not self.server.drains:
            self._wait_for_the_end()
        else:
            for _ in request.body.pieces():
                pass

    def _write_body(self, answer: Answer) -> None:
        self.wfile.write(answer.body)
        if answer.file is None:
            return
        left = answer.size
        with answer.file.open("rb") as file:
            file.seek(answer.start)
            while left and (piece := file.read(min(PIECE_BYTES, left))):
                self.wfile.write(piece)
                left -= len(piece)

    def _head(self, answer: Answer, length: int) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("content-length", str(length))
        self.end_headers()

    def _wait_for_the_end(self) -> None:
        """Read nothing more, until the client goes or the double stops."""
        self.close_connection = True
        poll = select.poll()
        poll.register(self.connection, select.POLLRDHUP)
        while not poll.poll(50) and not self.server.stopping.is_set():
            pass

    def _reset(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def log_message(self, format: str, *args: object) -> None:
        """Tests read `requests` instead."""


def _normalised(path: str) -> str:
    """Without `..`; double slashes stay."""
    kept: list[str] = []
    for part in path.split("/"):
        if part == ".." and kept:
            kept.pop()
        elif part != "..":
            kept.append(part)
    return "/".join(kept)
