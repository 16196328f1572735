"""A generation's whole way, with real processes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.simulator import IMAGE, SPEECH, VIDEO
from tests.support.site import Site

PICTURE = {"model": IMAGE["model"], "input": IMAGE["input"]}
BODIES = [PICTURE, VIDEO, SPEECH]


def download(site: Site, task: dict[str, Any]) -> bytes:
    """The file as KIE's media host has it."""
    [name] = {download["file"] for download in task["downloads"]}
    return site.content(f"{site.kie_url}/media/{task['taskId']}/0/{name}")


@pytest.mark.parametrize("body", BODIES, ids=["picture", "video", "sound"])
def test_what_kie_made_is_at_a_permanent_url_byte_for_byte(site: Site, body: Any) -> None:
    site.web()
    generation_id = site.create(body)["id"]
    site.wait_for("status = 'success'")
    view = site.get(f"/api/generations/{generation_id}")
    [task] = site.ledger()["tasks"]
    assert view["deliveredVia"] == "callback"
    assert site.content(view["assetUrl"]) == download(site, task)


@pytest.mark.parametrize(
    "fault",
    [
        {"media_cut": {"next": 6, "value": 1000}},
        {"media_missing": {"next": 1}},
        {"media_dead_url": True},
        {"media_dead_direct": True},
    ],
    ids=lambda fault: next(iter(fault)),
)
def test_the_webhook_alone_delivers_what_is_announced(site: Site, fault: Any) -> None:
    site.faults(**fault)
    site.web()
    site.create(PICTURE)
    assert site.wait_for("status = 'success'")["delivered_via"] == "callback"


def test_the_poller_delivers_everything_when_every_callback_is_lost(site: Site) -> None:
    site.faults(callback_none=True)
    for body in BODIES:
        site.add(body)
    site.poller()
    assert [row["delivered_via"] for row in site.wait_for_all()] == ["poll"] * 3


def test_two_pollers_deliver_each_once_and_download_each_once(site: Site) -> None:
    site.faults(callback_none=True)
    for _ in range(10):
        site.add(SPEECH)
    site.poller()
    site.poller()
    assert {row["status"] for row in site.wait_for_all()} == {"success"}
    assert [len(task["downloads"]) for task in site.ledger()["tasks"]] == [1] * 10
