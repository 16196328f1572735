"""What is asked again and again costs by what is open, not by what was ever done."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from core.store.listing import Cursor, Filter
from core.store.migrate import migrate
from core.store.opening import open_database
from core.store.queries import Queries
from core.store.store import Store
from core.store.tables import callbacks, generations
from tests.support.clock import NOON, Clock
from tests.support.questions import CURSOR, HOT, LISTS, Ask
from tests.support.statements import Statement, plans, recorded

FINISHED = 20_000
OPEN = 50
FIRST = {"open": 1, "done": 1_000_000}  # of the numbers that are their ids


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The same open rows with no history, and with a long one."""
    folder = tmp_path_factory.mktemp("plans")
    made = {"young": folder / "young.db", "old": folder / "old.db"}
    for name, file in made.items():
        migrate(f"sqlite:///{file}")
        with sqlite3.connect(file) as connection:
            fill(connection, "open", OPEN, status="queued", due_at=str(NOON.replace(tzinfo=None)))
            if name == "old":
                done = {"status": "success", "asset_url": "u", "announced_at": "2026-01-01"}
                fill(connection, "done", FINISHED, expires_at="2026-01-01", crashes=3, **done)
                fill_callbacks(connection, FINISHED)
        connection.close()
    yield made


def fill(connection: sqlite3.Connection, name: str, rows: int, **values: object) -> None:
    columns = {
        **{column.name: "x" for column in generations.c if not column.nullable},
        "provider": "kie",
        "attempts": 0,
        "crashes": 0,
        "input": "{}",
        "result_urls": "[]",
        "updated_at": "2026-01-01 00:00:00",
        "user_id": "somebody",
        **values,
    }
    marks = ", ".join("?" for _ in columns)
    insert = f"INSERT INTO generations ({', '.join(columns)}, task_id) VALUES ({marks}, ?)"
    for n in range(rows):
        created_at = str(datetime(2026, 1, 1) + timedelta(seconds=n))  # noqa: DTZ001 - as stored
        own = {**columns, "id": str(UUID(int=FIRST[name] + n)), "created_at": created_at}
        connection.execute(insert, (*own.values(), f"{name}-task-{n}"))


def fill_callbacks(connection: sqlite3.Connection, rows: int) -> None:
    columns = [column.name for column in callbacks.c if not column.nullable]
    fixed = {"received_at": "2026-01-01 00:00:00", "verdict": "accepted", "headers": "{}"}
    insert = f"INSERT INTO callbacks ({', '.join(columns)}, task_id) VALUES "
    marks = ", ".join("?" for _ in columns)
    connection.executemany(
        f"{insert} ({marks}, ?)",
        [(*(fixed.get(name, f"{n}") for name in columns), f"done-task-{n}") for n in range(rows)],
    )


def statements_of(file: Path, ask: Ask) -> list[Statement]:
    """What is asked, of a copy, so that every question finds the same rows."""
    copy = file.with_suffix(".copy")
    source, target = sqlite3.connect(file), sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.close()
    database = open_database(f"sqlite:///{copy}")
    with recorded() as statements:
        ask(Store(database, clock=Clock(NOON + timedelta(seconds=1))), Queries(database))
    database.close()
    return statements


@pytest.mark.parametrize("name", HOT)
def test_no_question_reads_a_whole_table(databases: dict[str, Path], name: str) -> None:
    connection = sqlite3.connect(databases["old"])
    for sql, values in statements_of(databases["old"], HOT[name]):
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        scans = [line for line in plan if line.startswith("SCAN") and " USING " not in line]
        assert scans in ([], ["SCAN create_grants"]), sql
    connection.close()


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("deliver by age", "ix_generations_due"),
        ("deliver by expiry", "ix_generations_expiring"),
        ("deliver by age", "ix_generations_leased"),
        ("announced", "ix_generations_announced"),
        ("submit", "ix_generations_unsubmitted"),
        ("has set aside", "ix_generations_set_aside"),
        ("sweep", "ix_callbacks_unmatched"),
    ],
)
def test_claims_go_by_the_index_of_open_rows(
    databases: dict[str, Path], name: str, index: str
) -> None:
    lines = plans(databases["old"], statements_of(databases["old"], HOT[name]))
    assert any(index in line for line in lines), lines


def steps(file: Path, statements: list[Statement]) -> int:
    """How many steps of SQLite's machine the statements take; they change nothing."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN")
    connection.set_progress_handler(count, 1)
    for sql, values in statements:
        connection.execute(sql, values).fetchall()
    connection.set_progress_handler(None, 0)
    connection.execute("ROLLBACK")
    connection.close()
    return counted


@pytest.mark.parametrize("name", HOT)
def test_what_is_finished_costs_nothing(databases: dict[str, Path], name: str) -> None:
    statements = statements_of(databases["old"], HOT[name])
    young, old = (steps(databases[age], statements) for age in ("young", "old"))
    assert old <= young * 1.05 + 20


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """A short history and a long one, in which everything is as frequent."""
    folder = tmp_path_factory.mktemp("lists")
    short, long = folder / "short.db", folder / "long.db"
    for file, rows in ((short, 8_000), (long, 24_000)):
        migrate(f"sqlite:///{file}")
        with sqlite3.connect(file) as connection:
            fill(connection, "done", rows, status="success", asset_url="u", prompt="a kite")
            connection.execute(
                "UPDATE generations SET model = 'm' || (rowid % 5), user_id = 'u' || (rowid % 20),"
                " kind = iif(rowid % 4, 'image', 'video'),"
                " delivered_via = iif(rowid % 3, 'callback', 'poll'),"
                " status = iif(rowid % 8, 'success', 'failed'),"
                " error_code = iif(rowid % 8, NULL, 'c' || (rowid % 3))"
            )
            fill(connection, "open", OPEN, status="queued", model="m1", user_id="u1")
        connection.close()
    yield short, long


def costs(histories: tuple[Path, Path], ask: Ask) -> list[int]:
    """What asking takes of either; in both the page is full, or there is nothing more."""
    return [steps(file, statements_of(file, ask)) for file in histories]


@pytest.mark.parametrize("before", [None, CURSOR], ids=["newest", "from a cursor"])
@pytest.mark.parametrize("name", LISTS)
def test_a_page_costs_by_its_length(
    histories: tuple[Path, Path], name: str, before: Cursor | None
) -> None:
    short, long = costs(histories, lambda _, queries: queries.page(LISTS[name], before=before))
    assert long <= short * 1.05 + 20
    assert long < 20_000


@pytest.mark.parametrize("name", LISTS)
def test_looking_for_what_is_newer_costs_by_its_length(
    histories: tuple[Path, Path], name: str
) -> None:
    short, long = costs(histories, lambda _, queries: queries.newer(LISTS[name], CURSOR, limit=10))
    assert long <= short * 1.05 + 20


@pytest.mark.parametrize("before", [None, CURSOR], ids=["newest", "from a cursor"])
def test_a_search_costs_by_its_budget(histories: tuple[Path, Path], before: Cursor | None) -> None:
    words = Filter(words=("zebra",))
    short, long = costs(
        histories, lambda store, _: Queries(store.database, searched=300).page(words, before=before)
    )
    assert long <= short * 1.05 + 20
