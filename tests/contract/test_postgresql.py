"""A server that is restarted, stopped, frozen, read-only or busy; and what strangers write."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa

from core.errors import StoreUnavailableError
from core.store import postgresql
from core.store.database import Database
from core.store.inbox import Verdict
from core.store.migrate import migrate
from core.store.opening import open_database
from core.store.tables import callbacks, processes
from tests.contract.conftest import StoreCase, received
from tests.support.clock import NOON
from tests.support.postgres import Postgres, Server, name_of, query
from tests.support.processes import wait_until

SELECT_ONE = sa.text("SELECT 1")


@pytest.fixture
def database(postgresql_url: str) -> Iterator[Database]:
    opened = open_database(postgresql_url, connections=4)
    yield opened
    opened.close()


@pytest.fixture
def case(postgresql_url: str) -> Iterator[StoreCase]:
    opened = StoreCase(postgresql_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of our own, to be stopped and started."""
    started = Server()
    migrate(started.url_of("postgres"))
    yield started
    started.close()


@pytest.fixture
def served(server: Server) -> Iterator[Database]:
    opened = open_database(server.url_of("postgres"), connections=4)
    works(opened)
    yield opened
    opened.close()


def works(database: Database) -> None:
    with database.read() as connection:
        assert connection.scalar(SELECT_ONE) == 1
    database.check_writable()


# A server that comes and goes


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_between_two_transactions_is_not_noticed(
    server: Server, served: Database, mode: str
) -> None:
    with ThreadPoolExecutor(4) as pool:  # several pooled connections
        list(pool.map(lambda _: works(served), range(8)))
    server.stop(mode)
    server.start()
    for _ in range(5):
        works(served)


def test_a_restart_in_a_transaction_undoes_it(server: Server, served: Database) -> None:
    with pytest.raises(StoreUnavailableError), served.write() as connection:
        connection.execute(sa.insert(processes), process("half done"))
        server.stop()
        server.start()
        connection.execute(sa.insert(processes), process("too late"))
    with served.read() as connection:
        assert connection.scalars(sa.select(processes.c.name)).all() == []


def test_what_is_committed_survives_a_crash_of_a_server_that_would_rather_not_wait(
    server: Server, served: Database
) -> None:
    with served.read() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "off"
    for number in range(5):
        name = f"crash {number}"
        served.run(lambda connection, name=name: connection.execute(INSERT, process(name)))
        server.stop("immediate")
        server.start()
        with served.read() as connection:
            assert name in connection.scalars(sa.select(processes.c.name)).all()
    served.run(lambda connection: connection.execute(sa.delete(processes)))


def test_while_the_server_is_stopped_the_database_is_away(server: Server, served: Database) -> None:
    server.stop()
    try:
        for use in (served.read, served.write):
            with pytest.raises(StoreUnavailableError) as caught, use():
                pass
            assert len(str(caught.value).splitlines()) == 1
        with pytest.raises(StoreUnavailableError):
            served.run(lambda connection: connection.execute(SELECT_ONE))
        with pytest.raises(StoreUnavailableError):
            served.size()
    finally:
        server.start()
    works(served)


def test_a_server_that_says_nothing_is_not_waited_for(
    served: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "ANSWER_TIMEOUT_SECONDS", 0.3)
    silent = pytest.raises(StoreUnavailableError, match="does not answer")
    with silent, served.read() as connection:
        backend = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        os.kill(backend, signal.SIGSTOP)
        try:
            connection.execute(SELECT_ONE)
        finally:
            os.kill(backend, signal.SIGCONT)
    works(served)


def test_who_stands_still_in_a_transaction_is_ended_whatever_it_did_last(
    database: Database, postgresql_url: str
) -> None:
    rows = [{"name": name, "started_at": NOON, "beat_at": NOON} for name in ("one", "other")]
    ended = pytest.raises(StoreUnavailableError, match="idle-in-transaction")
    for _ in range(5):  # it was not every time
        with ended, database.write() as connection:
            backend = connection.scalar(sa.text("SELECT pg_backend_pid()"))
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '100ms'")
            connection.execute(sa.insert(processes), rows)
            sessions = f"SELECT pid FROM pg_stat_activity WHERE pid = {backend}"
            wait_until(lambda: not query(postgresql_url, sessions), "its end", 2)  # noqa: B023
            connection.execute(SELECT_ONE)


def test_nobody_can_connect_for_a_while(
    database: Database, postgres: Postgres, postgresql_url: str
) -> None:
    works(database)
    postgres.allow_connections(postgresql_url, allowed=False)
    with pytest.raises(StoreUnavailableError, match="not currently accepting"):
        works(database)
    postgres.allow_connections(postgresql_url, allowed=True)
    works(database)


