"""How processes end, and what they leave to others."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.support.processes import Process, wait_until
from tests.support.simulator import IMAGE
from tests.support.site import Site

PICTURE = {"model": IMAGE["model"], "input": IMAGE["input"]}
LEASE = {"lease_seconds": 600}  # so that only a released lease can be taken over in time

Start = Callable[[Site], Process]
each_process = pytest.mark.parametrize("start", [Site.web, Site.poller], ids=["web", "poller"])


def worked_on_by(start: Start, site: Site, **faults: object) -> Process:
    """The one process that works on a picture; the poller does so without any callback."""
    site.faults(callback_none=start is Site.poller, **faults)
    if start is Site.poller:
        site.add(PICTURE)
        return site.poller()
    web = site.web()
    site.create_and_hang_up(PICTURE)
    return web


@each_process
@pytest.mark.parametrize("site", [LEASE], indirect=True, ids=[""])
def test_what_is_stopped_hands_its_work_to_the_next_at_once(site: Site, start: Start) -> None:
    process = worked_on_by(start, site, media_slow={"value": 100})
    wait_until(site.parts, "the download has begun")
    process.signal(signal.SIGTERM)
    assert process.ended(seconds=30) == 0
    assert site.wait_for("lease_token IS NULL AND crashes = 0")
    site.faults()
    start(site)
    [row] = site.wait_for_all(seconds=10)
    assert (row["status"], row["crashes"]) == ("success", 0)


def test_a_poller_that_is_told_twice_stops_once(site: Site) -> None:
    poller = site.poller()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        poller.signal(number)
    assert poller.ended() == 0
    assert "Traceback" not in poller.output


def test_the_workers_of_a_killed_webhook_end_though_callers_keep_their_connections(
    site: Site,
) -> None:
    web = site.web()
    os.kill(web.pid, signal.SIGKILL)
    wait_until(lambda: not site.answers(), "nobody answers", seconds=10)
