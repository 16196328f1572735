"""`python -m deploy.backup FOLDER`: a verified copy of the database, while others work with it.

Only the database: stored files are never changed, and are copied by other means (README.md).
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import sqlalchemy as sa
from dotenv import dotenv_values

from core.errors import AppError
from core.settings import Settings
from core.store.address import is_sqlite, parse_url
from core.store.postgresql import connect_url
from core.store.sqlite import sqlite_file

#: Supabase's pooler in transaction mode: what pg_dump sets would stay behind for others.
TRANSACTION_POOLER_PORT = 6543
PART_SUFFIX = ".part"


class BackupError(AppError):
    """There is no backup; the message says why."""


def main() -> int:
    """0 with the file's name, or where there is nothing yet; 1, and one line, otherwise."""
    parser = argparse.ArgumentParser(prog="python -m deploy.backup", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    try:
        url = dotenv_values(".env").get("BACKUP_DATABASE_URL") or Settings.load().database
        file = back_up(url, folder)
    except (AppError, OSError, sqlite3.Error, psycopg.Error) as error:
        print(f"backup: {error}", file=sys.stderr)
        return 1
    print("nothing to back up yet" if file is None else f"{file} ({file.stat().st_size} bytes)")
    return 0


def back_up(url: str, folder: Path) -> Path | None:
    """The backup of a database in a folder; None where there is no database yet.

    What is unfinished or broken never has the name of a backup.
    """
    os.umask(0o077)
    folder.mkdir(parents=True, exist_ok=True)
    for rest in folder.glob(f"*{PART_SUFFIX}"):  # of one that was killed
        rest.unlink()
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    if is_sqlite(url):
        return _back_up_sqlite(sqlite_file(url), folder / f"{name}.db.gz")
    return _back_up_postgresql(url, folder / f"{name}.dump")


def _back_up_sqlite(database: Path, target: Path) -> Path | None:
    if not database.exists():
        return None
    copy = target.with_suffix(PART_SUFFIX)
    with (
        closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as sink,
    ):
        source.backup(sink)
        [[verdict]] = sink.execute("PRAGMA integrity_check(1)")
        if verdict != "ok":
            raise BackupError(f"{database} is damaged: {verdict}")
    packed = target.with_name(target.name + PART_SUFFIX)
    with copy.open("rb") as plain, gzip.open(packed, "wb", compresslevel=6) as archive:
        shutil.copyfileobj(plain, archive)
    with gzip.open(packed) as archive:
        _read_through(archive)
    copy.unlink()
    return _finished(packed, target)


def _back_up_postgresql(url: str, target: Path) -> Path | None:
    parsed = parse_url(url)
    if parsed.port == TRANSACTION_POOLER_PORT:
        raise BackupError(
            "pg_dump needs a session: set BACKUP_DATABASE_URL in .env to the session pooler or the"
            " direct connection (port 5432), or deploy with --no-backup"
        )
    if shutil.which("pg_dump") is None:
        raise BackupError(
            "there is no pg_dump: install it (Debian: postgresql-client), or deploy with"
            " --no-backup"
        )
    with connect_url(url) as connection:
        found = connection.execute("SELECT current_schema(), to_regclass('generations')").fetchone()
    if found is None or found[1] is None:
        return None
    dump = target.with_name(target.name + PART_SUFFIX)
    _run(parsed, "pg_dump", "--format=custom", f"--schema={found[0]}", f"--file={dump}")
    if "TABLE DATA" not in _run(None, "pg_restore", "--list", str(dump)):
        raise BackupError("pg_dump wrote no table")
    return _finished(dump, target)


def _run(url: sa.URL | None, program: str, *arguments: str) -> str:
    """What a program of PostgreSQL's says. The password does not show in its command line."""
    environment = dict(os.environ)
    options = list(arguments)
    if url is not None:
        # Not `url.set(password=None)`, which would leave the password where it is.
        bare = url._replace(drivername="postgresql", password=None)
        options.append(f"--dbname={bare.render_as_string(hide_password=False)}")
        environment["PGPASSWORD"] = str(url.password or "")
    done = subprocess.run([program, *options], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise BackupError(f"{program}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def _read_through(archive: gzip.GzipFile) -> None:
    """To the checksum at its end."""
    while archive.read(1 << 20):
        pass


def _finished(part: Path, target: Path) -> Path:
    with part.open("rb") as file:
        os.fsync(file.fileno())
    return part.rename(target)


if __name__ == "__main__":
    sys.exit(main())
