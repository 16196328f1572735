"""What is found out about a PostgreSQL server: how it is reached, and whom it lets in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.checks import database, row_security
from core.checks.model import Outcome
from core.store.migrate import migrate
from core.store.pooling import Pooling, Reached, how_reached
from tests.support.checks import as_we_do, looking
from tests.support.pgbouncer import pooled
from tests.support.postgres import Postgres
from tests.support.supabase import OWNER, open_supabase_server, supabase, with_role
from tests.support.world import open_world

STRANGERS = "PUBLIC, anon, authenticated"


def seen(tmp_path: Path, look: Any, url: str, **settings: Any) -> Outcome:
    with open_world(tmp_path, url, **settings) as world, looking(world, as_we_do) as around:
        outcome: Outcome = look(around)
        return outcome


def run(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())


# How it is reached


def test_a_direct_connection_is_known(postgresql_url: str, tmp_path: Path) -> None:
    assert how_reached(postgresql_url) == Reached(Pooling.NONE, None)
    outcome = seen(tmp_path, database.connection, postgresql_url)
    assert outcome == ("ok", "direct, no pooler between", None)


@pytest.mark.parametrize(
    ("mode", "pooling"), [("transaction", Pooling.TRANSACTION), ("session", Pooling.SESSION)]
)
def test_a_pooler_is_known_by_its_mode(postgresql_url: str, mode: str, pooling: Pooling) -> None:
    with pooled(postgresql_url, mode) as through:
        assert {how_reached(through).pooling for _ in range(5)} == {pooling}


def test_a_pooler_in_session_mode_may_run_out_of_connections(
    postgresql_url: str, tmp_path: Path
) -> None:
    with pooled(postgresql_url, "session") as through:
        outcome = seen(tmp_path, database.connection, through)
        bounded = seen(tmp_path, database.connection, through, database_connections=2)
    assert (outcome.state, "port 6543" in (outcome.remedy or "")) == ("warning", True)
    assert (bounded.state, bounded.remedy) == ("ok", None)


def test_what_poolers_do_not_pass_on_is_told(postgresql_url: str, tmp_path: Path) -> None:
    with pooled(postgresql_url) as through:
        outcome = seen(tmp_path, database.database, with_role(through, "postgres"))
    assert (outcome.state, "options=" in (outcome.remedy or "")) == ("failed", True)


@pytest.mark.parametrize(("seconds", "state"), [(9.5, "warning"), (10, "ok"), (None, "ok")])
def test_a_limit_to_all_transactions_is_told(seconds: float | None, state: str) -> None:
    outcome = database.judged(Reached(Pooling.TRANSACTION, seconds), has_limit=False)
    assert outcome.state == state


@pytest.mark.parametrize(
    ("kind", "version", "state"),
    [
        ("postgresql", (13, 22), "failed"),
        ("postgresql", (14,), "ok"),
        ("sqlite", (3, 34, 1), "failed"),
        ("sqlite", (3, 35, 0), "ok"),
    ],
)
def test_an_old_server_is_told(kind: str, version: tuple[int, ...], state: str) -> None:
    assert database.judged_version(kind, version).state == state


# Whom it lets in


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One with Supabase's roles."""
    with open_supabase_server() as opened:
        yield opened


@pytest.fixture
def project(server: Postgres) -> Iterator[str]:
    """A migrated project."""
    with supabase(server) as url:
        migrate(url)
        yield url


def test_without_roles_of_supabase_nobody_is_let_in(postgresql_url: str, tmp_path: Path) -> None:
    outcome = seen(tmp_path, row_security.row_security, postgresql_url)
    assert (outcome.state, outcome.found.startswith("not needed")) == ("ok", True)


def test_what_the_migrations_leave_is_well(project: str, tmp_path: Path) -> None:
    outcome = seen(tmp_path, row_security.row_security, project)
    assert outcome == ("ok", "on for all tables, with the policies of the migrations", None)


@pytest.mark.parametrize(
    ("change", "state", "found", "remedy"),
    [
        (
            "ALTER TABLE events DISABLE ROW LEVEL SECURITY",
            "failed",
            "it is off for events",
            "Run in SQL: ALTER TABLE events ENABLE ROW LEVEL SECURITY;",
        ),
        (
            "GRANT SELECT ON callbacks TO anon",
            "failed",
            "strangers have rights to callbacks that the migrations took away",
            f"Run in SQL: REVOKE ALL ON callbacks FROM {STRANGERS};",
        ),
        (
            "GRANT UPDATE ON generations TO PUBLIC",
            "failed",
            "strangers have rights to generations that the migrations took away",
            f"Run in SQL: REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON generations FROM {STRANGERS};",
        ),
        (
            'CREATE POLICY "all of it" ON generations FOR SELECT USING (true)',
            "warning",
            'a policy allows what the migrations do not: "all of it" ON generations',
            "Unless it is meant, drop it by DROP POLICY.",
        ),
        (
            "CREATE POLICY open ON assets FOR SELECT USING (true)",
            "warning",
            "a policy allows what the migrations do not: open ON assets",
            "Unless it is meant, drop it by DROP POLICY.",
        ),
        (
            "DROP POLICY assets_read_own ON assets",
            "warning",
            "without assets_read_own users cannot read their own rows",
            "Make it again: docs/database.md says what owners may read.",
        ),
    ],
    ids=["off", "readable", "writable", "policy", "policy of assets", "no policy"],
)
def test_what_was_changed_since_is_told_with_its_remedy(
    project: str, tmp_path: Path, change: str, state: str, found: str, remedy: str
) -> None:
    run(project, change)
    assert seen(tmp_path, row_security.row_security, project) == (state, found, remedy)
    if sql := remedy.partition("Run in SQL: ")[2]:
        run(project, sql)
        assert seen(tmp_path, row_security.row_security, project).state == "ok"


def test_what_owners_were_given_on_purpose_is_well(project: str, tmp_path: Path) -> None:
    """As docs/database.md says for applications that hide columns."""
    run(project, "REVOKE SELECT ON generations FROM authenticated")
    run(project, "GRANT SELECT (id, status) ON generations TO authenticated")
    assert seen(tmp_path, row_security.row_security, project).state == "ok"


def test_a_role_that_sees_no_row_is_told(project: str, tmp_path: Path) -> None:
    run(project, "ALTER TABLE generations FORCE ROW LEVEL SECURITY")
    outcome = seen(tmp_path, row_security.row_security, project)
    assert (outcome.state, f"it binds {OWNER}" in outcome.found) == ("failed", True)
