"""A real pooler, as Supabase has one: at port 6543 in transaction mode, else in session mode."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy as sa

from tests.support.postgres import another_user
from tests.support.processes import free_port, wait_until

#: Fewer than the clients: each transaction gets whichever is free.
SERVER_CONNECTIONS = 3


@contextmanager
def pooled(url: str, mode: str = "transaction") -> Iterator[str]:
    """The URL of a database behind a pooler that gives out few connections in turns."""
    program = _program()
    target = sa.make_url(url)
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    user = another_user()
    port = free_port()
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        "[databases]\n"
        f"* = host={target.host} port={target.port} user={target.username}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = {mode}\ndefault_pool_size = {SERVER_CONNECTIONS}\n"
        "max_client_conn = 200\n"
    )
    if user:
        shutil.chown(folder, user["user"], user["group"])
        shutil.chown(settings, user["user"], user["group"])
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, settings], stdout=log, stderr=log, **user)
    through = target.set(port=port).render_as_string(hide_password=False)
    try:
        wait_until(lambda: _answers(through), "the pooler answers")
        yield through
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def _program() -> str:
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if found is None:
        raise RuntimeError("no pgbouncer here: install it, e.g. by `apt-get install pgbouncer`")
    return found


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
