"""`python -m core status`: how everything stands."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from core.figures import summary
from core.figures.figures import Figures
from core.figures.span import span
from core.generation.model import Code, Status
from core.store.standing import Standing, read_standing
from core.store.stuck import Reason, StuckFilter
from tests.support.commands import run_command
from tests.support.world import World

STUCK_AFTER = timedelta(minutes=10)


def standing(world: World) -> Standing:
    with world.core.store.database.read() as connection:
        return read_standing(connection, world.clock(), STUCK_AFTER)


def test_the_last_day_is_the_dashboards(world: World) -> None:
    ended = {"asset_url": "u", "due_at": None}
    for hours in (0, 1, 22, 23, 24, 30):
        created_at = world.clock() - timedelta(hours=hours)
        world.add(created_at=created_at, status=Status.SUCCESS, **ended)
        world.add(created_at=created_at, status=Status.FAILED, error_code="provider.failed")
    world.add()
    world.core.store.rollup.rebuild()
    day = standing(world).last_day
    shown = Figures(world.core.store.database, world.clock, STUCK_AFTER).overview(
        span("24h", world.clock())
    )
    totals = summary.totals(shown.cohorts.by_step, shown.durations.stored)
    assert (day.created, day.delivered, day.failed) == (9, 4, 4)
    assert (day.created, day.delivered, day.failed, day.success_rate) == (
        totals.created,
        totals.delivered,
        totals.failed,
        totals.success_rate,
    )


def test_what_is_stuck_is_what_the_dashboard_lists(world: World) -> None:
    old = world.clock() - timedelta(hours=2)
    world.add(created_at=old, provider_completed_at=old, status=Status.GENERATING)
    world.add(error_code=Code.SUBMIT_UNKNOWN, due_at=None)
    world.add(crashes=3)
    world.add(due_at=world.clock() + timedelta(hours=1))
    now = standing(world)
    figures = Figures(world.core.store.database, world.clock, STUCK_AFTER)
    counts = figures.stuck_counts(StuckFilter(), figures.limits(figures.usual()))
    assert {None: now.stuck, **now.reasons} == counts
    assert now.stuck == 3
    assert now.reasons[Reason.AT_RISK] == 1
    assert dict(now.open) == {Status.QUEUED: 3, Status.GENERATING: 1}
    assert (now.due, now.oldest_due_at) == (2, world.clock())


@pytest.fixture
def settings(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of this process, for a command."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DATA_DIR", str(tmp_path_factory.mktemp("data")))


@pytest.mark.usefixtures("settings")
def test_nobody_at_work_needs_somebody() -> None:
    told = run_command("status")
    assert told.code == 1
    assert told.out.splitlines()[:2] == [
        "NEEDS YOU  poller never started",
        "NEEDS YOU  webhook never started",
    ]


@pytest.mark.usefixtures("settings")
def test_with_both_at_work_all_is_well(world: World) -> None:
    store = world.core.store
    real = type(store)(store.database)  # heartbeats by the database's own clock, as commands read
    for name in ("poller", "web"):
        real.processes.started(name)
    told = run_command("status")
    assert (told.code, told.out.splitlines()[0]) == (0, "well")
    told = run_command("status", "--json")
    data = json.loads(told.out)
    assert (told.code, data["needs"], data["stuck"], data["spoolBytes"]) == (0, [], 0, 0)
    assert [process["silent"] for process in data["processes"]] == [False, False]


@pytest.mark.usefixtures("settings")
def test_a_process_that_fell_silent_is_named(world: World) -> None:
    for name in ("poller", "web"):
        world.core.store.processes.started(name)  # by the test's clock, long ago or far ahead
    world.clock.advance(-3600 * 24 * 365 * 5)
    world.core.store.processes.beat("poller")
    told = run_command("status")
    assert told.code == 1
    assert "NEEDS YOU  poller silent: its last heartbeat was " in told.out
