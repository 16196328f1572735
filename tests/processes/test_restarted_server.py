"""PostgreSQL crashes and starts again under load, and nobody else is restarted."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.store.migrate import migrate
from tests.processes.load import BAD_DAY, finish, submitted
from tests.processes.points import MADE
from tests.processes.test_load import DELIVERED, all_are_delivered_once, answers
from tests.processes.victims import Victim
from tests.support.audit import audit
from tests.support.postgres import Server
from tests.support.processes import wait_until
from tests.support.simulator import SPEECH
from tests.support.site import Site, open_site

TASKS, CRASHES = 200, 3


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of our own, with a migrated database."""
    started = Server()
    migrate(started.url_of("postgres"))
    yield started
    started.close()


@pytest.fixture
def site(tmp_path: Path, server: Server) -> Iterator[Site]:
    """A site on it."""
    with open_site(tmp_path, server.url_of("postgres"), web_concurrency=2) as opened:
        yield opened
        assert audit(opened.data, opened.database_url) == []


def test_a_server_crashes_again_and_again_while_tasks_end(site: Site, server: Server) -> None:
    site.faults(**BAD_DAY)
    site.web()
    site.poller()
    site.poller()
    tasks = submitted(site, TASKS)
    with ThreadPoolExecutor(1) as pool:
        for crash in range(CRASHES):
            share = tasks[crash::CRASHES]
            delivered = len(site.rows(DELIVERED))
            ending = pool.submit(finish, site, share)
            wait_until(lambda: len(site.rows(DELIVERED)) > delivered, "deliveries go on", 40)  # noqa: B023
            server.stop()
            ending.result()
            wait_until(lambda: 503 in answers(site), "a callback was answered 503")
            server.start()
    all_are_delivered_once(site, TASKS)


def test_a_task_id_that_no_database_takes_survives_its_process(site: Site, server: Server) -> None:
    site.faults(callback_none=True)
    site.add(SPEECH)
    victim = Victim(site, "poller", [MADE])
    victim.halted()
    server.stop()
    victim.wake()
    folder = site.data / "accepted-tasks"
    wait_until(lambda: list(folder.glob("*.task")), "the task id is in a file")
    victim.process.kill()
    server.start()
    site.poller()
    assert [row["status"] for row in site.wait_for_all()] == ["success"]
    assert site.ledger()["calls"] == 1
    assert list(folder.iterdir()) == []
