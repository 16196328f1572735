"""KIE's limit on new tasks: 20 in any 10 s, in order, for all processes together."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from core.generation.model import Generation
from core.store.grants import TAKE_TURN, WINDOW, Grants
from core.store.store import Store
from core.store.tables import create_grants
from tests.contract.conftest import StoreCase
from tests.support.clock import Clock
from tests.support.databases import on_sqlite

TEN_SECONDS = timedelta(seconds=10)
NOW = timedelta()

GRANTS = 20  # in any 10 s and account, says docs.kie.ai


def grant(case: StoreCase, generation: Generation) -> timedelta | None:
    """None: granted. Otherwise how long to wait."""
    free_at = case.store.grants.grant(generation.id)
    return None if free_at is None else free_at - case.clock()


def waiting(case: StoreCase, due_in: timedelta = NOW, **fields: str) -> Generation:
    """A generation that the limit has sent away, due again."""
    due_at = case.clock() + due_in
    return case.add(error_code="submit.rate_limited", due_at=due_at, **fields)


def test_twenty_are_granted_at_once_and_the_next_one_waits(case: StoreCase) -> None:
    generation = case.add()
    waits = [grant(case, generation) for _ in range(GRANTS + 1)]
    assert waits == [None] * GRANTS + [WINDOW]


def test_a_slot_is_free_when_the_20th_last_grant_is_old_enough(case: StoreCase) -> None:
    generation = case.add()
    for _ in range(GRANTS):
        grant(case, generation)
        case.clock.advance(0.1)
    case.clock.advance((WINDOW - timedelta(seconds=2.1)).total_seconds())
    assert grant(case, generation) == timedelta(seconds=0.1)
    case.clock.advance(0.1)
    assert [grant(case, generation) for _ in range(2)] == [None, timedelta(seconds=0.1)]


def test_kies_429_closes_the_window_for_every_process(case: StoreCase) -> None:
    generation = case.add()
    case.open().grants.close_window()
    assert grant(case, generation) == WINDOW
    case.clock.advance(WINDOW.total_seconds())
    assert grant(case, generation) is None


def test_an_older_one_that_waits_for_its_turn_goes_first(case: StoreCase) -> None:
    older, younger = waiting(case), waiting(case)
    assert grant(case, younger) is not None
    assert grant(case, older) is None


def test_what_was_created_first_goes_first_whatever_a_machines_clock_made_of_its_id(
    case: StoreCase,
) -> None:
    older = waiting(case, id=str(UUID(int=9)))
    case.clock.advance(1)
    younger = waiting(case, id=str(UUID(int=1)))
    assert grant(case, younger) is not None
    assert grant(case, older) is None


def test_a_grant_in_the_future_does_not_stop_everything(case: StoreCase) -> None:
    generation = case.add()
    case.clock.advance(3600)
    assert [grant(case, generation) for _ in range(GRANTS)] == [None] * GRANTS
    case.clock.advance(-3600)
    assert grant(case, generation) == WINDOW
    case.clock.advance(WINDOW.total_seconds())
    assert grant(case, generation) is None


@pytest.mark.parametrize("seconds", [-3600, -20, 20, 3600])
def test_setting_the_clock_lets_nobody_through(case: StoreCase, seconds: float) -> None:
    steady = Clock()
    grants = Grants(case.store.database, case.clock, steady)
    generation = case.add()
    assert [grants.grant(generation.id) for _ in range(GRANTS)] == [None] * GRANTS
    case.clock.advance(seconds)
    assert grants.grant(generation.id) == case.clock() + WINDOW
    steady.advance(WINDOW.total_seconds())
    assert grants.grant(generation.id) is None


@on_sqlite
def test_a_machines_grants_go_by_the_time_since_it_was_started(case: StoreCase) -> None:
    """What an earlier release left, and what was before a reboot, costs one window."""
    store, generation = Store(case.store.database), case.add()
    assert grant(case, generation) is None
    assert store.grants.grant(generation.id) is None
    with case.store.database.read() as connection:
        [newest] = connection.scalars(sa.select(sa.func.max(create_grants.c.granted_at)))
    assert abs(newest - store.database.steady()) < timedelta(seconds=5)


def test_an_older_one_that_nobody_comes_for_blocks_for_five_seconds_only(case: StoreCase) -> None:
    waiting(case)
    younger = case.add()
    assert grant(case, younger) is not None
    case.clock.advance(5.1)
    assert grant(case, younger) is None


def test_an_older_one_that_is_being_submitted_blocks_nobody(case: StoreCase) -> None:
    older, younger = waiting(case), case.add()
    case.claim(older)
    assert grant(case, younger) is None


def test_no_ten_seconds_see_more_than_twenty_grants_of_all_threads(case: StoreCase) -> None:
    moving = threading.Lock()

    def clock() -> datetime:
        with moving:
            case.clock.advance(0.02)
            return case.clock()

    grants = [Grants(store.database, clock) for store in (case.store, case.open())]
    ids = [case.add(due_at=None).id for _ in range(8)]
    seen: set[datetime] = set()

    def race(number: int) -> int:
        count = 0
        for _ in range(150):
            count += grants[number % 2].grant(ids[number]) is None
            seen.update(granted_at(case))
        return count

    never = granted_at(case)
    with ThreadPoolExecutor(8) as pool:
        count = sum(pool.map(race, range(8)))
    granted = sorted(seen - never)
    assert len(granted) == count > GRANTS
    for first, twenty_first in zip(granted, granted[GRANTS:], strict=False):
        assert twenty_first - first > TEN_SECONDS


def granted_at(case: StoreCase) -> set[datetime]:
    with case.store.database.read() as connection:
        return set(connection.scalars(sa.select(create_grants.c.granted_at)))


def test_waiting_for_the_database_does_not_antedate_a_grant(case: StoreCase) -> None:
    generation = case.add()
    asked = threading.Event()

    def clock() -> datetime:
        asked.set()
        return case.clock()

    grants = Grants(case.store.database, clock)
    with ThreadPoolExecutor(1) as pool:
        with case.store.database.write() as connection:
            connection.execute(TAKE_TURN)
            future = pool.submit(grants.grant, generation.id)
            asked.wait(0.05)
            case.clock.advance(3)
        assert future.result() is None
    assert max(granted_at(case)) == case.clock()
