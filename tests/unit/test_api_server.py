"""Starting, refusing to start, and readers that take their time."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.store.migrate import migrate
from tests.support.world import settings
from webhook.impatience import ImpatientSocket
from webhook.server import listen, serving
from webhook.worker import _masked

ROOT = Path(__file__).parents[2]


def start(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m webhook` where it cannot start."""
    return subprocess.run(
        [sys.executable, "-m", "webhook"],
        cwd=ROOT,
        env=os.environ | {"DATA_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"PORT": "many"}, "PORT"),
        ({"BIND": "0.0.0.0"}, "API_TOKEN, KIE_CALLBACK_SECRET, KIE_API_KEY"),
        ({}, "database"),
    ],
)
def test_a_refused_start_is_one_line_and_exit_code_2(
    tmp_path: Path, environment: dict[str, str], names: str
) -> None:
    ended = start(tmp_path, **environment)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert ended.stderr.startswith("webhook: ")
    assert names in ended.stderr


def test_a_port_that_is_taken_refuses_the_start(tmp_path: Path) -> None:
    migrate(settings(tmp_path).database)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = start(tmp_path, PORT=str(taken.getsockname()[1]))
    assert ended.returncode == 2
    assert "Address already in use" in ended.stderr


def test_an_address_that_is_not_ours_cannot_be_listened_at(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1"):
        listen(settings(tmp_path, bind="192.0.2.1"))


def test_a_worker_process_opens_all_and_closes_all(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    migrate(chosen.database)
    with serving(chosen) as app:
        assert app.test_client().get("/api/health").status_code == 200


def test_a_reader_who_stops_reading_is_gone() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(ConnectionResetError):
        ImpatientSocket(ours, stall_seconds=0.05).sendall(bytes(1 << 24))
    assert ours.fileno() == -1


def test_a_reader_who_reads_slowly_gets_all() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(ImpatientSocket(ours, stall_seconds=5).sendall, bytes(1 << 22))
        left = 1 << 22
        while left:
            left -= len(theirs.recv(min(left, 1 << 16)))
        assert sending.result(5) is None


def test_while_the_process_stops_nobody_who_stalls_is_waited_for() -> None:
    ours, theirs = socket.socketpair()
    started = time.monotonic()
    with ours, theirs, pytest.raises(ConnectionResetError):
        ImpatientSocket(ours, is_stopping=lambda: True).sendall(bytes(1 << 24))
    assert time.monotonic() - started < 10


def test_lines_of_the_server_are_masked() -> None:
    request = "Error handling request %s %s"
    url = "/api/kie/callback?generation=1&token=abc"
    record = logging.LogRecord("gunicorn", logging.ERROR, "", 0, request, ("POST", url), None)
    assert _masked(record)
    assert record.getMessage() == (
        "Error handling request POST /api/kie/callback?generation=1&token=***"
    )
