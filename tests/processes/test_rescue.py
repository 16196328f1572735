"""`python -m core rescue` and the commands beside it, over real processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.support.processes import ROOT, Process, wait_until
from tests.support.simulator import IMAGE, KEY
from tests.support.site import Site

TASKS = 6
on_sqlite = pytest.mark.parametrize("site_url", ["sqlite"], indirect=True)


def made_elsewhere(site: Site, number: int) -> str:
    """A task of another application with the same key; it is told of nothing."""
    request = {**IMAGE, "callBackUrl": f"http://127.0.0.1:1/hook?generation=other-{number}"}
    url = f"{site.kie_url}/api/v1/jobs/createTask"
    answer = httpx.post(url, json=request, headers=KEY, trust_env=False).json()
    task_id: str = answer["data"]["taskId"]
    return task_id


def run(site: Site, *arguments: str) -> Process:
    return site.start("core", *arguments)


def told(process: Process, code: int) -> Any:
    assert process.ended(60) == code, process.output
    return json.loads(process.output)


def test_a_rescue_killed_in_the_middle_is_gone_on_with(site: Site) -> None:
    site.faults(callback_none=True)
    tasks = [made_elsewhere(site, number) for number in range(TASKS)]
    wait_until(lambda: all(task["state"] == "success" for task in site.ledger()["tasks"]), "ends")
    pasted = site.folder / "pasted.csv"
    pasted.write_text("when,task\n" + "".join(f"yesterday,{task}\n" for task in tasks))
    site.faults(media_slow={"value": 100})
    first = run(site, "rescue", str(pasted))
    wait_until(lambda: any(part.stat().st_size for part in site.parts()), "bytes have arrived")
    first.kill()
    site.faults()
    site.poller()  # at the same time: each does what the other does not
    report = told(run(site, "rescue", str(pasted), "--json"), 0)
    assert (report["saved"], len(report["tasks"])) == (TASKS, TASKS)
    rows = site.wait_for_all()
    assert sorted(row["task_id"] for row in rows) == sorted(tasks)
    assert {row["status"] for row in rows} == {"success"}
    assert site.ledger()["calls"] == TASKS  # no task was made


@on_sqlite
def test_a_lost_submission_is_found_again_by_hand(site: Site) -> None:
    site.faults(create_cut=True, callback_none=True)
    site.add({"model": IMAGE["model"], "input": IMAGE["input"]})
    poller = site.poller()
    row = site.wait_for("error_code = 'submit.unknown'")
    poller.kill()
    site.faults()
    [task] = site.ledger()["tasks"]
    attached = told(run(site, "attach", str(row["id"]), task["taskId"], "--by", "ann", "--json"), 0)
    assert attached["confirmed"]
    synced = told(run(site, "sync", str(row["id"]), "--json"), 0)
    assert (synced["status"], synced["deliveredVia"]) == ("success", "sync")
    found = told(run(site, "diagnose", task["taskId"], "--json"), 0)
    assert "operator.attached" in [event["name"] for event in found["events"]]


@on_sqlite
@pytest.mark.parametrize("site", [{"lease_seconds": 60}], indirect=True)
@pytest.mark.parametrize("name", ["rescue", "sync"])
def test_ctrl_c_hands_back_what_is_under_way(site: Site, name: str) -> None:
    site.faults(callback_none=True)
    task = made_elsewhere(site, 1)
    pasted = site.folder / "pasted.txt"
    pasted.write_text(task)
    site.faults(media_slow={"value": 100})
    if name == "sync":
        now = datetime.now(UTC)
        site.add({"model": IMAGE["model"], "input": {}, "task_id": task, "submitted_at": now})
    process = run(site, name, str(pasted) if name == "rescue" else task)
    wait_until(lambda: any(part.stat().st_size for part in site.parts()), "bytes have arrived")
    process.signal(signal.SIGINT)
    assert process.ended() == 1
    row = site.row("lease_token IS NULL AND lease_until IS NULL AND due_at IS NOT NULL")
    assert row is not None
    assert (row["status"], row["crashes"]) == ("generating", 0)


@on_sqlite
def test_a_reader_who_goes_away_ends_an_export_quietly(site: Site) -> None:
    for number in range(3):
        site.add({"model": IMAGE["model"], "input": {}, "prompt": f"{number}" * 200_000})
    command = f'"{sys.executable}" -m core export | head -c 100'
    shell = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=ROOT,
        env=site.environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (len(shell.stdout), shell.stderr) == (100, b"")
