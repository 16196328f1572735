"""Processes of a measurement: started, waited for, watched and always stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
PATH = f"{os.environ['PATH']}:/usr/sbin"  # nginx is there
READY_SECONDS = 20.0
STOP_SECONDS = 40.0
WORKERS_SETTLE_SECONDS = 1.5  # the first worker answers; the others are about to
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a folder, its output in a file there; stopped at the end."""
    with (folder / f"{Path(command[0]).name}.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=clean_environment(environment), stdout=log, stderr=log
        )
        try:
            yield process
        finally:
            _stop(process)


def clean_environment(more: Mapping[str, str]) -> dict[str, str]:
    """What a child needs to find this project, and nothing that could configure it."""
    return {"PATH": PATH, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **more}


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def output_of(
    command: Sequence[str], folder: Path = ROOT, environment: Mapping[str, str] | None = None
) -> str:
    """What a command prints. Raises CalledProcessError."""
    return subprocess.run(
        command,
        cwd=folder,
        env=clean_environment(environment or {}),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for_port(port: int) -> None:
    """Return once something listens there."""

    def listens() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    wait_until(listens, READY_SECONDS)


def wait_for_workers(port: int) -> None:
    """Return once a web server answers there: it listens before its workers have started."""

    def answers() -> bool:
        with suppress(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/api/health", trust_env=False)
            return True
        return False

    wait_until(answers, READY_SECONDS)
    time.sleep(WORKERS_SETTLE_SECONDS)


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.05) -> float:
    """Wait until it holds; how long that took. Raises TimeoutError."""
    started = time.perf_counter()
    while not condition():
        if time.perf_counter() - started > seconds:
            raise TimeoutError(f"not within {seconds:.0f} s")
        time.sleep(pause)
    return time.perf_counter() - started


def children(pid: int) -> list[int]:
    """The processes that a process has forked."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in found.split()]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / TICKS_PER_SECOND


def memory_kib(field: str, pid: int | str = "self") -> int:
    """A process's memory now (VmRSS) or at most (VmHWM), in KiB; this one's unless told."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise LookupError(field)
