"""Strangers who read nothing, or send only half, keep nobody else from an answer."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from core.store.migrate import migrate
from tests.end_to_end.test_hanging_kie import is_healthy
from tests.support.processes import Process, free_port, wait_until
from tests.support.world import settings

REQUEST_THREADS = 6
LARGE = 1 << 26  # bytes, more than sockets hold


@contextmanager
def webhook(folder: Path, port: int) -> Iterator[Process]:
    """One process of few threads."""
    migrate(settings(folder).database)
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "REQUEST_THREADS": str(REQUEST_THREADS),
    }
    process = Process(folder / "webhook.log", environment, "webhook")
    try:
        wait_until(lambda: is_healthy(f"http://127.0.0.1:{port}"), "the webhook answers")
        yield process
    finally:
        process.kill()


def stored(folder: Path) -> None:
    """A large file of nothing but a hole."""
    (folder / "assets").mkdir()
    with (folder / "assets/a.mp4").open("wb") as file:
        file.truncate(LARGE)


def ask_and_read_nothing(port: int) -> socket.socket:
    reader = socket.create_connection(("127.0.0.1", port))
    reader.sendall(b"GET /assets/a.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return reader


def status(reader: socket.socket) -> bytes:
    reader.settimeout(10)
    return reader.recv(12)[9:]


def test_requests_are_answered_and_the_process_stops_while_readers_do_not_read(
    tmp_path: Path,
) -> None:
    stored(tmp_path)
    port = free_port()
    with webhook(tmp_path, port) as process, ExitStack() as readers:
        asked = [
            readers.enter_context(ask_and_read_nothing(port)) for _ in range(2 * REQUEST_THREADS)
        ]
        answers = [status(reader) for reader in asked]
        assert is_healthy(f"http://127.0.0.1:{port}")
        started = time.monotonic()
        process.signal(signal.SIGTERM)
        assert process.ended() == 0
    assert (answers.count(b"200"), set(answers)) == (2, {b"200", b"503"})
    assert time.monotonic() - started < 10


def test_a_callback_that_comes_by_half_is_refused(tmp_path: Path) -> None:
    port = free_port()
    with webhook(tmp_path, port), socket.create_connection(("127.0.0.1", port)) as sender:
        head = b"POST /api/kie/callback HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n"
        sender.sendall(head + b'{"code": 200}')
        sender.shutdown(socket.SHUT_WR)
        sender.settimeout(10)
        answer = b"".join(iter(lambda: sender.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400")
    assert b'"body.cut"' in answer


def test_a_reader_who_takes_all_of_a_file_gets_it(tmp_path: Path) -> None:
    stored(tmp_path)
    port = free_port()
    with webhook(tmp_path, port):
        answer = httpx.get(f"http://127.0.0.1:{port}/assets/a.mp4")
    assert len(answer.content) == LARGE
