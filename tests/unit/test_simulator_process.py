from __future__ import annotations

import json
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.server import Options, running
from tests.support.simulator import IMAGE, KEY

PATIENCE = 20


@contextmanager
def receiver() -> Iterator[tuple[str, queue.Queue[Any]]]:
    """A URL, and the bodies that were posted to it."""
    got: queue.Queue[Any] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", got
        server.shutdown()
        thread.join()


@contextmanager
def simulator(data: Path, *flags: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A simulator process of its own, and where it answers."""
    command = [sys.executable, "-m", "simulator", "--port", "0", "--data", str(data), *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1], process
        finally:
            process.kill()


def create(base_url: str, callback_url: str | None) -> str:
    body = {**IMAGE, "callBackUrl": callback_url}
    answer = httpx.post(f"{base_url}/api/v1/jobs/createTask", json=body, headers=KEY)
    task_id: str = answer.json()["data"]["taskId"]
    return task_id


def known_after(base_url: str, task_id: str, *, downloads: int) -> dict[str, Any]:
    """The ledger's view of the task, once it has a delivered callback and so many downloads."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        known: dict[str, Any] = httpx.get(f"{base_url}/simulator/ledger?taskId={task_id}").json()
        if known["callbacks"] and len(known["downloads"]) == downloads:
            return known
    raise AssertionError(f"not in time: {known}")


def test_a_killed_simulator_comes_back_with_all_it_had(tmp_path: Path) -> None:
    with receiver() as (hook, got):
        with simulator(tmp_path, "--speed", "1000") as (base_url, process):
            task_id = create(base_url, hook)
            data = got.get(timeout=PATIENCE)["data"]
            path = httpx.URL(json.loads(data["resultJson"])["resultUrls"][0]).path
            whole = httpx.get(base_url + path)
            known_after(base_url, task_id, downloads=1)
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE)
        with simulator(tmp_path) as (base_url, _):
            part = httpx.get(base_url + path, headers={"Range": "bytes=1000-"})
            known = known_after(base_url, task_id, downloads=2)
    assert (part.status_code, part.content) == (206, whole.content[1000:])
    assert (known["state"], len(known["callbacks"])) == ("success", 1)
    assert got.empty()


def test_a_task_cut_short_by_a_kill_is_finished_and_told_by_the_next_process(
    tmp_path: Path,
) -> None:
    with receiver() as (hook, got):
        with simulator(tmp_path, "--speed", "50") as (base_url, process):
            task_id = create(base_url, hook)
            process.kill()
            process.wait(PATIENCE)
        with simulator(tmp_path):
            assert got.get(timeout=PATIENCE)["data"]["taskId"] == task_id


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with simulator(tmp_path) as (_, process):
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0


def start_and_fail(*flags: str) -> tuple[int, list[str]]:
    command = [sys.executable, "-m", "simulator", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stderr.splitlines()


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, lines = start_and_fail("--port", str(port), "--data", str(tmp_path))
    assert (code, len(lines)) == (2, 1)
    assert str(port) in lines[0] and "in use" in lines[0]


def test_a_wrong_scenario_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "scenario.json"
    file.write_text('{"create_cutt": true}')
    code, lines = start_and_fail("--scenario", str(file), "--data", str(tmp_path))
    assert code == 2
    assert lines == [f"simulator: scenario {file}: unknown fault: create_cutt"]


@pytest.fixture
def base_url(tmp_path: Path) -> Iterator[str]:
    with running(Options(data=tmp_path, port=0, speed=1000)) as kie:
        yield kie.base_url


def test_it_runs_inside_a_test_too(base_url: str) -> None:
    with receiver() as (hook, got):
        task_id = create(base_url, hook)
        assert got.get(timeout=PATIENCE)["data"]["taskId"] == task_id


def test_a_cut_create_answer_breaks_the_connection(base_url: str) -> None:
    httpx.post(f"{base_url}/simulator/faults", json={"create_cut": True})
    with pytest.raises(httpx.RemoteProtocolError):
        create(base_url, None)
    assert len(httpx.get(f"{base_url}/simulator/ledger").json()["tasks"]) == 1


def test_a_cut_download_breaks_the_connection(base_url: str) -> None:
    faults = {"media_cut": {"next": 1, "value": 1000}, "callback_none": True}
    httpx.post(f"{base_url}/simulator/faults", json=faults)
    task_id = create(base_url, None)
    httpx.post(f"{base_url}/simulator/tasks/{task_id}/finish")
    url = f"{base_url}/media/{task_id}/0/1.png"
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url)
    assert httpx.get(url, headers={"Range": "bytes=1000-"}).status_code == 206
