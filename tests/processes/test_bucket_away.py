"""Supabase Storage goes away under traffic, and comes back: all is delivered, and once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.audit import audit
from tests.support.processes import wait_until
from tests.support.simulator import IMAGE
from tests.support.site import Site, open_site
from tests.support.supabase_storage import SupabaseStorageDouble

PICTURE = {"model": IMAGE["model"], "input": IMAGE["input"]}
#: A minute's gap would only make the test slow.
SOON = {"poll_max_seconds": 2}


@pytest.fixture
def site(tmp_path: Path, site_url: str, supabase_storage: SupabaseStorageDouble) -> Iterator[Site]:
    """A site over a private bucket."""
    settings = {**supabase_storage.settings, **SOON, "supabase_bucket_public": False}
    with open_site(tmp_path, site_url, **settings) as opened:
        yield opened
        assert audit(opened.data, opened.database_url, supabase_storage.contents()) == []


def test_all_is_delivered_once_storage_is_back(
    site: Site, supabase_storage: SupabaseStorageDouble
) -> None:
    processes = [site.web(), site.poller()]
    site.create(PICTURE)
    url = site.wait_for("status = 'success'")["asset_url"]
    assert site.content(url) in supabase_storage.contents().values()
    with supabase_storage.away():
        assert site.status(url) == 503
        for _ in range(5):
            site.create(PICTURE)
        wait_until(lambda: len(waiting(site)) == 5, "all of them wait for storage")
        processes[1].kill()
        processes.append(site.poller())
    rows = site.wait_for_all()
    assert [row["status"] for row in rows] == ["success"] * 6
    assert [len(task["downloads"]) for task in site.ledger()["tasks"]] == [1] * 6
    assert site.parts() == []
    assert site.status(url.partition("?")[0]) == 404
    signatures = [row["asset_url"].partition("sig=")[2] for row in rows]
    said = "".join(process.output for process in processes)
    assert all(signatures)
    assert not [signature for signature in signatures if signature in said]


def waiting(site: Site) -> list[dict[str, object]]:
    """What has been fetched, and cannot be stored."""
    return site.rows("SELECT id FROM generations WHERE error_code = 'storage.unavailable'")
