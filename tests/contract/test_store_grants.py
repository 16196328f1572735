"""KIE's limit on new tasks: 20 in any 10 s, in order, for all processes together."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from core.generation.model import Generation
from core.store.grants import WINDOW, Grants
from tests.contract.conftest import StoreCase

TEN_SECONDS = timedelta(seconds=10)
NOW = timedelta()

GRANTS = 20  # in any 10 s and account, says docs.kie.ai


def grant(case: StoreCase, generation: Generation) -> timedelta | None:
    """None: granted. Otherwise how long to wait."""
    free_at = case.store.grants.grant(generation.id)
    return None if free_at is None else free_at - case.clock()


def waiting(case: StoreCase, due_in: timedelta = NOW) -> Generation:
    """A generation that the limit has sent away, due again."""
    return case.add(error_code="submit.rate_limited", due_at=case.clock() + due_in)


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


class MovingClock(threading.local):
    """A clock that moves with every look at it; each thread knows when it last looked."""

    def __init__(self, case: StoreCase, lock: threading.Lock) -> None:
        self._case = case
        self._lock = lock
        self.last = case.clock()

    def __call__(self) -> datetime:
        with self._lock:
            self._case.clock.advance(0.013)
            self.last = self._case.clock()
            return self.last


def test_no_ten_seconds_see_more_than_twenty_grants_of_all_threads(case: StoreCase) -> None:
    clock = MovingClock(case, threading.Lock())
    grants = [Grants(store.database, clock) for store in (case.store, case.open())]
    ids = [case.add(due_at=None).id for _ in range(8)]
    granted: list[datetime] = []

    def race(number: int) -> None:
        for _ in range(200):
            if grants[number % 2].grant(ids[number]) is None:
                granted.append(clock.last)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(race, range(8)))
    granted.sort()
    assert len(granted) >= GRANTS
    for first, twenty_first in zip(granted, granted[GRANTS:], strict=False):
        assert twenty_first - first > TEN_SECONDS


def test_waiting_for_the_database_does_not_antedate_a_grant(case: StoreCase) -> None:
    generation = case.add()
    asked = threading.Event()

    def clock() -> datetime:
        asked.set()
        return case.clock()

    grants = Grants(case.store.database, clock)
    with ThreadPoolExecutor(1) as pool:
        with case.store.database.write():
            future = pool.submit(grants.grant, generation.id)
            asked.wait(0.05)
            case.clock.advance(3)
        assert future.result() is None
    with case.store.database.read() as connection:
        last = connection.exec_driver_sql("SELECT max(granted_at) FROM create_grants").scalar_one()
    assert datetime.fromisoformat(last) == case.clock().replace(tzinfo=None)
