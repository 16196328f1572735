"""Counting again: the same whoever does it, and true whatever happened in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core.generation.model import Asset, Change, Channel, Event, Status
from core.store.counting import hour_of
from core.store.rollup import FOLDED_AT_MOST_EVERY
from core.store.tables import cohorts, durations, rollups
from tests.contract.conftest import StoreCase
from tests.support.databases import refuse, refuse_no_more

DELIVERED: dict[str, Any] = {
    "status": Status.SUCCESS,
    "asset_url": "https://ours.test/a",
    "delivered_via": Channel.CALLBACK,
}


def counted(case: StoreCase) -> dict[tuple[str, str, str], int]:
    with case.store.database.read() as connection:
        rows = connection.execute(sa.select(cohorts)).all()
    return {(row.model, row.status, row.error_code): row.generations for row in rows}


def fold(case: StoreCase) -> int:
    case.clock.advance(FOLDED_AT_MOST_EVERY.total_seconds() + 1)
    return case.store.rollup.fold()


def end(case: StoreCase, generation: Any, **changes: Any) -> None:
    claimed = case.claim(generation)
    change = Change(claimed.evolve(due_at=None, **changes), (Event("told"),))
    assert case.store.generations.release(claimed.lease_token or "", claimed, change)


def test_what_was_created_is_counted_by_hour(case: StoreCase) -> None:
    case.add()
    case.add()
    fold(case)
    case.clock.advance(3600)
    case.add(model="other")
    assert fold(case) == 1 + 1  # its hour, and the one before: its events are not settled
    assert counted(case) == {("m", "queued", ""): 2, ("other", "queued", ""): 1}


def test_what_has_ended_moves_to_another_cohort(case: StoreCase) -> None:
    generation = case.add()
    fold(case)
    end(case, generation, status=Status.FAILED, error_code="provider.failed")
    fold(case)
    assert counted(case) == {("m", "failed", "provider.failed"): 1}


def test_a_change_of_an_old_generation_is_counted_where_it_was_created(case: StoreCase) -> None:
    generation = case.add()
    case.clock.advance(50 * 3600)
    end(case, generation, **DELIVERED)
    fold(case)
    with case.store.database.read() as connection:
        (row,) = connection.execute(sa.select(cohorts)).all()
    assert (row.hour, row.status) == (hour_of(generation.created_at), "success")


def test_files_bytes_and_credits_are_summed(case: StoreCase) -> None:
    now = case.clock()
    files = (
        Asset(position=0, size_bytes=700, stored_at=now),
        Asset(position=1, size_bytes=300, stored_at=now),
        Asset(position=2, size_bytes=999),
    )
    end(case, case.add(), assets=files, credits_consumed=4, **DELIVERED)
    end(case, case.add(), credits_consumed=1, **DELIVERED)
    fold(case)
    with case.store.database.read() as connection:
        (row,) = connection.execute(sa.select(cohorts)).all()
    assert (row.generations, row.files, row.bytes, row.credits) == (2, 2, 1000, 5)


def test_durations_go_into_the_bucket_that_holds_them(case: StoreCase) -> None:
    now = case.clock()
    times = {"submitted_at": now, "provider_completed_at": now + timedelta(seconds=30)}
    end(case, case.add(), **times, delivered_at=now + timedelta(seconds=30.04), **DELIVERED)
    fold(case)
    with case.store.database.read() as connection:
        rows = connection.execute(sa.select(durations)).all()
    found = {row.measure: row.up_to_ms for row in rows}
    assert found["stored"] == 50
    assert 30_000 <= found["made"] <= 30_000 * 2**0.25


def test_time_that_ran_backwards_counts_as_none(case: StoreCase) -> None:
    now = case.clock()
    times = {"submitted_at": now, "provider_completed_at": now - timedelta(days=3)}
    end(case, case.add(), **times, delivered_at=now, **DELIVERED)
    fold(case)
    with case.store.database.read() as connection:
        assert 50 in connection.scalars(sa.select(durations.c.up_to_ms)).all()


def test_a_deleted_generation_is_counted_no_more(case: StoreCase) -> None:
    case.add(model="kept")
    claimed = case.claim(case.add())
    fold(case)
    case.clock.advance(600)
    fold(case)
    case.store.generations.delete(claimed.id, claimed.lease_token or "")
    assert fold(case) == 1
    assert counted(case) == {("kept", "queued", ""): 1}
    assert fold(case) == 0


def test_nothing_is_counted_again_where_nothing_happened(case: StoreCase) -> None:
    case.add()
    fold(case)
    case.clock.advance(120)
    fold(case)
    assert fold(case) == 0


def test_an_event_that_becomes_visible_late_is_counted(case: StoreCase) -> None:
    case.add()
    fold(case)
    case.clock.advance(120)
    fold(case)
    with case.store.database.read() as connection:
        before = connection.scalar(sa.select(rollups.c.event_id))
    case.add()
    fold(case)
    with case.store.database.read() as connection:
        assert connection.scalar(sa.select(rollups.c.event_id)) == before


def test_two_that_fold_at_once_give_one_count(case: StoreCase) -> None:
    case.add()
    fold(case)
    assert case.open().rollup.fold() == 0


def test_rebuilding_gives_what_folding_gave(case: StoreCase) -> None:
    for hour in range(3):
        case.add(model=f"m{hour}")
        case.clock.advance(3600)
    fold(case)
    folded = counted(case)
    with case.store.database.write() as connection:
        connection.execute(sa.update(cohorts).values(generations=99))
    hours: list[object] = []
    assert case.store.rollup.rebuild(hours.append) == len(hours) == 3
    assert counted(case) == folded


def test_rebuilding_an_empty_database_counts_nothing(case: StoreCase) -> None:
    assert case.store.rollup.rebuild() == 0


def test_no_kind_and_an_empty_kind_are_counted_together(case: StoreCase) -> None:
    case.add(kind=None)
    case.add(kind="")
    fold(case)
    assert counted(case) == {("m", "queued", ""): 2}


def test_what_took_decades_goes_into_the_last_bucket(case: StoreCase) -> None:
    now = case.clock()
    times = {"submitted_at": now - timedelta(days=366 * 50), "provider_completed_at": now}
    end(case, case.add(), **times, delivered_at=now, **DELIVERED)
    fold(case)
    assert counted(case) == {("m", "success", ""): 1}


def test_a_clock_that_was_set_back_does_not_stop_the_counting(case: StoreCase) -> None:
    case.add()
    fold(case)
    case.clock.advance(-3600)
    case.add(model="other")
    assert case.store.rollup.fold() > 0
    assert counted(case)[("other", "queued", "")] == 1


def test_an_hour_that_cannot_be_counted_does_not_stop_the_others(case: StoreCase) -> None:
    case.add()
    case.clock.advance(3600)
    case.add(model="odd")
    with case.store.database.write() as connection:
        refuse(connection, "INSERT ON cohorts", "NEW.model = 'odd'")
    fold(case)
    assert counted(case) == {("m", "queued", ""): 1}


def test_a_fold_that_died_before_its_end_is_done_again(case: StoreCase) -> None:
    case.add()
    with case.store.database.write() as connection:
        refuse(connection, "UPDATE ON rollups")
    with pytest.raises(sa.exc.IntegrityError):
        fold(case)
    with case.store.database.write() as connection:
        refuse_no_more(connection, "rollups")
    case.add()
    assert fold(case) == 1
    assert counted(case) == {("m", "queued", ""): 2}


def test_what_follows_a_deleted_generation_is_counted(case: StoreCase) -> None:
    case.add()
    deleted = case.claim(case.add(model="deleted"))
    case.clock.advance(120)
    fold(case)
    case.store.generations.delete(deleted.id, deleted.lease_token or "")
    case.add(model="next")
    fold(case)
    assert counted(case) == {("m", "queued", ""): 1, ("next", "queued", ""): 1}
