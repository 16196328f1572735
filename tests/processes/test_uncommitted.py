"""SIGKILL in the middle of a transaction: it is as if it had never begun."""

from __future__ import annotations

import os
import signal

from tests.processes.points import CALLBACK, CLAIM, CREATE, CREATED, SUCCESS, TASK_ID, Point
from tests.processes.victims import Victim
from tests.support.processes import wait_until
from tests.support.simulator import SPEECH
from tests.support.site import Site


def test_a_poller_is_killed_in_a_claim_and_before_success_is_committed(site: Site) -> None:
    site.faults(callback_none=True)
    site.add(SPEECH)
    for point in (CLAIM, SUCCESS):
        victim = Victim(site, "poller", [point])
        victim.halted()
        assert site.row("status <> 'success'")
        victim.process.kill()
    site.poller()
    [row] = site.wait_for_all()
    assert (row["status"], row["crashes"]) == ("success", 1)


def test_a_webhook_is_killed_in_a_create_a_task_id_and_a_callback(site: Site) -> None:
    site.faults(outcome_stuck=True)
    victim = Victim(site, "webhook", [CREATE, CREATED, TASK_ID, CALLBACK])
    victim.process.says("Listening at")

    order_once(site)
    kill_at(victim, CREATE)
    assert (site.rows("SELECT id FROM generations"), site.ledger()["calls"]) == ([], 0)

    order_once(site)
    kill_at(victim, CREATED)
    order_once(site)
    kill_at(victim, TASK_ID)
    [task] = site.ledger()["tasks"]
    assert site.row("task_id IS NULL AND submit_started_at IS NOT NULL")

    site.finish(task["taskId"])
    kill_at(victim, CALLBACK)
    assert site.rows("SELECT id FROM callbacks") == []

    wait_until(site.answers, "the next worker answers")
    order_once(site)
    site.call_back(task["taskId"])
    [row] = site.wait_for_all()
    assert (row["status"], row["task_id"]) == ("success", task["taskId"])
    assert site.ledger()["calls"] == 1


def order_once(site: Site) -> None:
    """A caller who has heard nothing, and says so again: with the same Idempotency-Key."""
    site.create_and_hang_up(SPEECH, {"Idempotency-Key": "once"})


def kill_at(victim: Victim, point: Point) -> None:
    os.kill(victim.at(point), signal.SIGKILL)
