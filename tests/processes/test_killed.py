"""SIGKILL while a generation stands at each of the named points: all are delivered, each once."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.processes.points import ANSWERING, DELIVERING, REMOVED
from tests.processes.victims import Victim, order, send_again
from tests.support.processes import wait_until
from tests.support.simulator import SPEECH
from tests.support.site import Site

COUNT = len(DELIVERING)
TWO_FILES = {"outcome_files": {"value": 2}, "media_bytes": {"value": 300_000}}


def test_a_poller_is_killed_with_a_generation_at_each_point(site: Site) -> None:
    site.faults(callback_none=True, **TWO_FILES)
    for _ in range(COUNT):
        site.add(SPEECH)
    victim = Victim(site, "poller", DELIVERING)
    victim.halted()
    victim.process.kill()
    site.web()
    site.poller()
    all_are_delivered(site)


def test_a_worker_of_the_webhook_is_killed_with_a_generation_at_each_point(site: Site) -> None:
    site.faults(**TWO_FILES)
    victim = Victim(site, "webhook", (*DELIVERING, *ANSWERING))
    victim.process.says("Listening at")
    order(site, COUNT)
    worker = victim.halted()
    os.kill(worker, signal.SIGKILL)
    site.poller()
    all_are_delivered(site)


def test_a_worker_of_the_webhook_is_killed_in_the_middle_of_a_deletion(site: Site) -> None:
    site.faults(callback_none=True, **TWO_FILES)
    site.add(SPEECH)
    site.poller()
    [row] = site.wait_for_all()
    victim = Victim(site, "webhook", [REMOVED])
    victim.process.says("Listening at")
    with ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(site.delete, str(row["id"]))
        victim.halted()
        victim.process.kill()
        assert isinstance(deleting.exception(), httpx.TransportError)
    wait_until(lambda: not site.rows("SELECT id FROM generations"), "it is gone", 40)
    assert not [file for file in (site.data / "assets").rglob("*") if file.is_file()]


def all_are_delivered(site: Site) -> None:
    """What KIE made and could not tell needs its callback; what nobody sent, an operator."""
    tasks = wait_until(lambda: made_all_but_one(site), "KIE has made all but one", 40)
    generations = {str(row["id"]): row for row in site.rows("SELECT * FROM generations")}
    [unsent] = generations.keys() - tasks.keys()
    for generation_id, task_id in tasks.items():
        if generations[generation_id]["task_id"] is None:
            site.call_back(task_id)
    site.wait_for(f"id = '{unsent}' AND error_code = 'submit.unknown' AND lease_token IS NULL")
    send_again(site, unsent)
    rows = site.wait_for_all(40)
    assert {row["status"] for row in rows} == {"success"}
    assert all(row["crashes"] >= 1 for row in rows)
    assert site.ledger()["calls"] == COUNT


def made_all_but_one(site: Site) -> dict[str, str] | None:
    """KIE's tasks by generation."""
    tasks = {generation_of(task): task["taskId"] for task in site.ledger()["tasks"]}
    return tasks if len(tasks) == COUNT - 1 else None


def generation_of(task: dict[str, Any]) -> str:
    """The generation that a task was made for."""
    return httpx.URL(task["callBackUrl"]).params["generation"]
