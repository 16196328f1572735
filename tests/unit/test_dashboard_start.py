"""Starting, stopping and refusing to start; and what stands where a page fails."""

from __future__ import annotations

import base64
import logging
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from core.store.migrate import migrate
from dashboard.__main__ import options
from dashboard.words import common as words
from tests.support.dashboard import Dashboard, texts
from tests.support.databases import give_back
from tests.support.processes import Process, free_port, wait_until
from tests.support.world import settings

OFF_LOOPBACK = {
    "BIND": "0.0.0.0",
    "API_TOKEN": "t",
    "KIE_CALLBACK_SECRET": "s",
    "KIE_API_KEY": "k",
}


@contextmanager
def started(folder: Path, **environment: str) -> Iterator[Process]:
    """`python -m dashboard`, killed at the end."""
    own = {"DATA_DIR": str(folder), "HOME": str(folder), **environment}
    process = Process(folder / "dashboard.log", os.environ | own, "dashboard")
    try:
        yield process
    finally:
        process.kill()


def upgrade(port: int, host: str) -> str:
    """The status line for somebody who asks for a session."""
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n"
        f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request.encode())
        return connection.recv(4096).decode().splitlines()[0]


def is_up(port: int) -> bool | None:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/_stcore/health").is_success
    except httpx.TransportError:
        return None


# The process


def test_it_says_where_it_is_and_stops_on_sigterm(tmp_path: Path) -> None:
    migrate(settings(tmp_path).database)
    port = free_port()
    with started(tmp_path, DASHBOARD_PORT=str(port)) as process:
        wait_until(lambda: is_up(port), "an answer")
        assert process.output == f"dashboard: http://127.0.0.1:{port}\n"
        assert upgrade(port, f"localhost:{port}") == "HTTP/1.1 101 Switching Protocols"
        assert upgrade(port, "rebound.example") == "HTTP/1.1 403 Forbidden"
        process.signal(signal.SIGTERM)
        assert process.ended(10) == 0


def test_with_a_password_it_may_have_any_name(tmp_path: Path) -> None:
    port = free_port()
    password = {"DASHBOARD_PASSWORD": "open sesame"}
    with started(tmp_path, DASHBOARD_PORT=str(port), **OFF_LOOPBACK, **password) as process:
        wait_until(lambda: is_up(port), "an answer")
        assert upgrade(port, "kie.example.org") == "HTTP/1.1 101 Switching Protocols"
        assert process.output == f"dashboard: http://127.0.0.1:{port}\n"


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"DASHBOARD_PORT": "many"}, "DASHBOARD_PORT: "),
        ({"BIND": "0.0.0.0"}, "set also: API_TOKEN"),
        (OFF_LOOPBACK, "DASHBOARD_PASSWORD: BIND is not loopback"),
    ],
)
def test_a_refused_start_is_one_line_and_exit_code_2(
    tmp_path: Path, environment: dict[str, str], problem: str
) -> None:
    with started(tmp_path, **environment) as process:
        assert process.ended() == 2
    assert process.output.startswith("dashboard: ")
    assert (problem in process.output, process.output.count("\n")) == (True, 1)


def test_a_port_that_is_taken_refuses_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started(tmp_path, DASHBOARD_PORT=str(port)) as process:
            assert process.ended() == 2
    assert "Address already in use" in process.output


@pytest.mark.parametrize(
    ("chosen", "limited"),
    [
        ({}, True),
        ({"bind": "[::1]"}, True),
        ({"dashboard_password": "x"}, False),
        ({"bind": "0.0.0.0", "dashboard_password": "x"}, False),
    ],
)
def test_only_names_of_this_machine_are_answered_where_nobody_is_asked(
    tmp_path: Path, chosen: dict[str, str], limited: bool
) -> None:
    flags = list(options(settings(tmp_path, **chosen)))
    assert ("--server.allowedHosts=localhost" in flags) is limited
    assert not [flag for flag in flags if "[" in flag]


# A page that fails


def test_a_database_that_is_missing_is_told(dashboard: Dashboard) -> None:
    dashboard.take_database_away()
    page = dashboard.open()
    assert words.DATABASE_AWAY in texts(page)
    assert re.search("unable to open|not currently accepting connections", texts(page))


def test_a_database_without_its_schema_is_told(dashboard: Dashboard) -> None:
    with dashboard.world.core.store.database.write() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))
    assert "python -m core migrate" in texts(dashboard.open())


def test_a_page_comes_back_with_the_database(dashboard: Dashboard) -> None:
    dashboard.take_database_away()
    page = dashboard.open()
    give_back(dashboard.world.core.settings.database)
    assert words.DATABASE_AWAY not in texts(page.run())


def failing() -> None:
    from dashboard.boundary import boundary, live

    @live(60)
    def part() -> None:
        raise ValueError("the secret reason")

    with boundary():
        part()


def test_a_defect_is_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "dashboard"):
        page = AppTest.from_function(failing).run()
    assert words.BROKEN in texts(page)
    assert "secret reason" not in texts(page)
    assert not page.exception
    assert "ValueError: the secret reason" in caplog.text


def looking_again() -> None:
    import streamlit as st

    from dashboard.boundary import look_again

    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    if st.session_state["runs"] < 3:
        look_again(st.session_state["since"])


@pytest.mark.parametrize(
    ("since", "is_there", "runs"),
    [(0.0, True, 3), (0.0, False, 1), (float("inf"), True, 1)],
    ids=["it is back", "it is away", "too early to look"],
)
def test_a_page_runs_again_once_the_database_is_back(
    dashboard: Dashboard, since: float, is_there: bool, runs: int
) -> None:
    if not is_there:
        dashboard.take_database_away()
    page = AppTest.from_function(looking_again)
    page.session_state["since"] = since
    assert page.run().session_state["runs"] == runs
