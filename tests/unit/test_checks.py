"""Whether everything is configured and reachable."""

from __future__ import annotations

import gzip
import re
import socket
import sqlite3
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from core import __version__
from core.checks import address
from core.checks.model import CheckState
from core.checks.processes import STALE_AFTER
from core.checks.run import CHECKS, LOOKING, run_checks, versions
from core.checks.surroundings import surroundings_of
from core.kie.report import AskFailed
from core.store.health import last_callback_at
from core.store.opening import open_database
from tests.support.checks import (
    GIB,
    PUBLIC,
    SECRETS,
    Disk,
    as_we_do,
    internet,
    kie_at,
    looked_at,
    looking,
    world_with,
)
from tests.support.databases import on_sqlite, take_away
from tests.support.statements import plans, recorded
from tests.support.world import World, open_world


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[World]:
    """Everything is well, on the internet."""
    with world_with(tmp_path, database_url) as world:
        yield world


def lose_database(world: World) -> None:
    take_away(world.core.settings.database)
    world.core.store.database.close()


# All together


def test_all_is_well(site: World) -> None:
    checks = looked_at(site, changing=True)
    assert list(checks) == list(CHECKS)
    assert {check.state for check in checks.values()} == {"ok"}


def test_those_that_only_look_change_nothing(site: World) -> None:
    before = site.stored()
    with site.core.store.database.read() as connection:
        callbacks = connection.exec_driver_sql("SELECT count(*) FROM callbacks").scalar_one()
    assert list(looked_at(site, changing=False)) == list(LOOKING)
    assert site.stored() == before
    with site.core.store.database.read() as connection:
        again = connection.exec_driver_sql("SELECT count(*) FROM callbacks").scalar_one()
    assert again == callbacks


def test_each_check_is_announced_and_comes_as_soon_as_it_is_done(site: World) -> None:
    asked: list[httpx.Request] = []
    begun: list[str] = []
    with looking(site, lambda request: asked.append(request) or as_we_do(request)) as around:
        checks = run_checks(around, changing=False, begin=begun.append)
        assert [next(checks).name for _ in range(2)] == ["settings", "database"]
        checks.close()
    assert (asked, begun) == ([], ["settings", "database"])


def test_every_check_comes_after_what_it_needs() -> None:
    names = list(CHECKS)
    for name, planned in CHECKS.items():
        assert all(names.index(needed) < names.index(name) for needed in planned.needs)
        assert planned.changes or not any(CHECKS[needed].changes for needed in planned.needs)


def test_without_its_database_the_product_still_says_what_it_sees(site: World) -> None:
    answer = internet(site)
    lose_database(site)
    checks = looked_at(site, answer, changing=True)
    assert checks["database"].state == "failed"
    unknown = {name: check for name, check in checks.items() if check.state == "unknown"}
    assert set(unknown) == {
        *("server", "connection", "migration", "row_security", "clock"),
        *("own_callback", "callbacks", "webhook", "poller"),
    }
    assert {check.found for check in unknown.values()} == {
        "not looked at: first `database` must be well"
    }
    assert {checks[name].state for name in ("storage_url", "kie", "public_address")} == {"ok"}


@on_sqlite
def test_a_database_that_goes_away_meanwhile_is_a_finding_too(site: World) -> None:
    with looking(site, internet(site)) as around:
        checks = {}
        for check in run_checks(around, changing=False):
            checks[check.name] = check
            if check.name == "public_address":
                with site.core.store.database.write() as connection:
                    connection.exec_driver_sql("DROP TABLE processes")
    assert checks["poller"].state == "unknown"
    assert "no such table: processes" in checks["poller"].found


def test_a_check_with_a_bug_does_not_hide_the_others(
    site: World, caplog: pytest.LogCaptureFixture
) -> None:
    def usage(folder: Path) -> Disk:
        raise ZeroDivisionError

    checks = looked_at(site, disk_usage=usage)
    assert checks["disk"].found == "not known: ZeroDivisionError in the check itself"
    assert checks["poller"].state == "ok"
    assert [record.levelname for record in caplog.records if record.exc_info] == ["ERROR"]


