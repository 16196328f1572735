"""Processes that a test starts, and waiting for what they do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 20.0

T = TypeVar("T")


def wait_until(look: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """The first thing that `look` sees; AssertionError where it sees nothing in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.03)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Process:
    """A process in a group of its own, its output in a file."""

    def __init__(self, log: Path, environment: dict[str, str], *arguments: str) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The id of the process itself, and of its group."""
        return self._process.pid

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self._log.read_text("utf-8", "replace")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and its children, as a terminal or a kernel does."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def ended(self, seconds: float = PATIENCE_SECONDS) -> int:
        """The exit code; raises TimeoutExpired."""
        return self._process.wait(seconds)

    def kill(self) -> None:
        """SIGKILL to all of it, and wait."""
        self.signal(signal.SIGKILL)
        self.ended()

    def says(self, words: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for words in its output."""
        wait_until(lambda: words in self.output or self._process.poll() is not None, words, seconds)
        assert words in self.output, f"ended with {self._process.returncode} before {words!r}"
