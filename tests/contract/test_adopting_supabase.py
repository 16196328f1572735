"""Adopting as one does on Supabase: its roles are there, and the owner is no superuser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.store.adopting import AdoptionError
from tests.support.historic import SMALL, adopt_table, build
from tests.support.postgres import Postgres, query
from tests.support.supabase import OWNER, open_supabase_server, supabase


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server with Supabase's roles."""
    with open_supabase_server() as opened:
        yield opened


@pytest.fixture
def url(server: Postgres) -> Iterator[str]:
    """A new project's database, as the owner of its tables."""
    with supabase(server) as made:
        yield made


def as_superuser(url: str) -> str:
    return url.partition("?")[0]


def test_a_table_is_adopted_by_its_owner_with_its_policies(url: str) -> None:
    build(as_superuser(url), "011")
    query(as_superuser(url), f"ALTER TABLE generations OWNER TO {OWNER}")
    query(as_superuser(url), f"ALTER VIEW generation_history OWNER TO {OWNER}")
    told = adopt_table(url)
    assert any("Service can update all generations" in sentence for sentence in told)
    left = {row["polname"] for row in query(url, "SELECT polname FROM pg_policy")}
    assert "Service can update all generations" not in left
    assert "Users can view own generations" in left


def test_policies_that_would_hide_rows_are_an_error(url: str) -> None:
    query(url, SMALL)
    query(url, "ALTER TABLE generations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    with pytest.raises(AdoptionError, match="NO FORCE ROW LEVEL SECURITY, then"):
        adopt_table(url)


def test_a_table_of_somebody_else_is_refused(url: str) -> None:
    query(as_superuser(url), SMALL)
    with pytest.raises(AdoptionError, match="belongs to the role postgres"):
        adopt_table(url)