def test_no_line_holds_a_secret(tmp_path: Path, database_url: str) -> None:
    secrets = {**SECRETS, "api_token": "api-token-1", "asset_url_secret": "asset-1"}
    with world_with(tmp_path, database_url, bind="0.0.0.0", **secrets) as world:
        shown = str(looked_at(world, changing=True))
    assert not [secret for secret in secrets.values() if secret in shown]


# The database


def test_the_database_is_named_by_its_place_with_its_size(site: World) -> None:
    found = looked_at(site)["database"].found
    place = r"(/.*/kie\.db|127\.0\.0\.1:\d+/test_\w+)"
    assert re.fullmatch(rf"{place} can be read and written, [\d.]+ [kM]B", found)


@on_sqlite
def test_a_database_that_cannot_be_used_fails(world: World) -> None:
    (world.core.settings.data_dir / "kie.db").write_bytes(b"whatever its name says. " * 100)
    check = looked_at(world)["database"]
    assert (check.state, "not a database" in check.found) == ("failed", True)


@on_sqlite
def test_a_database_file_that_is_gone_is_missed_by_those_who_have_it_open(site: World) -> None:
    (site.core.settings.data_dir / "kie.db").unlink()
    check = looked_at(site)["database"]
    assert (check.state, "No such file" in check.found) == ("failed", True)


def test_the_size_counts_what_the_log_still_holds(tmp_path: Path) -> None:
    (tmp_path / "kie.db").write_bytes(b"123")
    database = open_database(f"sqlite:///{tmp_path / 'kie.db'}")
    assert database.size() == 3
    (tmp_path / "kie.db-wal").write_bytes(b"4567")
    assert database.size() == 7


def test_the_version_of_the_server_is_told(site: World) -> None:
    found = looked_at(site)["server"].found
    assert re.fullmatch(r"(SQLite 3|PostgreSQL \d\d)\.[\d.]+", found)


@pytest.mark.parametrize(
    ("revision", "state", "found"),
    [
        ("0001", "failed", "at 0001; "),
        (None, "failed", "at no revision; "),
        ("9999", "warning", "newer"),
    ],
)
def test_the_schema_has_to_be_that_of_the_code(
    site: World, revision: str | None, state: str, found: str
) -> None:
    with site.core.store.database.write() as connection:
        connection.execute(sa.text("DELETE FROM alembic_version"))
        if revision:
            connection.execute(sa.text(f"INSERT INTO alembic_version VALUES ('{revision}')"))
    check = looked_at(site)["migration"]
    assert (check.state, found in check.found) == (state, True)


# Files


def test_storage_that_takes_no_file_fails(site: World) -> None:
    site.core.settings.assets_dir.write_text("a file where the folder should be")
    check = looked_at(site)["storage"]
    assert (check.state, str(site.core.settings.assets_dir) in check.found) == ("failed", True)


@pytest.mark.parametrize(
    ("free", "state"),
    [(400 * GIB, "ok"), (27 * GIB, "ok"), (26 * GIB, "warning"), (24 * GIB, "failed")],
)
def test_room_is_needed_for_the_largest_file(site: World, free: int, state: str) -> None:
    assert looked_at(site, disk_usage=lambda _: Disk(free=free))["disk"].state == state


def test_of_two_disks_the_fuller_one_is_told(site: World) -> None:
    assets = site.core.settings.assets_dir
    usage = lambda folder: Disk(free=0 if folder == assets else 400 * GIB)  # noqa: E731
    check = looked_at(site, disk_usage=usage)["disk"]
    assert (check.state, check.found) == ("failed", f"0 B of 537 GB free at {assets}")


@pytest.mark.parametrize("error", [FileNotFoundError(2, "no", "data"), PermissionError(13, "no")])
def test_a_disk_that_cannot_be_read_is_unknown(site: World, error: OSError) -> None:
    def usage(folder: Path) -> Disk:
        raise error

    assert looked_at(site, disk_usage=usage)["disk"].state == "unknown"


# Processes


