"""Strangers who read nothing, or send only half, keep nobody else from an answer."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest

from core.store.migrate import migrate
from tests.end_to_end.test_hanging_kie import is_healthy
from tests.support.processes import Process, free_port, wait_until
from tests.support.world import settings
from webhook.server import MAX_CONNECTIONS

REQUEST_THREADS = 6
STRANGERS = MAX_CONNECTIONS // 4 + 1  # of each of four kinds: more than are kept
LARGE = 1 << 26  # bytes, more than sockets hold


@contextmanager
def webhook(folder: Path, port: int, threads: int = REQUEST_THREADS) -> Iterator[Process]:
    """One process of few threads."""
    migrate(settings(folder).database)
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "REQUEST_THREADS": str(threads),
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


#: What a stranger sends before it falls silent for good.
BEGINNINGS = {
    "nothing": b"",
    "half a head": b"POST /api/kie/callback HTTP/1.1\r\nHost: loc",
    "half a body": b"POST /api/kie/callback HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Length: 99\r\n\r\n{",
    "half a chunk": b"POST /api/kie/callback HTTP/1.1\r\nHost: localhost\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n63\r\n{",
}
GOODBYE = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Strangers:
    """So many connections of each beginning, and so many that never hang up once answered."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connections = [
            (beginning, self._opened(beginning))
            for beginning in BEGINNINGS.values()
            for _ in range(STRANGERS)
        ]
        self._answered = [self._opened(GOODBYE) for _ in range(STRANGERS)]

    def _opened(self, beginning: bytes) -> socket.socket:
        stranger = socket.create_connection(("127.0.0.1", self._port))
        stranger.sendall(beginning)
        return stranger

    def come_again(self) -> None:
        """Open again whichever was closed before it was answered."""
        for n, (beginning, stranger) in enumerate(self._connections):
            if has_ended(stranger):
                stranger.close()
                self._connections[n] = (beginning, self._opened(beginning))

    def close(self) -> None:
        for stranger in [*self._answered, *(stranger for _, stranger in self._connections)]:
            stranger.close()


def has_ended(reader: socket.socket) -> bool:
    try:
        while reader.recv(4096, socket.MSG_DONTWAIT):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize("threads", [REQUEST_THREADS, 16])
def test_health_and_callbacks_are_answered_while_many_take_their_time(
    tmp_path: Path, threads: int
) -> None:
    port = free_port()
    with webhook(tmp_path, port, threads), closing(Strangers(port)) as strangers:
        url = f"http://127.0.0.1:{port}/api"
        slowest = 0.0
        for _ in range(10):
            strangers.come_again()
            started = time.monotonic()
            assert httpx.get(f"{url}/health", timeout=5).status_code == 200
            assert httpx.post(f"{url}/kie/callback", content=b"{}", timeout=5).status_code == 401
            slowest = max(slowest, time.monotonic() - started)
    assert slowest < 5


@pytest.mark.processes  # it takes as long as the limit
@pytest.mark.parametrize("name", ["nothing", "half a head", "half a body", "half a chunk"])
def test_who_takes_too_long_is_told_so_where_a_head_has_come(
    listening: tuple[int, Process], name: str
) -> None:
    with socket.create_connection(("127.0.0.1", listening[0]), timeout=30) as sender:
        sender.sendall(BEGINNINGS[name])
        answer = b"".join(iter(lambda: sender.recv(4096), b""))
    assert (b'"body.cut"' in answer) == (name in ("half a body", "half a chunk"))


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


def test_who_is_refused_while_it_sends_gets_the_answer_and_no_reset(
    listening: tuple[int, Process],
) -> None:
    head = b"POST /api/kie/callback HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n"
    with socket.create_connection(("127.0.0.1", listening[0]), timeout=10) as sender:
        sender.sendall(head)
        answer = b"".join(iter(lambda: sender.recv(4096), b""))
        for _ in range(2000):
            sender.sendall(b"x" * 100)
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_reader_who_takes_all_of_a_file_gets_it(tmp_path: Path) -> None:
    stored(tmp_path)
    port = free_port()
    with webhook(tmp_path, port):
        answer = httpx.get(f"http://127.0.0.1:{port}/assets/a.mp4")
    assert len(answer.content) == LARGE


CALLBACK = b"POST /api/kie/callback HTTP/1.1\r\nHost: localhost\r\n"
#: What two servers in a row could read differently, and what nobody needs.
ODD = {
    "two lengths": CALLBACK + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
    "length and chunks": CALLBACK
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks by another name": CALLBACK + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks twice": CALLBACK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "a negative length": CALLBACK + b"Content-Length: -1\r\n\r\n",
    "a length with a sign": CALLBACK + b"Content-Length: +2\r\n\r\n{}",
    "a length that is no number": CALLBACK + b"Content-Length: 2x\r\n\r\n{}",
    "a space before the colon": CALLBACK + b"Content-Length : 2\r\n\r\n{}",
    "a folded header": CALLBACK + b"X-A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}",
    "a NUL in a header": CALLBACK + b"X-A: b\0c\r\n\r\n",
    "a bad chunk": CALLBACK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
    "a long line": b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "many headers": CALLBACK + b"".join(b"X-%d: y\r\n" % n for n in range(500)) + b"\r\n",
    "a long header": CALLBACK + b"X-A: " + b"b" * 20_000 + b"\r\n\r\n",
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "HTTP/0.9": b"GET /api/health\r\n\r\n",
    "too much, in chunks": CALLBACK
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + (b"10000\r\n" + b"x" * 0x10000 + b"\r\n") * 20
    + b"0\r\n\r\n",
    "too much, as announced": CALLBACK + b"Content-Length: 99999999999\r\n\r\n" + b"x" * 100,
}
BEHIND = b"GET /api/debug/kie?smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


def said_to(port: int, request: bytes) -> bytes:
    """All that the server says to a request and one behind it, until it hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sender:
        answer = b""
        try:
            sender.sendall(request + BEHIND)
            sender.shutdown(socket.SHUT_WR)
            while part := sender.recv(65_536):
                answer += part
        except ConnectionError:  # it hangs up on what it did not read
            pass
        return answer


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Process]]:
    port = free_port()
    with webhook(tmp_path_factory.mktemp("odd"), port) as process:
        yield port, process


@pytest.mark.parametrize("name", ODD)
def test_an_odd_request_is_refused_and_nothing_behind_it_is_served(
    listening: tuple[int, Process], name: str
) -> None:
    port, process = listening
    answer = said_to(port, ODD[name])
    assert b" 200 OK" not in answer
    assert b"generations" not in answer
    assert is_healthy(f"http://127.0.0.1:{port}")
    assert max(map(len, process.output.splitlines()), default=0) < 10_000
    assert process.output.count("\n") < 5 * len(ODD)
