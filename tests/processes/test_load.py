"""Fleets of processes on a bad day of KIE's: everything is delivered, and once."""

from __future__ import annotations

import pytest

from tests.processes.load import BAD_DAY, LOST, finish, submitted
from tests.support.databases import locked
from tests.support.processes import wait_until
from tests.support.site import Site

TASKS = 300
DELIVERED = "SELECT id FROM generations WHERE status = 'success'"
FOUR_WORKERS = {"web_concurrency": 4}
FEW = 12


@pytest.mark.parametrize("site", [FOUR_WORKERS], indirect=True, ids=[""])
def test_four_workers_and_two_pollers_one_of_which_is_killed(site: Site) -> None:
    site.faults(**BAD_DAY, callback_none=LOST)
    site.web()
    killed, _ = site.poller(), site.poller()
    finish(site, submitted(site, TASKS))
    wait_until(lambda: len(site.rows(DELIVERED)) > TASKS / 3, "a third is delivered", 60)
    killed.kill()
    site.poller()
    all_are_delivered_once(site, TASKS)


@pytest.mark.parametrize("site_url", ["postgresql"], indirect=True)
def test_two_pollers_to_which_nobody_calls_back(site: Site) -> None:
    site.faults(**BAD_DAY)  # KIE calls, but there is no webhook to take it
    site.poller()
    site.poller()
    finish(site, submitted(site, TASKS // 5))
    all_are_delivered_once(site, TASKS // 5)
    assert {row["delivered_via"] for row in site.rows("SELECT * FROM generations")} == {"poll"}


@pytest.mark.parametrize("site_url", ["sqlite"], indirect=True)
def test_a_webhook_alone_whose_database_is_busy_when_kie_calls(site: Site) -> None:
    site.faults(**BAD_DAY)
    site.web()
    tasks = submitted(site, FEW)
    with locked(site.database_url):
        finish(site, tasks)
        wait_until(lambda: 503 in answers(site), "a callback was answered 503")
    all_are_delivered_once(site, FEW)
    assert {row["delivered_via"] for row in site.rows("SELECT * FROM generations")} == {"callback"}


def all_are_delivered_once(site: Site, count: int) -> None:
    rows = site.wait_for_all(90)
    assert [row["status"] for row in rows] == ["success"] * count


def answers(site: Site) -> set[int]:
    """How callbacks were answered."""
    tasks = site.ledger()["tasks"]
    return {attempt["status"] for task in tasks for attempt in task["callbacks"]}
