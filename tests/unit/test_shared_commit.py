"""Writes that share a commit stay apart: in what they answer, and in what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import StoreUnavailableError
from core.store.database import Database
from core.store.migrate import migrate
from core.store.opening import open_database
from core.store.shared_commit import SharedCommit

KEPT = sa.text("SELECT name FROM processes ORDER BY name")
KEEP = sa.text("INSERT INTO processes VALUES (:name, '2026-01-01', '2026-01-01')")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'kie.db'}"
    migrate(url)
    opened = open_database(url)
    yield opened
    opened.close()


def keep(name: str) -> Callable[[sa.Connection], str]:
    def write(connection: sa.Connection) -> str:
        connection.execute(KEEP, {"name": name})
        return name

    return write


def kept(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.scalars(KEPT))


def run_together(database: Database, names: list[str]) -> list[Future[str]]:
    """Hand all in while somebody else writes, so that they queue up."""
    shared = SharedCommit(database.write)
    queued = threading.Semaphore(0)

    def run(name: str) -> str:
        queued.release()
        return shared.run(keep(name))

    with ThreadPoolExecutor(len(names)) as threads:
        with database.write():
            futures = [threads.submit(run, name) for name in names]
            for _ in names:
                queued.acquire()
        return futures


def test_each_write_gets_its_own_answer(database: Database) -> None:
    names = ["a", "b", "c", "d"]
    assert [future.result() for future in run_together(database, names)] == names
    assert kept(database) == names


def test_write_that_fails_does_not_fail_the_others(database: Database) -> None:
    failed = [future.exception() for future in run_together(database, ["a", "b", "a", "c"])]
    assert sum(isinstance(error, sa.exc.IntegrityError) for error in failed) == 1
    assert kept(database) == ["a", "b", "c"]


def test_database_that_is_away_fails_all_and_serves_again_afterwards(
    database: Database, tmp_path: Path
) -> None:
    shared = SharedCommit(database.write)
    file, elsewhere = tmp_path / "kie.db", tmp_path / "elsewhere.db"
    file.rename(elsewhere)
    with pytest.raises(StoreUnavailableError):
        shared.run(keep("a"))
    elsewhere.rename(file)
    assert shared.run(keep("b")) == "b"
