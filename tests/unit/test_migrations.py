"""The schema: migrated as declared, once, and never made up by a process that only uses it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from core.errors import ConfigError, StoreUnavailableError
from core.store.database import Database
from core.store.migrate import migrate, require_current, revision_of, turn_to_migrate
from core.store.opening import open_database
from core.store.sqlite import sqlite_file
from core.store.store import Store
from core.store.tables import metadata
from tests.support.databases import sqlite_url
from tests.support.earlier import read_rows, tables_of, touch_rows, write_rows
from tests.support.postgres import Postgres
from tests.support.revisions import REVISIONS, upgrade
from tests.support.schema import schema


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Makes databases without anything in them; on SQLite there is not even a file."""
    made: list[str] = []

    def make_sqlite() -> str:
        made.append(f"sqlite:///{tmp_path / f'new-{len(made)}' / 'kie.db'}")
        return made[-1]

    if request.param == "sqlite":
        yield make_sqlite
        return
    server: Postgres = request.getfixturevalue("postgres")

    def make_postgresql() -> str:
        made.append(server.create())
        return made[-1]

    yield make_postgresql
    for url in made:
        server.drop(url)


@pytest.fixture
def empty_url(new_url: Callable[[], str]) -> str:
    """A database without anything in it."""
    return new_url()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database."""
    opened = open_database(database_url)
    yield opened
    opened.close()


def test_what_is_migrated_is_what_is_declared(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_constraints_and_partial_indexes_are_migrated_as_declared(
    new_url: Callable[[], str],
) -> None:
    migrated, declared = new_url(), new_url()
    migrate(migrated)
    with turn_to_migrate(declared) as connection:
        metadata.create_all(connection)
    assert schema(migrated) == schema(declared)


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    before = schema(database_url)
    migrate(database_url)
    assert schema(database_url) == before


def test_two_migrators_at_once_both_succeed(empty_url: str) -> None:
    command = [sys.executable, "-m", "core", "migrate"]
    environment = {**os.environ, "DATABASE_URL": empty_url}
    both = [subprocess.Popen(command, env=environment) for _ in range(2)]
    assert [one.wait(60) for one in both] == [0, 0]
    database = open_database(empty_url)
    require_current(database)
    database.close()


def test_a_migrator_that_fails_leaves_nothing_behind(empty_url: str) -> None:
    with turn_to_migrate(empty_url) as connection:
        connection.exec_driver_sql("CREATE TABLE events (id integer)")
    before = schema(empty_url)
    with pytest.raises(StoreUnavailableError, match="events"):
        migrate(empty_url)
    assert schema(empty_url) == before


# From an earlier release to this one, and back: the code, never the schema.


@pytest.mark.parametrize("revision", REVISIONS)
def test_rows_of_an_earlier_release_are_kept(empty_url: str, revision: str) -> None:
    upgrade(empty_url, revision)
    tables = tables_of(empty_url)
    write_rows(empty_url, tables, 1)
    before = read_rows(empty_url, tables)
    migrate(empty_url)
    assert all(before.values())
    assert read_rows(empty_url, tables) == before


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_an_earlier_release_writes_is_still_taken(empty_url: str, revision: str) -> None:
    upgrade(empty_url, revision)
    tables = tables_of(empty_url)
    migrate(empty_url)
    write_rows(empty_url, tables, 2)
    touch_rows(empty_url, tables)
    assert all(read_rows(empty_url, tables).values())


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_earlier_release_leads_to_the_same_tables(
    new_url: Callable[[], str], revision: str
) -> None:
    step_by_step, at_once = new_url(), new_url()
    upgrade(step_by_step, revision)
    migrate(step_by_step)
    migrate(at_once)
    assert schema(step_by_step) == schema(at_once)


def set_revision(url: str, revision: str | None) -> None:
    with turn_to_migrate(url) as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
        if revision is not None:
            connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{revision}')")


def test_a_database_that_is_current_or_newer_is_used(database_url: str, database: Database) -> None:
    require_current(database)
    set_revision(database_url, "9999")
    require_current(database)
    assert revision_of(database).is_ahead


@pytest.mark.parametrize("revision", [None, *REVISIONS[:-1]])
def test_a_database_without_all_migrations_is_not_used(
    database_url: str, database: Database, revision: str | None
) -> None:
    set_revision(database_url, revision)
    with pytest.raises(StoreUnavailableError, match="python -m core migrate"):
        require_current(database)


def test_a_missing_database_is_an_error_and_not_made_up(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'typo.db'}")
    with pytest.raises(StoreUnavailableError):
        Store(database).sweep_unmatched()
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_file_is_an_error(tmp_path: Path) -> None:
    migrated = sqlite_file(sqlite_url(tmp_path)).read_bytes()
    with not_as_root(), tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "kie.db"
        copy.write_bytes(migrated)
        copy.chmod(0o444)
        Path(folder).chmod(0o555)
        database = open_database(f"sqlite:///{copy}")
        with pytest.raises(StoreUnavailableError):
            Store(database).processes.started("poller")
        database.close()
        Path(folder).chmod(0o755)


@contextmanager
def not_as_root() -> Iterator[None]:
    """Root may write what is read-only, so be nobody for a while."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "kie.db"
    file.write_bytes(b"not a database, whatever its name says. " * 100)
    database = open_database(f"sqlite:///{file}")
    with pytest.raises(StoreUnavailableError):
        Store(database).sweep_unmatched()
    with pytest.raises(StoreUnavailableError):
        migrate(f"sqlite:///{file}")
    database.close()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailableError):
        migrate(f"sqlite:///{tmp_path / 'file' / 'kie.db'}")


@pytest.mark.parametrize("url", ["mysql://host/name", "sqlite://"])
def test_another_kind_of_database_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(ConfigError):
        open_database(url)
