"""Every shape that the old table is known in becomes ours, and stays what it was for others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.generation.model import Status
from core.store.adopting import needs_adopting
from core.store.migrate import migrate, require_current, turn_to_migrate
from core.store.opening import open_database
from tests.support.historic import SHAPES, SMALL, USER, adopt_table, build
from tests.support.postgres import Postgres, query
from tests.support.schema import schema
from tests.support.world import open_world

ROWS = "SELECT to_jsonb(g) AS row FROM generations g ORDER BY id"
BELONGINGS = """
SELECT 'trigger ' || tgname || tgenabled::text AS it FROM pg_trigger
    WHERE tgrelid = 'generations'::regclass AND NOT tgisinternal
UNION ALL SELECT 'policy ' || polname FROM pg_policy WHERE polrelid = 'generations'::regclass
UNION ALL SELECT 'view ' || viewname || definition FROM pg_views WHERE schemaname = 'public'
UNION ALL SELECT 'index ' || indexdef FROM pg_indexes
    WHERE tablename = 'generations' AND indexname NOT SIMILAR TO '(ix|uq)_%'
UNION ALL SELECT 'reference ' || conname || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = 'generations'::regclass AND contype IN ('f', 'p')
UNION ALL SELECT 'published ' || pubname FROM pg_publication_tables
    WHERE tablename = 'generations'
"""


@pytest.fixture(scope="module", params=list(SHAPES))
def built(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[str]:
    """A database with an old table of one shape, to be copied."""
    url = postgres.create()
    build(url, request.param)
    yield url
    postgres.drop(url)


@pytest.fixture
def copy(postgres: Postgres) -> Iterator[Callable[[str], str]]:
    """Copies databases."""
    made: list[str] = []

    def make(url: str) -> str:
        made.append(postgres.create(url.rpartition("/")[2]))
        return made[-1]

    yield make
    for url in made:
        postgres.drop(url)


@pytest.fixture
def old(built: str, copy: Callable[[str], str]) -> str:
    """An old table, for one test alone."""
    return copy(built)


def rows(url: str) -> list[dict[str, Any]]:
    return [row["row"] for row in query(url, ROWS)]


def belongings(url: str) -> set[str]:
    return {row["it"] for row in query(url, BELONGINGS)}


def test_it_ends_at_the_newest_revision(old: str) -> None:
    adopt_table(old)
    database = open_database(old, connections=1)
    require_current(database)
    database.close()
    with turn_to_migrate(old) as connection:
        assert not needs_adopting(connection)
    before = schema(old)
    migrate(old)
    assert schema(old) == before


def test_it_has_what_a_new_database_has(old: str, postgresql_url: str) -> None:
    adopt_table(old)
    new, adopted = schema(postgresql_url), schema(old)
    for what in ("columns", "constraints", "indexes"):
        assert _essentials(new[what]) - _essentials(adopted[what]) == set()


def _essentials(found: set[tuple[object, ...]]) -> set[str]:
    """All but what an old table may have otherwise: the key, defaults, and equal types."""
    texts = {" ".join(map(str, row[:4])) for row in found}
    for noise, plain in (
        (r"::(text|character varying)(\[\])?|[()]", ""),
        ("character varying", "text"),
        ("jsonb", "json"),
        ("generations user_id (uuid|text) (True|False)", "generations user_id"),
    ):
        texts = {re.sub(noise, plain, text) for text in texts}
    return {text for text in texts if "pk_generations" not in text}


def test_no_row_and_no_value_is_lost(old: str) -> None:
    before = rows(old)
    adopt_table(old)
    for was, now in zip(before, rows(old), strict=True):
        assert _without_gaps(was).items() <= {**now, **(now["before_adoption"] or {})}.items()


def _without_gaps(row: dict[str, Any]) -> dict[str, Any]:
    """What another provider has left empty, and nobody may leave empty now, is filled."""
    gap = row.get("provider") == "fal" and row["result_urls"] is None
    return {name: value for name, value in row.items() if name != "result_urls" or not gap}


def test_what_stands_on_the_table_stays(old: str) -> None:
    before = belongings(old)
    adopt_table(old)
    assert before <= belongings(old)


def test_the_indexes_of_its_last_migrations_are_there(old: str) -> None:
    adopt_table(old)
    indexes = [it.partition(" USING ")[2] for it in belongings(old) if it.startswith("index ")]
    assert "btree (provider)" in indexes
    assert "btree (asset_url) WHERE (asset_url IS NOT NULL)" in indexes


def test_a_generation_is_made_and_delivered(old: str, tmp_path: Path) -> None:
    adopt_table(old)
    with open_world(tmp_path, old) as world:
        world.finish("task-1")
        made = world.add(kind="audio", prompt=None, user_id=USER)
        world.advance(made)
        world.clock.advance(60)
        assert world.advance(made).status is Status.SUCCESS


def test_a_dry_run_tells_the_same_and_changes_nothing(old: str) -> None:
    before = rows(old), belongings(old), query(old, "SELECT relname FROM pg_class ORDER BY oid")
    told = adopt_table(old, undo=True)
    after = rows(old), belongings(old), query(old, "SELECT relname FROM pg_class ORDER BY oid")
    assert after == before
    assert adopt_table(old) == told


def test_others_can_go_on_writing_their_rows(old: str) -> None:
    adopt_table(old)
    written = f"""
        INSERT INTO generations (user_id, provider, status, task_id)
        SELECT '{USER}', 'fal', 'completed', 'task-1' FROM generate_series(1, 2)
    """
    query(old, "ALTER TABLE generations DROP CONSTRAINT IF EXISTS generations_status_check")
    query(old, written)


def test_the_way_back_of_the_docs_leads_back(old: str) -> None:
    before = rows(old)
    adopt_table(old)
    query(old, _way_back())
    for was, now in zip(before, rows(old), strict=True):
        assert _without_gaps(was).items() <= now.items()
    left = {name for row in rows(old) for name in row} - {name for row in before for name in row}
    assert left <= {"provider", "model", "kind", "result_urls", "asset_url", "preview_url", "error"}
    adopt_table(old)


def test_the_way_back_leads_to_rows_that_said_nothing(postgres: Postgres) -> None:
    url = postgres.create()
    query(url, SMALL)
    query(url, "ALTER TABLE generations ADD COLUMN provider text, ADD COLUMN model text")
    query(url, "INSERT INTO generations DEFAULT VALUES")
    before = rows(url)
    adopt_table(url)
    query(url, _way_back())
    assert before[0].items() <= rows(url)[0].items()
    postgres.drop(url)


def _way_back() -> str:
    text = (Path(__file__).parents[2] / "docs" / "adopting.md").read_text()
    found = re.search(r"```sql\n(.*?)```", text, re.DOTALL)
    assert found
    return found[1]
