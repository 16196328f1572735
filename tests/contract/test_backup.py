"""Backups of both databases, while they are in use."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from core.store.address import is_sqlite
from core.store.sqlite import sqlite_file
from deploy.backup import BackupError, back_up
from tests.support.databases import locked, on_sqlite, rows, sqlite_url
from tests.support.postgres import Postgres, binaries, query
from tests.support.world import World

COUNT = "SELECT COUNT(*) AS number FROM generations"
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _tools_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pg_dump older than the server would refuse."""
    monkeypatch.setenv("PATH", f"{binaries()}:{os.environ['PATH']}")


def restored(file: Path, database_url: str, folder: Path, postgres: Postgres) -> str:
    """The URL of another database, made from a backup as README.md says."""
    folder.mkdir()
    if is_sqlite(database_url):
        (folder / "kie.db").write_bytes(gzip.decompress(file.read_bytes()))
        return f"sqlite:///{folder / 'kie.db'}"
    url = postgres.create()
    query(url, "CREATE TABLE somebody_elses (id int)")  # what stands in the schema may stay there
    how = ["--schema=public", "--clean", "--if-exists", "--no-owner", "--single-transaction"]
    to = [*how, f"--dbname={url}", str(file)]
    subprocess.run(["pg_restore", *to], check=True)
    return url


def test_a_backup_holds_what_the_database_held(
    world: World, database_url: str, tmp_path: Path, postgres: Postgres
) -> None:
    world.add()
    with locked(database_url):  # by somebody who writes
        file = back_up(database_url, tmp_path / "backups")
    world.add()
    assert file is not None
    url = restored(file, database_url, tmp_path / "restored", postgres)
    assert rows(url, COUNT) == [{"number": 1}]
    assert file.stat().st_mode & 0o777 == 0o600


@on_sqlite
def test_a_damaged_database_gives_no_backup(database_url: str, tmp_path: Path) -> None:
    with sqlite_file(database_url).open("r+b") as file:
        file.seek(5 * 4096)
        file.write(b"x" * 4096)
    with pytest.raises(BackupError, match="damaged"):
        back_up(database_url, tmp_path / "backups")
    assert list((tmp_path / "backups").glob("2*.gz")) == []


def test_before_the_first_migration_there_is_nothing(tmp_path: Path, postgres: Postgres) -> None:
    assert back_up(f"sqlite:///{tmp_path / 'none.db'}", tmp_path) is None
    url = postgres.create()
    assert back_up(url, tmp_path) is None
    postgres.drop(url)


def test_what_a_killed_backup_left_is_removed(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups/20260101-000000.db.gz.part").write_text("half")
    file = back_up(url, tmp_path / "backups")
    assert [file] == list((tmp_path / "backups").iterdir())


def test_a_pooler_that_shares_sessions_is_not_dumped_through(tmp_path: Path) -> None:
    url = "postgresql://postgres.a:secret@pooler.example.org:6543/postgres"
    with pytest.raises(BackupError, match="BACKUP_DATABASE_URL") as refused:
        back_up(url, tmp_path)
    assert "secret" not in str(refused.value)


@on_postgresql
def test_without_pg_dump_it_is_said_what_to_install(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(BackupError, match="postgresql-client"):
        back_up(database_url, tmp_path)
