"""A webhook on a socket that somebody else holds, as supervisor and systemd hand it over."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.store.migrate import migrate
from deploy.trial import HAND_OVER
from tests.support.processes import ROOT
from tests.support.world import settings

REQUEST = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@contextmanager
def started(folder: Path, standard_input: int) -> Iterator[subprocess.Popen[str]]:
    """The webhook as deploy/supervisor.conf starts it."""
    with subprocess.Popen(
        ["sh", "-c", HAND_OVER, sys.executable],
        cwd=ROOT,
        env=os.environ | {"DATA_DIR": str(folder), "WEB_CONCURRENCY": "1"},
        stdin=standard_input,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_socket_stays_open_from_one_process_to_the_next(tmp_path: Path) -> None:
    migrate(settings(tmp_path).database)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for _ in range(2):
            with socket.create_connection(listener.getsockname()) as early:
                early.sendall(REQUEST)
                early.settimeout(20)
                with started(tmp_path, listener.fileno()) as process:
                    assert early.recv(12) == b"HTTP/1.1 200"
                    process.terminate()
                    _, said = process.communicate(timeout=20)
            assert process.returncode == 0, said


def test_what_is_no_socket_cannot_be_listened_at(tmp_path: Path) -> None:
    migrate(settings(tmp_path).database)
    with (tmp_path / "none").open("w") as file, started(tmp_path, file.fileno()) as process:
        _, said = process.communicate(timeout=20)
    assert process.returncode == 2
    assert said == "webhook: LISTEN_FDS: descriptor 3 is not a listening socket\n"


def test_supervisor_hands_it_over_in_the_same_words() -> None:
    ours = HAND_OVER.replace('"$0"', ".venv/bin/python")
    assert f"command=sh -c '{ours}'" in (ROOT / "deploy/supervisor.conf").read_text()