def test_a_read_only_server_takes_no_write_and_is_found_again(
    database: Database, postgresql_url: str
) -> None:
    works(database)
    name = name_of(postgresql_url)
    query(postgresql_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    database.close()  # as a failover closes every connection
    for write in (database.check_writable, lambda: database.run(insert)):
        with pytest.raises(StoreUnavailableError, match="read-only transaction"):
            write()
    with database.read() as connection:
        assert connection.scalar(SELECT_ONE) == 1
    writable = f"BEGIN READ WRITE; ALTER DATABASE {name} SET default_transaction_read_only = off"
    query(postgresql_url, writable)
    with pytest.raises(StoreUnavailableError):
        database.check_writable()  # on the reader's connection
    works(database)


def insert(connection: sa.Connection) -> None:
    connection.execute(INSERT, process("x"))


def test_a_table_that_is_gone_is_the_databases_fault(
    database: Database, postgresql_url: str
) -> None:
    query(postgresql_url, "DROP TABLE processes")
    with pytest.raises(StoreUnavailableError), database.read() as connection:
        connection.execute(sa.select(processes))


def test_where_all_connections_are_in_use_the_database_is_busy(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT_SECONDS", 0.05)
    database = open_database(postgresql_url, connections=1)
    with database.read(), pytest.raises(StoreUnavailableError), database.read():
        pass
    works(database)
    database.close()


@pytest.mark.parametrize(
    ("setting", "statement"),
    [
        ("statement_timeout = '50ms'", "SELECT pg_sleep(5)"),
        ("lock_timeout = '50ms'", "LOCK TABLE processes"),
    ],
)
def test_what_takes_too_long_is_given_up(
    database: Database,
    postgresql_url: str,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    statement: str,
) -> None:
    with psycopg.connect(postgresql_url) as other:
        other.execute("LOCK TABLE processes")
        monkeypatch.setattr(postgresql, "WRITE", f"BEGIN; SET LOCAL {setting}")
        with pytest.raises(StoreUnavailableError), database.write() as connection:
            connection.execute(sa.text(statement))


def test_a_transaction_leaves_nothing_in_the_session(postgresql_url: str) -> None:
    names = ("statement_timeout", "lock_timeout", "timezone", "default_transaction_read_only")
    with psycopg.connect(postgresql_url) as fresh:
        expected = [fresh.execute(f"SHOW {name}".encode()).fetchone() for name in names]
    database = open_database(postgresql_url, connections=1)
    works(database)
    driver = database._engine.raw_connection()  # type: ignore[attr-defined]
    found = [driver.cursor().execute(f"SHOW {name}").fetchone() for name in names]
    driver.close()
    database.close()
    assert found == expected


# Collisions


def test_a_write_that_was_overtaken_looks_again(database: Database) -> None:
    overtaken: list[object] = []

    def claim_name(connection: sa.Connection) -> str:
        known = connection.scalar(sa.select(processes.c.name))
        if known is None and not overtaken:
            overtaken.append(True)
            database.run(lambda other: other.execute(sa.insert(processes), process("first")))
        if known is None:
            connection.execute(sa.insert(processes), process("first"))
        return known or "new"

    assert database.run(claim_name) == "first"


def test_a_collision_that_stays_is_raised(database: Database) -> None:
    def collide(connection: sa.Connection) -> None:
        for _ in range(2):
            connection.execute(sa.insert(processes), process("same"))

    with pytest.raises(sa.exc.IntegrityError):
        database.run(collide)


def test_of_two_that_wait_for_each_other_both_get_done(database: Database) -> None:
    for name in ("a", "b"):
        database.run(lambda connection, name=name: connection.execute(INSERT, process(name)))
    both_hold_one = threading.Barrier(2, timeout=10)

    def take(first: str, second: str) -> Callable[[sa.Connection], None]:
        tried: list[str] = []

        def write(connection: sa.Connection) -> None:
            for name in (first, second):
                if name == second and not tried:
                    tried.append(name)
                    both_hold_one.wait()
                later = sa.literal_column("beat_at + interval '1 second'")
                this = sa.update(processes).where(processes.c.name == name)
                connection.execute(this.values(beat_at=later))

        return write

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(database.run, take(*pair)) for pair in ("ab", "ba")]
    assert [one.result() for one in done] == [None, None]
    with database.read() as connection:
        beats = connection.execute(sa.select(processes.c.beat_at, processes.c.started_at)).all()
    assert {row.beat_at - row.started_at for row in beats} == {timedelta(seconds=2)}


# What strangers write


@pytest.mark.parametrize("text", ["a\0b", "half \ud83d a pair", "\0"])
def test_text_that_the_server_cannot_hold_is_kept_without_it(case: StoreCase, text: str) -> None:
    generation = case.add_submitted("task-1", prompt=text, input={"prompt": text, text: [text]})
    claimed = case.claim(generation)
    case.release(claimed, result_urls=(text,), error=text)
    assert case.store.inbox.accept(received("task-1", body=text)) is Verdict.ACCEPTED
    with case.store.database.read() as connection:
        (body,) = connection.scalars(sa.select(callbacks.c.body))
    assert "\0" not in body
    assert case.row(generation).task_id == "task-1"


@pytest.mark.parametrize("name", ["no id", "", "\0", "x" * 200])
def test_what_is_no_id_is_the_id_of_nothing(case: StoreCase, name: str) -> None:
    case.add()
    assert case.queries.by_id(name) is None
    assert case.store.inbox.accept(received(generation_id=name)) is Verdict.UNMATCHED
    assert case.store.generations.wake(name) is False


def test_an_error_does_not_tell_the_values(case: StoreCase) -> None:
    generation = case.add(prompt="a secret kite")
    with pytest.raises(sa.exc.IntegrityError) as caught:
        case.store.generations.add(generation)
    assert "generations" in str(caught.value)
    assert generation.id not in str(caught.value)


# The clock


def test_all_processes_go_by_the_servers_clock(database: Database) -> None:
    with database.read() as connection:
        before = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
        now = database.now()
        after = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    assert before - timedelta(seconds=1) < now < after + timedelta(seconds=1)


INSERT = sa.insert(processes)


def process(name: str) -> dict[str, object]:
    return {"name": name, "started_at": NOON, "beat_at": NOON}
