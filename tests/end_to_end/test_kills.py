"""SIGKILL at named points: everything is delivered once, whatever died where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import Process, wait_until
from tests.support.simulator import IMAGE
from tests.support.site import Site

PICTURE = {"model": IMAGE["model"], "input": IMAGE["input"]}
LONG = 1000  # seconds

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
def test_killed_between_a_create_and_its_answer(site: Site, start: Start) -> None:
    slow = {"create_delay": {"next": 1, "value": LONG}, "outcome_stuck": True}
    process = worked_on_by(start, site, **slow)
    [task] = wait_until(lambda: site.ledger()["tasks"], "KIE has made a task")
    assert site.row("status = 'queued' AND submit_started_at IS NOT NULL AND task_id IS NULL")
    process.kill()
    site.faults()
    site.web()
    site.poller()
    site.finish(task["taskId"])
    [row] = site.wait_for_all()
    assert (row["status"], row["task_id"]) == ("success", task["taskId"])
    assert site.ledger()["calls"] == 1


@each_process
def test_killed_during_a_download(site: Site, start: Start) -> None:
    process = worked_on_by(start, site, media_slow={"value": 100})
    wait_until(lambda: any(part.stat().st_size for part in site.parts()), "bytes have arrived")
    process.kill()
    site.faults()
    start(site)
    [row] = site.wait_for_all()
    assert (row["status"], row["crashes"]) == ("success", 1)


@each_process
@pytest.mark.parametrize("was_put", [False, True], ids=["before the put", "after the put"])
def test_killed_between_knowing_the_path_and_saying_stored(
    site: Site, start: Start, was_put: bool
) -> None:
    assets = site.data / "assets"
    assets.write_text("no folder: storage is away")
    process = worked_on_by(start, site)
    path = path_of_unstored(site)
    process.kill()
    assets.unlink()
    if was_put:
        put(site, assets / path)
    start(site)
    assert [row["status"] for row in site.wait_for_all()] == ["success"]
    assert [len(task["downloads"]) for task in site.ledger()["tasks"]] == [1]


def path_of_unstored(site: Site) -> str:
    # Storage has been tried: until then a small part may have no record, and be fetched again.
    query = (
        "SELECT path FROM assets JOIN generations ON generations.id = generation_id"
        " WHERE path IS NOT NULL AND stored_at IS NULL AND status = 'generating'"
        " AND generations.error_code = 'storage.unavailable'"
    )
    [found] = wait_until(lambda: site.rows(query), "a path, and nothing stored")
    path: str = found["path"]
    return path


def put(site: Site, target: Path) -> None:
    """What the dead process did last: the file is in place, and nobody has written that down."""
    [part] = site.parts()
    target.parent.mkdir(parents=True)
    part.rename(target)
