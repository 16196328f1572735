"""`python -m core migrate`, as somebody calls it who may have a table already."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from core.__main__ import main
from core.store.database import open_database
from core.store.migrate import require_current
from tests.support.historic import OURS, build
from tests.support.postgres import Postgres, query
from tests.support.schema import schema

Run = Callable[..., tuple[int, str, str]]
ROWS = "SELECT to_jsonb(g) AS row FROM generations g ORDER BY id"


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[str]:
    url = postgres.create()
    yield url
    postgres.drop(url)


@pytest.fixture
def old(empty: str) -> str:
    """A database with a table that was there before."""
    build(empty, "all, with stray columns")
    return empty


@pytest.fixture
def run(empty: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("DATABASE_URL", empty)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["core", "migrate", *arguments])
        return main(), *capsys.readouterr()

    return call


def is_current(url: str) -> bool:
    database = open_database(url)
    require_current(database)
    database.close()
    return True


def test_an_empty_database_is_migrated_and_told_what_was_done(empty: str, run: Run) -> None:
    code, said, _ = run()
    assert (code, "migration 0001: First tables" in said) == (0, True)
    assert is_current(empty)
    assert run() == (0, "the database is at the newest schema\n", "")


def test_a_dry_run_on_an_empty_database_leaves_it_empty(empty: str, run: Run) -> None:
    code, said, _ = run("--dry-run")
    assert (code, "migration 0001" in said, "nothing was changed" in said) == (0, True, True)
    assert query(empty, "SELECT * FROM pg_tables WHERE schemaname = 'public'") == []


def test_a_table_that_was_there_before_is_not_touched_unasked(old: str, run: Run) -> None:
    before = schema(old), query(old, ROWS)
    code, said, complaint = run()
    assert (code, said) == (2, "")
    assert "--dry-run" in complaint
    assert "--adopt" in complaint
    assert (schema(old), query(old, ROWS)) == before


def test_a_dry_run_tells_what_adopting_does_and_changes_nothing(old: str, run: Run) -> None:
    before = schema(old), query(old, ROWS)
    code, said, _ = run("--dry-run", "--ours", OURS[1])
    assert (code, "A dry run: nothing was changed." in said) == (0, True)
    assert len(said.splitlines()) > 10
    assert (schema(old), query(old, ROWS)) == before


def test_adopting_does_what_the_dry_run_told(old: str, run: Run) -> None:
    _, tried, _ = run("--dry-run", "--ours", OURS[1])
    code, said, _ = run("--adopt", "--ours", OURS[1])
    assert code == 0
    assert said == tried.replace("A dry run: nothing was changed.\n", "")
    assert is_current(old)
    assert run() == (0, "the database is at the newest schema\n", "")


def test_a_newer_schema_is_left_alone_by_older_code(empty: str, run: Run) -> None:
    run()
    query(empty, "UPDATE alembic_version SET version_num = '9999'")
    assert run() == (0, "the database is at the newest schema\n", "")
