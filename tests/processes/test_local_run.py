"""`make run`: one command, and one Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.support.audit import audit
from tests.support.processes import Process, free_port, wait_until
from tests.support.site import Site

STORED = re.compile(r"stored: (http\S+)")
STARTED = re.compile(r"(\w+) started \(pid=(\d+)\)")
MAGIC = (b"\x89PNG", b"ftyp", b"ID3")


@pytest.fixture
def laptop(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Folder, ports and a database, SQLite unless asked otherwise; nothing runs yet."""
    on_server = getattr(request, "param", "sqlite") == "postgresql"
    url = request.getfixturevalue("postgresql_url") if on_server else ""
    site = Site(tmp_path / "a folder with spaces", url)
    site.folder.mkdir()
    yield site
    for process in site.processes:
        process.signal(signal.SIGTERM)
        process.ended(seconds=40)
    site.close()


def run(site: Site, **settings: object) -> Process:
    """`python -m local.run` without a key, as on a fresh machine."""
    port = httpx.URL(site.kie_url).port
    fresh = {
        "kie_api_key": "",
        "simulator_port": port,
        "simulator_speed": 500,
        "dashboard_port": httpx.URL(site.dashboard_url).port,
    }
    return site.start("local.run", **{**fresh, **settings})


def children(process: Process) -> dict[str, int]:
    """Process ids by name."""
    return {name: int(pid) for name, pid in STARTED.findall(process.output)}


def running(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def stop(process: Process, number: signal.Signals = signal.SIGINT) -> None:
    """Ctrl-C, for example; asserts that it ends well and leaves nothing running."""
    process.signal(number)
    assert process.ended(seconds=10) == 0
    assert not [name for name, pid in children(process).items() if running(pid)]


@pytest.mark.parametrize("laptop", ["sqlite", "postgresql"], indirect=True)
def test_three_files_arrive_and_one_interrupt_ends_all_twice_in_a_row(laptop: Site) -> None:
    for _ in range(2):
        process = run(laptop)
        process.says("3 of 3 have a permanent URL")
        heads = [laptop.content(url)[:12] for url in STORED.findall(process.output)]
        assert all(any(magic in head for head in heads) for magic in MAGIC)
        process.says(f"dashboard: {laptop.dashboard_url}\n")
        wait_until(laptop.dashboard_answers, "the dashboard answers")
        stop(process)
    assert audit(laptop.data, laptop.database_url) == []
    assert len(laptop.rows("SELECT id FROM generations WHERE status = 'success'")) == 6


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_start_ends_all(laptop: Site, number: signal.Signals) -> None:
    process = run(laptop)
    process.says("started (pid=")
    stop(process, number)


def test_a_killed_runner_leaves_nothing_in_the_way_of_the_next(laptop: Site) -> None:
    process = run(laptop)
    wait_until(lambda: len(children(process)) == 5, "all have started")
    os.kill(process.pid, signal.SIGKILL)
    process.ended()
    wait_until(lambda: not [pid for pid in children(process).values() if running(pid)], "all end")
    process = run(laptop)
    process.says("have a permanent URL")
    stop(process)


def test_one_that_dies_ends_all_and_the_next_run_goes_on(laptop: Site) -> None:
    process = run(laptop, simulator_speed=0.01)
    process.says("waiting there")
    os.killpg(children(process)["poller"], signal.SIGKILL)
    assert process.ended() == 1
    assert "local: poller ended by itself (code -9), so all were stopped" in process.output
    process = run(laptop)
    process.says("still open from an earlier run")
    for row in laptop.rows("SELECT task_id FROM generations"):
        laptop.finish(row["task_id"])
    process.says("have a permanent URL")
    stop(process)
    assert audit(laptop.data, laptop.database_url) == []


def test_a_taken_port_is_said_in_one_line(laptop: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = run(laptop, simulator_port=port)
        assert process.ended() == 2
    why = f"port {port} of 127.0.0.1: Address already in use (SIMULATOR_PORT changes it)"
    assert process.output == f"local: simulator cannot listen at {why}\n"


def test_a_broken_setting_is_said_in_one_line(laptop: Site) -> None:
    process = run(laptop, port="many", lease_seconds=0)
    assert process.ended() == 2
    [line] = process.output.splitlines()
    assert "PORT" in line and "LEASE_SECONDS" in line


def test_with_a_real_key_nothing_is_created(laptop: Site) -> None:
    process = run(laptop, kie_api_key="real", kie_base_url=f"http://127.0.0.1:{free_port()}")
    process.says("Ctrl-C stops everything")
    assert "curl" in process.output and "callbacks will come to" in process.output
    assert laptop.rows("SELECT id FROM generations") == []
    stop(process)