@pytest.mark.parametrize("name", ["poller", "webhook"])
def test_a_process_that_is_silent_for_too_long_fails(site: World, name: str) -> None:
    site.clock.advance(STALE_AFTER.total_seconds())
    assert looked_at(site)[name].found == "last heartbeat 30 s ago"
    site.clock.advance(1)
    check = looked_at(site)[name]
    assert (check.state, check.found) == ("failed", "silent for 31 s")


def test_processes_that_never_started_are_missed(world: World) -> None:
    checks = looked_at(world)
    assert checks["webhook"].remedy == "Start it: `python -m webhook`. If it runs, read its log."
    assert (checks["poller"].state, checks["poller"].found) == ("failed", "never started")


# Callbacks


def test_an_accepted_callback_is_the_proof_that_kie_reaches_us(site: World) -> None:
    site.clock.advance(180)
    found = looked_at(site)["callbacks"].found
    assert found == f"last accepted 3 min ago, so KIE reaches {PUBLIC}"


def test_an_old_callback_proves_nothing(site: World) -> None:
    site.clock.advance(86_401)
    check = looked_at(site)["callbacks"]
    assert (check.state, "24 h ago: no proof" in check.found) == ("unknown", True)


@pytest.mark.parametrize(
    ("settings", "state", "found"),
    [
        ({"public_base_url": PUBLIC}, "unknown", "none accepted yet"),
        ({"kie_base_url": "http://127.0.0.1:1"}, "unknown", "none accepted yet"),
        ({}, "warning", "not asked for"),
        ({"public_base_url": "https://192.168.1.7"}, "warning", "private address"),
    ],
)
def test_before_the_first_callback_only_settings_can_be_judged(
    tmp_path: Path, database_url: str, settings: dict[str, str], state: str, found: str
) -> None:
    with open_world(tmp_path, database_url, **settings) as world:
        check = looked_at(world, as_we_do)["callbacks"]
    assert (check.state, found in check.found) == (state, True)


@on_sqlite
def test_the_last_callback_is_found_by_its_index(site: World) -> None:
    with recorded() as statements, site.core.store.database.read() as connection:
        last_callback_at(connection)
    lines = plans(site.core.settings.data_dir / "kie.db", statements)
    assert lines == ["SEARCH callbacks USING INDEX ix_callbacks_accepted"]


# Our public address


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (httpx.Response(200, html="<h1>Welcome to nginx</h1>"), "HTTP 200 with another answer"),
        (httpx.Response(200, json={"status": "fine"}), "HTTP 200 with another answer"),
        (
            httpx.Response(302, headers={"location": "/login?next=secret"}),
            f"HTTP 302 redirects to {PUBLIC}/login",
        ),
        (httpx.Response(502, json={"status": "ok"}), "HTTP 502 with another answer"),
        (httpx.Response(200, content=b"x" * (1 << 20)), "HTTP 200 with another answer"),
    ],
)
def test_somebody_else_at_our_address_is_told(
    site: World, answer: httpx.Response, problem: str
) -> None:
    check = looked_at(site, lambda _: answer)["public_address"]
    assert (check.state, check.found.endswith(problem)) == ("warning", True)


@pytest.mark.parametrize(
    ("url", "state"), [(PUBLIC, "warning"), ("http://127.0.0.1:8000", "failed")]
)
def test_no_answer_is_certain_on_this_machine_only(
    tmp_path: Path, database_url: str, url: str, state: str
) -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("timed out", request=request)

    with world_with(tmp_path, database_url, public_base_url=url) as world:
        check = looked_at(world, nobody)["public_address"]
    assert (check.state, check.found.endswith("ConnectTimeout")) == (state, True)


def test_health_is_asked_at_the_public_address(site: World) -> None:
    asked: list[str] = []
    looked_at(site, lambda request: asked.append(str(request.url)) or as_we_do(request))
    assert asked == ["https://api.kie.ai", f"{PUBLIC}/api/health"]


def test_a_packed_answer_stays_packed() -> None:
    packed = gzip.compress(bytes(1 << 20))
    answer = httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=iter([packed]))
    assert address.read_answer(answer).body == packed[: address.ANSWER_BYTES]


