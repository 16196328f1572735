"""`python -m core migrate`, as somebody calls it who may have a table already."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from core.store.migrate import require_current
from core.store.opening import open_database
from tests.support.commands import Ran, run_command
from tests.support.historic import OURS, build
from tests.support.postgres import Postgres, query
from tests.support.schema import schema

Run = Callable[..., Ran]
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
def run(empty: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("DATABASE_URL", empty)
    return partial(run_command, "migrate")


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


def test_programs_get_the_changes(empty: str, run: Run) -> None:
    lines = run("--dry-run").out.splitlines()
    assert json.loads(run("--json").out) == {
        "dryRun": False,
        "changes": [line.removeprefix("- ") for line in lines[:-1]],
    }


def test_the_bucket_in_use_is_ours_too(old: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", OURS[1].partition("/storage/")[0])
    before = run("--dry-run")
    monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", "key")
    assert before.code == 2
    assert run("--dry-run") == run("--dry-run", "--ours", OURS[1])


@pytest.mark.parametrize(
    ("prefix", "why"),
    [
        ("", "give the beginning of a URL"),
        ("ours.test/files/", "give the beginning of a URL"),
        ("https:///files/", "give the beginning of a URL"),
        ("https://[ours.test/", "give the beginning of a URL"),
        ("ftp://ours.test/", "give the beginning of a URL"),
        ("https://ours.test/?file=/", "give the beginning of a URL"),
        ("https://anna@ours.test/", "give the beginning of a URL"),
        ("https://ours.test/ /", "give the beginning of a URL"),
        ("https://ours.test", "end with /"),
        ("https://ours.test/files", "end with /"),
        ("https://api.kie.test/", "KIE's"),
        ("https://tempfile.aiquickdraw.com/v/", "KIE's"),
        ("https://KIE.ai/", "KIE's"),
    ],
)
@pytest.mark.parametrize("what", ["--dry-run", "--adopt"])
def test_what_would_take_in_urls_of_others_is_not_ours(
    old: str, run: Run, monkeypatch: pytest.MonkeyPatch, prefix: str, why: str, what: str
) -> None:
    monkeypatch.setenv("KIE_BASE_URL", "https://api.kie.test")
    code, said, complaint = run(what, "--ours", OURS[1], "--ours", prefix)
    assert (code, said, why in complaint) == (2, "", True)
    assert query(old, "SELECT to_regclass('assets') AS it") == [{"it": None}]


def test_another_applications_migrations_are_not_taken_for_newer_ones(empty: str, run: Run) -> None:
    query(empty, "CREATE TABLE alembic_version (version_num varchar(32))")
    query(empty, "INSERT INTO alembic_version VALUES ('ae1027a6acf')")
    code, said, complaint = run()
    assert (code, said, "another application" in complaint) == (2, "", True)


def test_a_newer_schema_is_left_alone_by_older_code(empty: str, run: Run) -> None:
    run()
    query(empty, "UPDATE alembic_version SET version_num = '9999'")
    assert run() == (0, "the database is at the newest schema\n", "")
