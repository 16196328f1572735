"""The poller's jobs, and what they say."""

from __future__ import annotations

import logging

import pytest

from core.generation.model import Channel
from core.store import postgresql, sqlite
from poller.__main__ import _scheduler
from tests.support.databases import locked
from tests.support.world import World


def run_all_jobs(world: World) -> None:
    workers = world.core.workers(Channel.POLL)
    for job in _scheduler(world.core, workers).get_jobs():
        job.func()
    workers.stop(5)


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [getattr(record, "event", "") for record in caplog.records if record.name == "poller"]


def test_every_tick_is_a_line_at_level_debug(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="poller")
    run_all_jobs(world)
    assert events(caplog) == ["poller.tick"]


def test_a_locked_database_is_a_line_and_no_traceback(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LOCK_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(postgresql, "WRITE", "BEGIN; SET LOCAL lock_timeout = '50ms'")
    with locked(world.core.settings.database):
        run_all_jobs(world)
    assert "store.unavailable" in events(caplog)
    assert not [record for record in caplog.records if record.exc_info]


def test_what_is_old_is_pruned_and_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="poller")
    generation = world.add(status="success", asset_url="https://ours.test/a", due_at=None)
    world.clock.advance(91 * 86_400)
    run_all_jobs(world)
    assert world.events(generation) == ["history.pruned"]
    run_all_jobs(world)
    assert events(caplog) == ["history.pruned"]
