"""The schema: migrated as declared, once, and never made up by a process that only uses it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from core.errors import ConfigError, StoreUnavailableError
from core.store.database import Database, open_database
from core.store.migrate import migrate, require_current
from core.store.store import Store
from core.store.tables import metadata


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A migrated database."""
    migrate(f"sqlite:///{tmp_path / 'kie.db'}")
    return tmp_path / "kie.db"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{file}")
    yield opened
    opened.close()


def set_revision(file: Path, revision: str | None) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM alembic_version")
        if revision is not None:
            connection.execute("INSERT INTO alembic_version VALUES (?)", [revision])
    connection.close()


def schema(file: Path) -> list[tuple[str, str | None]]:
    connection = sqlite3.connect(file)
    rows = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    connection.close()
    return rows


def test_what_is_migrated_is_what_is_declared(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_checks_and_partial_indexes_are_migrated_as_declared(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "declared.db"
    engine = sa.create_engine(f"sqlite:///{other}")
    metadata.create_all(engine)
    engine.dispose()
    assert indexes(file) == indexes(other)
    assert checks(file) == checks(other)


def indexes(file: Path) -> set[str]:
    statements = [sql for name, sql in schema(file) if name.startswith(("ix_", "uq_"))]
    return {" ".join((sql or "").split()) for sql in statements}


def checks(file: Path) -> list[tuple[str | None, str]]:
    engine = sa.create_engine(f"sqlite:///{file}")
    found = sa.inspect(engine).get_check_constraints("generations")
    engine.dispose()
    return sorted((one["name"], one["sqltext"]) for one in found)


def test_migrating_twice_changes_nothing(file: Path) -> None:
    before = schema(file)
    migrate(f"sqlite:///{file}")
    assert schema(file) == before


def test_two_migrators_at_once_both_succeed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "core", "migrate"]
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'new' / 'kie.db'}"}
    both = [subprocess.Popen(command, env=environment) for _ in range(2)]
    assert [one.wait(30) for one in both] == [0, 0]
    names = [name for name, _ in schema(tmp_path / "new" / "kie.db")]
    assert "generations" in names


def test_a_database_that_is_current_or_newer_is_used(file: Path, database: Database) -> None:
    require_current(database)
    set_revision(file, "9999")
    require_current(database)


def test_a_database_without_migrations_is_not_used(file: Path, database: Database) -> None:
    set_revision(file, None)
    with pytest.raises(StoreUnavailableError, match="python -m core migrate"):
        require_current(database)


def test_a_missing_database_is_an_error_and_not_made_up(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'typo.db'}")
    with pytest.raises(StoreUnavailableError):
        Store(database).sweep_unmatched()
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_database_is_an_error(file: Path) -> None:
    migrated = file.read_bytes()
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
