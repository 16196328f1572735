"""SIGSTOP at the named points, past the lease; who wakes up late changes nothing."""

from __future__ import annotations

import signal
from typing import Any

import httpx
import pytest

from tests.processes.points import ABOUT_TO_PUT, DELIVERING, SUCCESS
from tests.processes.test_killed import COUNT, TWO_FILES
from tests.processes.victims import Victim, order
from tests.support.processes import wait_until
from tests.support.simulator import SPEECH
from tests.support.site import Site

#: Two of the points are at the create itself: nobody but the stopped process knows what became of
#: it, and so nobody else goes on.
UNKNOWN = 2
ENDED = "status = 'success' AND lease_token IS NULL"


def test_a_poller_wakes_up_when_another_has_delivered(site: Site) -> None:
    site.faults(callback_none=True, **TWO_FILES)
    for _ in range(COUNT):
        site.add(SPEECH)
    others_deliver_while_it_is_stopped(site, Victim(site, "poller", DELIVERING), UNKNOWN)


def test_a_webhook_wakes_up_when_a_poller_has_delivered(site: Site) -> None:
    site.faults(**TWO_FILES)
    victim = Victim(site, "webhook", DELIVERING)
    victim.process.says("Listening at")
    order(site, COUNT)
    task_known = "SELECT id FROM generations WHERE candidate_task_id IS NOT NULL"
    victim.halted()
    wait_until(lambda: site.rows(task_known), "the callback of a task whose id is not saved")
    others_deliver_while_it_is_stopped(site, victim, UNKNOWN - 1)


def test_who_wakes_up_after_a_deletion_leaves_nothing_behind(site: Site) -> None:
    site.faults(callback_none=True)
    site.add(SPEECH)
    victim = Victim(site, "poller", [ABOUT_TO_PUT])
    victim.stop()
    site.web()
    [row] = site.rows("SELECT id FROM generations")
    site.delete(str(row["id"]))
    victim.wake()
    victim.process.signal(signal.SIGTERM)
    assert victim.process.ended(40) == 0
    assert site.rows("SELECT id FROM generations") == []
    assert not [file for file in (site.data / "assets").rglob("*") if file.is_file()]


@pytest.mark.parametrize("site_url", ["sqlite"], indirect=True)
def test_nothing_is_taken_while_sqlites_writer_stands_still(site: Site) -> None:
    victim = stopped_in_a_transaction(site)
    site.web()
    refused = httpx.post(f"{site.web_url}/api/kie/createTask", json=SPEECH, timeout=30)
    assert (refused.status_code, site.ledger()["calls"]) == (500, 1)
    assert site.answers()
    victim.wake()
    assert [row["status"] for row in site.wait_for_all()] == ["success"]


@pytest.mark.parametrize("site_url", ["postgresql"], indirect=True)
def test_who_stands_still_in_a_transaction_loses_it_on_a_server(site: Site) -> None:
    victim = stopped_in_a_transaction(site)
    site.poller()
    before = wait_until(lambda: rows(site, ENDED), "another has delivered", 40)
    victim.wake()
    victim.process.signal(signal.SIGTERM)
    assert victim.process.ended(40) == 0
    assert rows(site, ENDED) == before


def stopped_in_a_transaction(site: Site) -> Victim:
    """A poller that has all but committed a success."""
    site.faults(callback_none=True)
    site.add(SPEECH)
    victim = Victim(site, "poller", [SUCCESS])
    victim.halted()
    victim.process.signal(signal.SIGSTOP)
    return victim


def others_deliver_while_it_is_stopped(site: Site, victim: Victim, unknown: int) -> None:
    victim.halted()
    victim.stop()
    site.poller()
    wait_until(lambda: len(rows(site, ENDED)) == COUNT - unknown, "the others are delivered", 40)
    before = rows(site, ENDED), files(site)
    calls = site.ledger()["calls"]
    victim.wake()
    victim.process.signal(signal.SIGTERM)
    assert victim.process.ended(40) == 0
    assert {row["status"] for row in site.wait_for_all()} == {"success"}
    ids = [row["id"] for row in before[0]]
    after = [row for row in rows(site, ENDED) if row["id"] in ids]
    assert after == before[0]
    assert [file for file in files(site) if file["generation_id"] in ids] == before[1]
    assert (calls, site.ledger()["calls"]) == (COUNT - 1, COUNT)


def rows(site: Site, condition: str) -> list[dict[str, Any]]:
    return site.rows(f"SELECT * FROM generations WHERE {condition} ORDER BY id")


def files(site: Site) -> list[dict[str, Any]]:
    return site.rows("SELECT * FROM assets ORDER BY generation_id, position")
