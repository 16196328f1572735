"""Several machines on one PostgreSQL server, which may go away and come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from psycopg import sql

from core.store.migrate import migrate
from tests.support.audit import audit
from tests.support.pgbouncer import pooled
from tests.support.postgres import Server
from tests.support.processes import Process, free_port, wait_until
from tests.support.simulator import IMAGE, SPEECH
from tests.support.site import Site, open_site

PICTURE = {"model": IMAGE["model"], "input": IMAGE["input"]}
SHARED = {"kie_callback_secret": "all machines have the same", "web_concurrency": 2}


@pytest.fixture
def machines(tmp_path: Path, postgresql_url: str) -> Iterator[Site]:
    """A site whose settings other machines have too."""
    yield from audited(tmp_path, postgresql_url)


@pytest.fixture
def behind_pooler(tmp_path: Path, postgresql_url: str) -> Iterator[Site]:
    """A site that reaches its database through a pooler in transaction mode."""
    with pooled(postgresql_url) as through:
        yield from audited(tmp_path, through)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of our own, to be stopped and started."""
    started = Server()
    migrate(started.url_of("postgres"))
    yield started
    started.close()


@pytest.fixture
def restarted(tmp_path: Path, server: Server) -> Iterator[Site]:
    """A site on a server that the test restarts."""
    yield from audited(tmp_path, server.url_of("postgres"))


def audited(folder: Path, url: str) -> Iterator[Site]:
    storage = folder / "data" / "assets"
    with open_site(folder, url, storage_dir=storage, **SHARED) as site:
        yield site
        assert audit(site.data, url) == []


def other_machine(site: Site, module: str) -> Process:
    """One more process, with a folder and a port of its own."""
    number = len(site.processes)
    own = {"data_dir": site.folder / f"machine-{number}", "port": free_port()}
    process = site.start(module, **own)
    process.says('"poller.started"' if module == "poller" else "Listening at")
    return process


def delivered(site: Site) -> Counter[str]:
    rows = site.wait_for_all(60)
    return Counter(row["status"] for row in rows)


def test_machines_share_the_work_and_deliver_everything_once(machines: Site) -> None:
    machines.faults(callback_none=True)
    for _ in range(15):
        machines.add(SPEECH)
    for module in ("poller", "poller"):
        other_machine(machines, module)
    machines.web()
    assert delivered(machines) == {"success": 15}
    downloads = [len(task["downloads"]) for task in machines.ledger()["tasks"]]
    assert downloads == [1] * 15


def test_what_a_killed_machine_held_is_taken_over(machines: Site) -> None:
    machines.faults(callback_none=True, media_slow={"value": 100})
    machines.add(PICTURE)
    killed = other_machine(machines, "poller")
    machines.wait_for("lease_token IS NOT NULL AND provider_completed_at IS NOT NULL")
    killed.kill()
    machines.faults()
    other_machine(machines, "poller")
    assert machines.wait_for("status = 'success'", 17)["crashes"] == 1  # lease + 15 s


def test_kies_limit_holds_for_all_machines_together(machines: Site) -> None:
    machines.faults(outcome_stuck=True)
    for _ in range(24):
        machines.add(SPEECH)
    for module in ("poller", "poller", "webhook"):
        other_machine(machines, module)
    everything = "SELECT submitted_at FROM generations WHERE submitted_at IS NOT NULL"
    wait_until(lambda: len(machines.rows(everything)) == 24, "all are submitted", 40)
    times = sorted(row["submitted_at"] for row in machines.rows(everything))
    assert all(
        (later - first).total_seconds() > 10
        for first, later in zip(times, times[20:], strict=False)
    )


def test_a_pooler_gives_every_transaction_another_connection(behind_pooler: Site) -> None:
    behind_pooler.web()
    other_machine(behind_pooler, "poller")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(behind_pooler.create, [SPEECH] * 16))
    assert delivered(behind_pooler) == {"success": 16}
    said = "".join(process.output for process in behind_pooler.processes)
    assert "Traceback" not in said
    assert "store.unavailable" not in said


def test_a_restarted_server_loses_nothing_and_nobody_restarts(
    restarted: Site, server: Server
) -> None:
    restarted.web()
    restarted.poller()
    for _ in range(4):
        restarted.create(SPEECH)
    server.stop()
    for path in ("generations", "kie/sync?taskId=x", "ready"):
        assert httpx.get(f"{restarted.web_url}/api/{path}").status_code == 503
    refused = httpx.post(f"{restarted.web_url}/api/kie/createTask", json=SPEECH)
    assert refused.status_code == 500
    assert restarted.answers()
    calls = restarted.ledger()["calls"]
    server.start()
    for _ in range(4):
        restarted.create(SPEECH)
    assert delivered(restarted) == {"success": 8}
    assert restarted.ledger()["calls"] == calls + 4


def test_a_read_only_server_takes_nothing_and_is_left_for_the_writable_one(
    restarted: Site, server: Server
) -> None:
    restarted.web()
    restarted.poller()
    restarted.create(SPEECH)
    switch(server, "on")
    refused = httpx.post(f"{restarted.web_url}/api/kie/createTask", json=SPEECH)
    assert (refused.status_code, refused.json()["error"]["code"]) == (500, "store.unavailable")
    assert httpx.get(f"{restarted.web_url}/api/ready").status_code == 503
    assert restarted.get("/api/generations")["items"]
    calls = restarted.ledger()["calls"]
    switch(server, "off")
    wait_until(lambda: is_ready(restarted), "the webhook is ready again")
    restarted.create(SPEECH)
    assert delivered(restarted) == {"success": 2}
    assert restarted.ledger()["calls"] == calls + 1


def switch(server: Server, read_only: str) -> None:
    """Become a standby, or the primary: nobody stays connected meanwhile."""
    server.run(sql.SQL("ALTER SYSTEM SET default_transaction_read_only = {}").format(read_only))
    server.stop("fast")
    server.start()


def is_ready(site: Site) -> bool:
    return httpx.get(f"{site.web_url}/api/ready").status_code == 200
