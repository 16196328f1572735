"""The store under test: one suite for every database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.generation.model import Change, Generation
from core.ids import new_id, new_token
from core.store.database import Database
from core.store.inbox import Received
from core.store.opening import open_database
from core.store.queries import Queries
from core.store.store import Store
from tests.contract.storage_cases import StorageCase, SupabaseCase, local_case, supabase_case
from tests.support.clock import Clock
from tests.support.supabase_storage import SupabaseStorageDouble

LEASE = timedelta(seconds=60)


@dataclass
class StoreCase:
    """A store on a fresh database, a clock, and what a test does with them again and again."""

    url: str
    clock: Clock = field(default_factory=Clock)
    databases: list[Database] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = self.open()
        self.queries = Queries(self.store.database)

    def open(self) -> Store:
        """The store as one more process has it."""
        self.databases.append(open_database(self.url))
        return Store(self.databases[-1], clock=self.clock, lease=LEASE)

    def close(self) -> None:
        """Close every connection."""
        for database in self.databases:
            database.close()

    def new(self, **fields: Any) -> Generation:
        """A generation that is due, not yet saved."""
        now = self.clock()
        values = {"family": "market", "model": "m", "input": {"prompt": "a kite"}, "due_at": now}
        times = {"created_at": now, "updated_at": now}
        return Generation(**{"id": new_id(), **values, **times, **fields})

    def add(self, **fields: Any) -> Generation:
        """A saved generation that is due."""
        return self.store.generations.add(self.new(**fields))[0]

    def add_submitted(self, task_id: str, **fields: Any) -> Generation:
        """A saved generation whose task KIE has made, due."""
        return self.add(**{"task_id": task_id, "submit_started_at": self.clock(), **fields})

    def row(self, generation: Generation) -> Generation:
        """The row as it is now."""
        row = self.queries.by_id(generation.id)
        assert row is not None
        return row

    def claim(self, generation: Generation) -> Generation:
        """The generation with its lease taken."""
        claimed = self.store.claims.claim(generation.id, new_token())
        assert claimed is not None
        return claimed

    def release(self, claimed: Generation, **changes: Any) -> bool:
        """Save changes and let go of the lease."""
        change = Change(claimed.evolve(**changes))
        return self.store.generations.release(claimed.lease_token or "", claimed, change)

    def save(self, claimed: Generation, **changes: Any) -> None:
        """Save changes under the lease."""
        change = Change(claimed.evolve(**changes))
        self.store.generations.save(claimed.lease_token or "", claimed, change)

    def events(self, generation: Generation) -> list[str]:
        """The names of the timeline."""
        return [event["name"] for event in self.queries.events_of(generation)]

    def count(self, table: str) -> int:
        """How many rows a table has."""
        with self.store.database.read() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def received(task_id: str = "task-1", **fields: Any) -> Received:
    """A callback with right credentials that claims success."""
    values = {"body": "{}", "body_sha256": "hash", "stage": "success", "claimed_state": "success"}
    return Received(**{"task_id": task_id, **values, **fields})


@pytest.fixture
def case(database_url: str) -> Iterator[StoreCase]:
    """A store on a database of its own."""
    opened = StoreCase(database_url)
    yield opened
    opened.close()


@pytest.fixture(params=["local", "supabase-public", "supabase-private"])
def storage_case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StorageCase]:
    """Empty permanent storage: whatever stores is tested on each."""
    if request.param == "local":
        yield local_case(tmp_path)
        return
    double: SupabaseStorageDouble = request.getfixturevalue("supabase_storage")
    is_public = request.param == "supabase-public"
    with supabase_case(tmp_path, double, supabase_bucket_public=is_public) as opened:
        yield opened


@pytest.fixture
def bucket(tmp_path: Path, supabase_storage: SupabaseStorageDouble) -> Iterator[SupabaseCase]:
    """Storage in a public bucket that is there."""
    with supabase_case(tmp_path, supabase_storage) as opened:
        opened.storage.prepare()
        supabase_storage.requests.clear()
        yield opened
