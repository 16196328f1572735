"""Storage is away until every file has been tried often enough for minutes to have passed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.load import BAD_DAY, finish, submitted
from tests.processes.test_load import all_are_delivered_once
from tests.support.audit import audit
from tests.support.processes import wait_until
from tests.support.site import Site, open_site
from tests.support.supabase_storage import SupabaseStorageDouble

TASKS = 30
#: The gaps double from 2 s up to POLL_MAX_SECONDS: uncapped, the sixth try is a minute later.
TRIES = 6
SOON = {"poll_max_seconds": 1}


@pytest.fixture
def site(tmp_path: Path, supabase_storage: SupabaseStorageDouble) -> Iterator[Site]:
    """A site over a bucket."""
    with open_site(tmp_path, **supabase_storage.settings, **SOON) as opened:
        yield opened
        assert audit(opened.data, opened.database_url, supabase_storage.contents()) == []


def test_storage_comes_back_after_minutes_in_which_a_poller_was_killed(
    site: Site, supabase_storage: SupabaseStorageDouble
) -> None:
    site.faults(**BAD_DAY)
    site.web()
    killed = site.poller()
    with supabase_storage.away():
        finish(site, submitted(site, TASKS))
        wait_until(lambda: tried(site, 1), "each file has been tried", 40)
        killed.kill()
        site.poller()
        wait_until(lambda: tried(site, TRIES), "each file has been tried again and again", 60)
    all_are_delivered_once(site, TASKS)
    downloads = [task["downloads"] for task in site.ledger()["tasks"]]
    whole = [[one for one in each if one["status"] in (200, 206)] for each in downloads]
    assert max(map(len, whole)) <= 2  # cut once at most, and never fetched for another try


def tried(site: Site, times: int) -> bool:
    """Whether each generation has failed to be stored that often."""
    waiting = f"error_code = 'storage.unavailable' AND attempts >= {times}"
    return len(site.rows(f"SELECT id FROM generations WHERE {waiting}")) == TASKS