def test_an_answer_that_drips_is_not_waited_for(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "ANSWER_SECONDS", 0.2)
    with (
        dripping() as url,
        world_with(tmp_path, database_url, public_base_url=url) as world,
        address.plain_client() as http,
    ):
        check = address.public_address(surroundings_of(world.core, http))
    assert check.found.endswith("ReadTimeout")


@contextmanager
def dripping() -> Iterator[str]:
    """The URL of a server that sends a byte now and then, until the client hangs up."""

    def serve() -> None:
        connection, _ = listener.accept()
        connection.settimeout(0.02)
        with connection, suppress(ConnectionError):
            while True:
                with suppress(TimeoutError):
                    connection.recv(1024)
                connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(timeout=10)


# KIE


@pytest.mark.parametrize(
    ("left", "state", "words"),
    [
        ("812.5", "ok", "api.kie.ai accepts the key; 812.50 credits left"),
        ("1000000.0", "ok", "api.kie.ai accepts the key; 1,000,000 credits left"),
        ("99.99", "warning", "api.kie.ai accepts the key; 99.99 credits left"),
        ("0", "failed", "api.kie.ai accepts the key; 0 credits left"),
    ],
)
def test_credits_left(site: World, left: str, state: str, words: str) -> None:
    site.kie.credits_left = Decimal(left)
    check = looked_at(site)["kie"]
    assert (check.state, check.found) == (state, words)


@pytest.mark.parametrize(
    ("code", "state", "remedy"),
    [
        ("kie.unauthorized", "failed", "KIE_API_KEY"),
        ("kie.no_credits", "failed", "Top up"),
        ("kie.key_capped", "failed", "limit"),
        ("kie.unavailable", "failed", "KIE_BASE_URL"),
        ("kie.rate_limited", "unknown", "Try again"),
        ("kie.unknown_task", "unknown", "KIE_BASE_URL"),
    ],
)
def test_kie_does_not_tell(site: World, code: str, state: str, remedy: str) -> None:
    site.kie.credits_left = AskFailed(code, "in KIE's\nwords")
    check = looked_at(site)["kie"]
    assert (check.state, remedy in (check.remedy or "")) == (state, True)
    assert check.found == f"api.kie.ai: `{code}`, in KIE's words"


def test_without_a_key_kie_is_not_asked(world: World) -> None:
    check = looked_at(world)["kie"]
    assert (check.state, check.found) == ("failed", "there is no key for api.kie.ai")


def test_a_simulator_is_named(tmp_path: Path, database_url: str) -> None:
    with world_with(tmp_path, database_url, kie_base_url="http://127.0.0.1:9000") as world:
        check = looked_at(world)["kie"]
    assert check.found.startswith("the simulator at 127.0.0.1:9000 accepts the key")


@pytest.mark.parametrize(
    ("seconds", "state", "found"),
    [
        (60, "ok", "less than 60 s apart"),
        (-60, "ok", "less than 60 s apart"),
        (61, "warning", " is 61 s ahead of KIE; "),
        (-301, "warning", " is 5 min behind KIE; "),
    ],
)
def test_clocks_are_compared(site: World, seconds: float, state: str, found: str) -> None:
    check = looked_at(site, kie_at(site.clock() - timedelta(seconds=seconds)))["clock"]
    assert (check.state, found in check.found) == (state, True)


@pytest.mark.parametrize("date", [None, "yesterday", "Sun, 99 Nov 2026 12:00:00 GMT"])
def test_a_clock_that_kie_does_not_tell_is_unknown(site: World, date: str | None) -> None:
    headers = {"date": date} if date else {}
    checks = looked_at(site, lambda _: httpx.Response(200, headers=headers))
    assert checks["clock"].state == CheckState.UNKNOWN


# Versions


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert __version__ == project["project"]["version"]


def test_versions_are_told_by_name(site: World) -> None:
    assert "SQLite" not in versions()
    found = versions(site.core.store.database)
    kind = "SQLite" if "sqlite" in site.core.settings.database else "PostgreSQL"
    assert list(found) == ["KIE delivery", "Python", "SQLAlchemy", kind]
    assert kind == "PostgreSQL" or found[kind] == sqlite3.sqlite_version
    assert all(re.match(r"\d+\.\d+", version) for version in found.values())
