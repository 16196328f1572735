"""Counts from the roll-ups and live are the same, and both are the truth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from core.errors import CallbackError
from core.figures.counts import counted_at, read_cohorts, read_refusals, read_storage
from core.figures.figures import Figures, Overview
from core.figures.span import PERIODS, Span, span
from core.generation.model import Channel, Generation, Status
from core.store.inbox import Received
from core.store.tables import assets
from tests.support.databases import on_sqlite
from tests.support.statements import plans, recorded
from tests.support.world import World

HOUR = timedelta(hours=1)
LIVE, ROLLED_UP = timedelta(minutes=5), HOUR


def delivered(world: World, *sizes: int, **fields: Any) -> Generation:
    """A generation that was made in 10 s and stored in 2."""
    now = world.clock()
    values = {
        "status": Status.SUCCESS,
        "asset_url": "https://ours.test/a",
        "delivered_via": Channel.CALLBACK,
        "submitted_at": now,
        "provider_completed_at": now + timedelta(seconds=10),
        "delivered_at": now + timedelta(seconds=12),
        "due_at": None,
    }
    generation = world.add(**{**values, **fields})
    file = {"generation_id": generation.id, "role": "main", "stored_at": now, "failures": 0}
    files = [{**file, "position": at, "size_bytes": size} for at, size in enumerate(sizes)]
    with world.core.store.database.write() as connection:
        connection.execute(sa.insert(assets), files)
    return generation


def figures(world: World) -> Figures:
    return Figures(world.core.store.database, world.clock, timedelta(minutes=10))


def overview(world: World, step: timedelta) -> Overview:
    """Of the last three hours, counted anew."""
    world.core.store.rollup.rebuild()
    since = world.clock().replace(minute=0, second=0, microsecond=0) - 2 * HOUR
    return figures(world).overview(Span(since, world.clock() + HOUR, step))


@pytest.fixture
def filled(world: World) -> World:
    """Two delivered in one hour, one failed in the next, one open in the third."""
    for sizes in ((700, 300), (5,)):
        delivered(world, *sizes, credits_consumed=1.5)
        world.clock.advance(60)
    world.clock.advance(3600)
    world.add(status=Status.FAILED, error_code="provider.failed", model="other", due_at=None)
    world.clock.advance(3600)
    world.add()
    return world


@pytest.mark.parametrize("step", [LIVE, ROLLED_UP])
def test_cohorts_tell_how_those_of_each_step_stand(filled: World, step: timedelta) -> None:
    frame = overview(filled, step).cohorts.by_step
    hours = frame["start"].dt.hour
    assert frame.groupby([hours, "status", "delivered_via"])["generations"].sum().to_dict() == {
        (12, "success", "callback"): 2,
        (13, "failed", ""): 1,
        (14, "queued", ""): 1,
    }


@pytest.mark.parametrize("step", [LIVE, ROLLED_UP])
def test_cohorts_tell_how_those_of_each_model_stand(filled: World, step: timedelta) -> None:
    frame = overview(filled, step).cohorts.by_model
    common = ["model", "kind", "status", "error_code"]
    assert frame.groupby(common)[["generations", "credits"]].sum().T.to_dict("list") == {
        ("flux-2/pro-text-to-image", "image", "success", ""): [2, 3.0],
        ("other", "image", "failed", "provider.failed"): [1, 0.0],
        ("flux-2/pro-text-to-image", "image", "queued", ""): [1, 0.0],
    }


def test_cohorts_have_a_first_a_last_and_an_example(world: World) -> None:
    first = world.add()
    world.clock.advance(120)
    last = world.add()
    (row,) = overview(world, HOUR).cohorts.by_model.to_dict("records")
    assert (row["first_at"], row["last_at"]) == (first.created_at, last.created_at)
    assert row["example"] in (first.id, last.id)


@pytest.mark.parametrize("step", [LIVE, ROLLED_UP])
def test_durations_are_those_of_the_model_and_of_the_step(filled: World, step: timedelta) -> None:
    durations = overview(filled, step).durations
    assert durations.made["generations"].sum() == 2
    assert durations.made["up_to_ms"].unique() == pytest.approx([10_000], rel=0.19)
    assert durations.stored["up_to_ms"].unique() == pytest.approx([2_000], rel=0.19)
    assert durations.stored["start"].dt.hour.unique().tolist() == [12]


@pytest.mark.parametrize(("seconds", "found"), [(-1, [0]), (0, [1]), (299, [1]), (300, [2])])
def test_a_step_begins_with_its_first_moment(world: World, seconds: int, found: list[int]) -> None:
    since = world.clock()
    world.clock.advance(seconds)
    world.add()
    shown = Span(since - LIVE, since + HOUR, LIVE)
    with world.core.store.database.read() as connection:
        frame = read_cohorts(connection, shown).by_step
    assert ((frame["start"] - shown.since) // LIVE).tolist() == found


@pytest.mark.parametrize("seconds", [-1, 3600])
def test_what_was_created_before_or_after_is_left_out(world: World, seconds: int) -> None:
    since = world.clock()
    world.clock.advance(seconds)
    world.add()
    with world.core.store.database.read() as connection:
        assert read_cohorts(connection, Span(since, since + HOUR, LIVE)).by_step.empty


@pytest.mark.parametrize("period", ["1h", "24h", "7d", "30d"])
def test_an_empty_database_gives_empty_frames(world: World, period: str) -> None:
    found = figures(world).overview(span(period, world.clock()))
    frames = (*found.cohorts, *found.durations, found.refusals)
    assert all(frame.empty for frame in frames)
    assert (found.silence, found.counted_at) == (None, None)


def refuse(world: World, code: str) -> None:
    received = Received(body="?", body_sha256="0")
    world.core.store.inbox.refuse(received, CallbackError(code, "no"), credential=False)


def test_refusals_are_summed_by_reason_the_most_frequent_first(world: World) -> None:
    refuse(world, "signature.wrong")
    world.clock.advance(3600)
    for code in ("signature.stale", "signature.wrong"):
        refuse(world, code)
    with world.core.store.database.read() as connection:
        first, second = read_refusals(connection, world.clock() - HOUR).to_dict("records")
    assert (first["reason"], first["callbacks"]) == ("signature.wrong", 2)
    assert first["last_hour"] == pd.Timestamp("2026-11-22T13:00Z")
    assert second["reason"] == "signature.stale"


@pytest.mark.parametrize(("minutes", "found"), [(59, 1), (60, 1), (121, 0)])
def test_refusals_are_counted_since_the_hour_of_a_moment(
    world: World, minutes: int, found: int
) -> None:
    refuse(world, "signature.wrong")
    world.clock.advance(minutes * 60)
    with world.core.store.database.read() as connection:
        assert len(read_refusals(connection, world.clock() - HOUR)) == found


def test_storage_is_told_by_month_and_kind(world: World) -> None:
    for day, kind, size in (("10-31", "image", 5), ("11-01", "image", 7), ("11-02", "video", 9)):
        world.clock.now = datetime.fromisoformat(f"2026-{day}T12:00").replace(tzinfo=UTC)
        delivered(world, size, kind=kind)
    world.core.store.rollup.rebuild()
    frame = figures(world).storage()
    assert frame["month"].dt.strftime("%Y-%m").tolist() == ["2026-10", "2026-11", "2026-11"]
    assert frame["kind"].tolist() == ["image", "image", "video"]
    assert frame[["files", "bytes"]].to_numpy().tolist() == [[1, 5], [1, 7], [1, 9]]


def test_empty_storage_is_an_empty_frame(world: World) -> None:
    with world.core.store.database.read() as connection:
        frame = read_storage(connection)
    assert frame.empty
    assert frame[["files", "bytes"]].sum().tolist() == [0, 0]


def test_it_is_known_when_the_counts_were_made(world: World) -> None:
    world.core.store.rollup.rebuild()
    with world.core.store.database.read() as connection:
        assert counted_at(connection) == world.clock()


@on_sqlite
@pytest.mark.parametrize("period", PERIODS)
def test_no_question_reads_all_generations(world: World, period: str) -> None:
    for _ in range(3):  # a silence, so that the last callback is looked up
        world.add(delivered_via=Channel.POLL)
    with recorded() as statements:
        figures(world).overview(span(period, world.clock()))
    lines = plans(world.core.settings.data_dir / "kie.db", statements)
    assert any("ix_callbacks_accepted" in line for line in lines), lines
    scans = [line for line in lines if line.startswith("SCAN") and " USING " not in line]
    assert scans == ["SCAN rollups"]
