"""Through a pooler in transaction mode, where each transaction gets another connection."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.generation.model import Change
from core.ids import new_token
from core.store.claims import Lane
from core.store.inbox import Verdict
from core.store.migrate import migrate
from tests.contract.conftest import StoreCase, received
from tests.support.pgbouncer import SERVER_CONNECTIONS, pooled
from tests.support.postgres import Postgres

TASKS = 120
THREADS = 4 * SERVER_CONNECTIONS


@pytest.fixture
def case(postgres: Postgres) -> Iterator[StoreCase]:
    """A store behind a pooler, migrated through it."""
    url = postgres.create()
    with pooled(url) as through:
        migrate(through)
        migrate(through)
        opened = StoreCase(through)
        yield opened
        opened.close()
    postgres.drop(url)


def test_under_load_everything_is_done_once(case: StoreCase) -> None:
    """Two processes' worth of stores: created, announced, claimed, renewed and let go of."""
    stores = [case.store, case.open()]

    def create(number: int) -> str:
        store = stores[number % 2]
        generation = case.new(task_id=f"task-{number}", submit_started_at=case.clock())
        store.generations.add(generation)
        assert store.inbox.accept(received(f"task-{number}")) is Verdict.ACCEPTED
        assert store.inbox.accept(received(f"task-{number}")) is Verdict.DUPLICATE
        return generation.id

    def deliver(number: int) -> list[str]:
        store, done = stores[number % 2], []
        while claimed := store.claims.claim_next(Lane.DELIVER, new_token()):
            token = claimed.lease_token or ""
            assert store.claims.renew([token]) == {token}
            let_go = Change(claimed.evolve(due_at=None))
            assert store.generations.release(token, claimed, let_go)
            done.append(claimed.id)
        return done

    with ThreadPoolExecutor(THREADS) as pool:
        created = list(pool.map(create, range(TASKS)))
        delivered = [one for some in pool.map(deliver, range(THREADS)) for one in some]
    assert sorted(delivered) == sorted(created)
