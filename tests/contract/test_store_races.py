"""Threads and processes that want the same generations at the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from core.generation.model import Status
from core.ids import new_token
from core.store.claims import Lane
from core.store.store import Store
from tests.contract.conftest import StoreCase


def test_of_twelve_claimers_one_wins(case: StoreCase) -> None:
    generation = case.add()
    stores = [case.store, case.open()]
    start = threading.Barrier(12)

    def claim(number: int) -> bool:
        start.wait(5)
        return stores[number % 2].claims.claim(generation.id, new_token()) is not None

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(claim, range(12))) == 1
    assert case.row(generation).crashes == 0


def test_two_processes_deliver_every_generation_exactly_once(case: StoreCase) -> None:
    for number in range(200):
        case.add_submitted(f"task-{number}")

    def drain(store: Store) -> list[str]:
        taken = []
        while claimed := store.claims.claim_next(Lane.DELIVER, new_token()):
            taken.append(claimed.id)
            done = {"status": Status.SUCCESS, "asset_url": "https://ours.test/a", "due_at": None}
            assert case.release(claimed, **done)
        return taken

    stores = [case.store, case.open()] * 4
    with ThreadPoolExecutor(8) as pool:
        times = Counter(taken for thread in pool.map(drain, stores) for taken in thread)
    assert len(times) == 200
    assert set(times.values()) == {1}


def test_wake_ups_that_race_with_a_release_are_never_lost(case: StoreCase) -> None:
    other = case.open()
    with ThreadPoolExecutor(1) as pool:
        for _ in range(50):
            generation = case.add()
            claimed = case.claim(generation)
            woken = pool.submit(other.generations.wake, generation.id)
            let_go = case.release(claimed, due_at=None)
            woken.result()
            row = case.row(generation)
            assert (row.due_at is not None) or (not let_go and row.lease_token is not None)


def test_processes_of_one_name_may_start_at_the_same_moment(case: StoreCase) -> None:
    stores = [case.store, *(case.open() for _ in range(7))]
    start = threading.Barrier(8)

    def begin(store: Store) -> None:
        start.wait(5)
        store.processes.started("poller")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(begin, stores))
    assert case.queries.beat_at("poller") == case.clock()
