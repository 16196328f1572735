"""While KIE hangs, creates and syncs wait for it; callbacks are answered all the same."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from core.generation.model import Generation
from core.ids import new_id
from core.store.migrate import migrate
from core.wiring import open_core
from tests.support.api import BODY, SECRET, told
from tests.support.processes import Process, free_port, wait_until
from tests.support.world import settings


def hanging_kie() -> socket.socket:
    """A server that takes every connection and never says a word, until it is closed."""
    return socket.create_server(("127.0.0.1", 0), backlog=512)


@contextmanager
def webhook(folder: Path, kie: socket.socket) -> Iterator[str]:
    """`python -m webhook` on a free port; it has to end cleanly on SIGTERM."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "KIE_BASE_URL": f"http://127.0.0.1:{kie.getsockname()[1]}",
        "KIE_CALLBACK_SECRET": SECRET,
    }
    process = Process(folder / "webhook.log", environment, "webhook")
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: is_healthy(url), "the webhook answers")
        yield url
        process.signal(signal.SIGTERM)
        assert process.ended() == 0
    finally:
        process.kill()


def is_healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/health").is_success
    except httpx.TransportError:
        return False


def submitted(folder: Path, task_ids: list[str]) -> None:
    """Generations of which KIE is said to have accepted the tasks."""
    chosen = settings(folder)
    migrate(chosen.database)
    with open_core(chosen) as core:
        now = core.store.now()
        for task_id in task_ids:
            generation = Generation(
                id=new_id(),
                family="market",
                model="m",
                input={},
                created_at=now,
                updated_at=now,
                task_id=task_id,
                submit_started_at=now,
                submitted_at=now,
            )
            core.store.generations.add(generation)


def sync(client: httpx.Client, task_id: str) -> httpx.Response:
    return client.get("/api/kie/sync", params={"taskId": task_id})


def call_back(client: httpx.Client, task_id: str) -> httpx.Response:
    return client.post("/api/kie/callback", params={"secret": SECRET}, json=told(task_id))


def test_callbacks_are_answered_while_fifty_creates_and_fifty_syncs_hang(tmp_path: Path) -> None:
    task_ids = [f"task-{number}" for number in range(50)]
    submitted(tmp_path, task_ids)
    with (
        hanging_kie() as kie,
        webhook(tmp_path, kie) as url,
        httpx.Client(base_url=url, timeout=30, limits=httpx.Limits(max_connections=120)) as client,
        ThreadPoolExecutor(100) as pool,
    ):
        slow = [pool.submit(client.post, "/api/kie/createTask", json=BODY) for _ in task_ids]
        slow += [pool.submit(sync, client, task_id) for task_id in task_ids]
        wait_until(lambda: sum(request.done() for request in slow) >= 50, "half may not wait")
        started = time.monotonic()
        answers = [call_back(client, task_id) for task_id in task_ids]
        took = time.monotonic() - started
        still_waiting = [request for request in slow if not request.done()]
        kie.close()
    assert {answer.status_code for answer in answers} == {200}
    assert took < 5
    assert still_waiting
    assert {request.result().status_code for request in slow} <= {200, 202}
