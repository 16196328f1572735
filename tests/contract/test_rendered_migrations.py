"""The migrations as SQL: what Supabase's SQL editor makes of them is what `migrate` makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from core.store.migrate import migrate
from local.render import FOLDER, render
from tests.support.postgres import Postgres, query
from tests.support.revisions import REVISIONS
from tests.support.schema import access, schema
from tests.support.supabase import open_supabase_server, supabase

FILES = render()
#: Tables whose rows no policy keeps from those who have a right to them.
UNBOUND = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relrowsecurity
"""
#: What those may do who come through Supabase's API.
RIGHTS = """
SELECT relname, privilege_type FROM pg_class, aclexplode(relacl)
LEFT JOIN pg_roles ON pg_roles.oid = grantee
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
    AND coalesce(rolname, 'anon') IN ('anon', 'authenticated')
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One with Supabase's roles."""
    with open_supabase_server() as opened:
        yield opened


@pytest.fixture
def project(server: Postgres) -> Iterator[str]:
    """An empty project."""
    with supabase(server) as made:
        yield made


@pytest.fixture(scope="module")
def migrated_project(server: Postgres) -> Iterator[str]:
    """What pasting has to lead to."""
    with supabase(server) as made:
        migrate(made)
        yield made


def paste(url: str, *texts: str) -> None:
    with psycopg.connect(url) as connection:
        for text in texts:
            connection.execute(text.encode())


def applied(url: str) -> list[str]:
    return [row["version_num"] for row in query(url, "SELECT version_num FROM alembic_version")]


def test_the_files_are_current() -> None:
    written = {file.name: file.read_text() for file in FOLDER.glob("*")}
    assert written == FILES, "run `make supabase`"


def test_there_is_a_file_for_each_revision_in_the_order_of_their_names() -> None:
    assert len(FILES) == len(REVISIONS)
    assert sorted(FILES) == list(FILES)
    assert [text[:7] for text in FILES.values()] == [f"-- {each}" for each in REVISIONS]


def test_pasting_gives_what_migrating_gives(project: str, migrated_project: str) -> None:
    paste(project, *FILES.values())
    assert schema(project) == schema(migrated_project)
    assert access(project) == access(migrated_project)
    assert applied(project) == applied(migrated_project)


def test_pasting_twice_changes_nothing(project: str, migrated_project: str) -> None:
    for text in FILES.values():
        paste(project, text, text)
    paste(project, *FILES.values())
    assert schema(project) == schema(migrated_project)
    assert query(project, "SELECT count(*) AS slots FROM create_grants") == [{"slots": 20}]


@pytest.mark.parametrize("pasted", range(1, len(FILES) + 1))
def test_migrating_does_what_was_not_pasted(
    project: str, migrated_project: str, pasted: int
) -> None:
    paste(project, *list(FILES.values())[:pasted])
    migrate(project)
    assert schema(project) == schema(migrated_project)
    assert access(project) == access(migrated_project)
    assert applied(project) == [REVISIONS[-1]]


def test_what_was_migrated_may_be_pasted_over(migrated_project: str) -> None:
    paste(migrated_project, *FILES.values())
    assert applied(migrated_project) == [REVISIONS[-1]]


@pytest.mark.parametrize("pasted", range(1, len(FILES) + 1))
def test_nobody_gets_in_between_two_files(project: str, pasted: int) -> None:
    paste(project, *list(FILES.values())[:pasted])
    assert query(project, UNBOUND) == []
    rights = {(row["relname"], row["privilege_type"]) for row in query(project, RIGHTS)}
    assert rights <= {("assets", "SELECT"), ("generations", "SELECT")}


@pytest.mark.parametrize("position", range(1, len(FILES)))
def test_a_file_that_is_too_early_says_which_comes_first(project: str, position: int) -> None:
    texts = list(FILES.values())
    paste(project, *texts[: position - 1])
    before = schema(project)
    with pytest.raises(errors.RaiseException, match=f"run {REVISIONS[position - 1]} before"):
        paste(project, texts[position])
    assert schema(project) == before


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_somebody_elses_table_is_not_touched(project: str, text: str) -> None:
    paste(project, "CREATE TABLE generations (id uuid PRIMARY KEY)")
    before = schema(project)
    with pytest.raises(errors.RaiseException, match="python -m core migrate --dry-run"):
        paste(project, text)
    assert schema(project) == before


def test_another_applications_migrations_are_not_taken_for_ours(project: str) -> None:
    paste(project, "CREATE TABLE alembic_version (version_num varchar(32))")
    paste(project, "INSERT INTO alembic_version VALUES ('ae1027a6acf')")
    with pytest.raises(errors.RaiseException, match="another application"):
        paste(project, next(iter(FILES.values())))


def test_a_plain_database_is_made_as_well(postgres: Postgres, postgresql_url: str) -> None:
    url = postgres.create()
    paste(url, *FILES.values())
    assert schema(url) == schema(postgresql_url)
    postgres.drop(url)


def test_nothing_of_the_machine_is_written_into_them() -> None:
    text = "".join(FILES.values())
    assert str(Path.cwd()) not in text
    assert "%%" not in text
