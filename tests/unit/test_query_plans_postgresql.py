"""The same on PostgreSQL: what is asked again and again costs by what is open or shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg
import pytest
import sqlalchemy as sa

from core.store.listing import Cursor
from core.store.opening import open_database
from core.store.queries import Queries
from core.store.store import Store
from tests.support.clock import NOON, Clock
from tests.support.postgres import Postgres, name_of
from tests.support.questions import CURSOR, HOT, LISTS, Ask

SHORT, LONG, OPEN = 10_000, 30_000, 50
GROWING = {"generations", "assets", "callbacks", "events"}
#: An index of the long history may be a page deeper: a row that changes is in many indexes, and a
#: page of a list looks up fifty rows and their files.
ALLOWANCE = 120

#: A statement, and its values by name.
Statement = tuple[str, Mapping[str, Any]]

FILL_OPEN = f"""
INSERT INTO generations (id, provider, family, model, user_id, status, input, result_urls, task_id,
                         attempts, crashes, due_at, created_at, updated_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, 'kie', 'market', 'm1', 'u1', 'queued', '{{}}', '[]',
       'open-task-' || n, 0, 0, '{NOON}', timestamptz '2026-01-01Z' + n * interval '1 second',
       '2026-01-01Z'
FROM generate_series(1, {OPEN}) AS n
"""
FILL_FINISHED = """
INSERT INTO generations (id, provider, family, model, user_id, kind, prompt, status, asset_url,
                         delivered_via, error_code, input, result_urls, task_id, attempts, crashes,
                         announced_at, expires_at, created_at, updated_at)
SELECT lpad(to_hex(1000000 + n), 32, '0')::uuid, 'kie', 'market', 'm' || mod(n, 5),
       'u' || mod(n, 20), CASE mod(n, 4) WHEN 0 THEN 'video' ELSE 'image' END, 'a kite',
       CASE mod(n, 2) WHEN 0 THEN 'failed' ELSE 'success' END, 'u',
       CASE mod(n, 3) WHEN 0 THEN 'poll' ELSE 'callback' END,
       CASE mod(n, 2) WHEN 0 THEN 'c' || mod(n, 3) END, '{}', '[]', 'done-task-' || n, 0, 3,
       '2026-01-01Z', '2026-01-01Z', timestamptz '2026-01-01Z' + n * interval '1 second',
       '2026-01-01Z'
FROM generate_series(1, %(rows)s) AS n;

INSERT INTO assets (generation_id, position, role, failures, stored_at)
SELECT id, 0, 'main', 0, created_at FROM generations WHERE status = 'success';

INSERT INTO callbacks (id, received_at, task_id, generation_id, stage, verdict, headers, body,
                       body_sha256)
SELECT id, created_at, task_id, id, 'success', 'accepted', '{}', '{}', 'x' FROM generations
WHERE announced_at IS NOT NULL;

INSERT INTO events (generation_id, at, name, detail)
SELECT id, created_at, 'generation.created', '{}' FROM generations;
"""


class Cost(NamedTuple):
    """What asking took."""

    pages: int  # looked at, of tables and indexes
    whole: set[str]  # tables that were read from end to end


class Databases(NamedTuple):
    """The same open rows without a history, with a short and with a long one."""

    young: str
    short: str
    long: str


@pytest.fixture(scope="module")
def databases(postgres: Postgres, migrated: str) -> Iterator[Databases]:
    """The same open rows without a history, with a short and with a long one."""
    made = Databases(*(postgres.create(migrated) for _ in Databases._fields))
    for url, rows in zip(made, (0, SHORT, LONG), strict=True):
        with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as one:
            one.execute(FILL_OPEN)
            one.execute(FILL_FINISHED, {"rows": rows})
            one.execute("VACUUM (ANALYZE)")
    yield made
    for url in made:
        postgres.drop(url)


@contextmanager
def copied(postgres: Postgres, url: str) -> Iterator[str]:
    """A copy, so that every question finds the same rows."""
    copy = postgres.create(name_of(url))
    yield copy
    postgres.drop(copy)


def statements_of(url: str, ask: Ask) -> list[Statement]:
    """What is asked."""
    asked: list[Statement] = []

    def record(_c: object, _cursor: object, text: str, values: Any, *_more: object) -> None:
        if not text.startswith(("BEGIN", "SELECT clock_timestamp")):
            asked.append((text, values))

    database = open_database(url)
    sa.event.listen(sa.Engine, "before_cursor_execute", record)
    try:
        ask(Store(database, clock=Clock(NOON + timedelta(seconds=1))), Queries(database))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", record)
        database.close()
    return asked


def cost(url: str, statements: Sequence[Statement]) -> Cost:
    """What the statements take; they change nothing."""
    pages, whole = 0, set()
    with psycopg.connect(url, prepare_threshold=None) as connection:
        for text, values in statements:
            explained = connection.execute(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}".encode(), values
            ).fetchone()
            assert explained
            plan = explained[0][0]["Plan"]
            pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
            whole |= {node["Relation Name"] for node in nodes(plan) if "Seq Scan" in kind(node)}
        connection.rollback()
    return Cost(pages, whole)


def kind(node: Mapping[str, Any]) -> str:
    """What a part of a plan does, unless it was never asked to."""
    return node["Node Type"] if node["Actual Loops"] else ""


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All parts of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


@pytest.mark.parametrize("name", HOT)
def test_what_is_finished_costs_nothing(
    postgres: Postgres, databases: Databases, name: str
) -> None:
    with copied(postgres, databases.young) as copy:
        statements = statements_of(copy, HOT[name])
    young, old = (cost(url, statements) for url in (databases.young, databases.long))
    assert old.pages <= young.pages + ALLOWANCE
    assert not old.whole & GROWING


@pytest.mark.parametrize("before", [None, CURSOR], ids=["newest", "from a cursor"])
@pytest.mark.parametrize("name", LISTS)
def test_a_page_costs_by_its_length(databases: Databases, name: str, before: Cursor | None) -> None:
    statements = statements_of(
        databases.long, lambda _, queries: queries.page(LISTS[name], before=before)
    )
    short, long = (cost(url, statements) for url in (databases.short, databases.long))
    assert long.pages <= short.pages + ALLOWANCE
    assert not long.whole & GROWING


@pytest.mark.parametrize("name", LISTS)
def test_looking_for_what_is_newer_costs_by_its_length(databases: Databases, name: str) -> None:
    statements = statements_of(
        databases.long, lambda _, queries: queries.newer(LISTS[name], CURSOR, limit=10)
    )
    short, long = (cost(url, statements) for url in (databases.short, databases.long))
    assert long.pages <= short.pages + ALLOWANCE
    assert not long.whole & GROWING
