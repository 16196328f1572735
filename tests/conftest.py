"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.store.migrate import migrate
from tests.support.audit import audit
from tests.support.dashboard import Dashboard, open_dashboard
from tests.support.databases import sqlite_url
from tests.support.postgres import Postgres, name_of, open_server
from tests.support.site import Site, open_site
from tests.support.supabase_storage import SupabaseStorageDouble
from tests.support.supabase_storage import supabase_storage as open_supabase_storage
from tests.support.world import World, open_world


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server, for all tests of this process."""
    with open_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> Iterator[str]:
    """The name of a migrated PostgreSQL database, to be copied."""
    url = postgres.create()
    migrate(url)
    yield name_of(url)
    postgres.drop(url)


@pytest.fixture
def postgresql_url(postgres: Postgres, migrated: str) -> Iterator[str]:
    """A migrated, empty PostgreSQL database."""
    url = postgres.create(migrated)
    yield url
    postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated, empty database: whatever uses one is tested on both."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """A whole core with a fake KIE, a fake media host and a clock."""
    with open_world(tmp_path, database_url) as opened:
        yield opened


@pytest.fixture
def supabase_storage(tmp_path: Path) -> Iterator[SupabaseStorageDouble]:
    """A double of Supabase Storage without any bucket; its `settings` lead there."""
    with open_supabase_storage(tmp_path / "supabase") as double:
        yield double


@pytest.fixture
def dashboard(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Dashboard]:
    """The dashboard's pages over such a core."""
    with open_dashboard(tmp_path, database_url, monkeypatch) as opened:
        yield opened


@pytest.fixture
def site(tmp_path: Path, site_url: str, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A migrated site with a simulator, audited at the end.

    Settings come by indirect parametrisation.
    """
    with open_site(tmp_path, site_url, **getattr(request, "param", {})) as opened:
        yield opened
        assert audit(opened.data, opened.database_url) == []


@pytest.fixture(params=["sqlite", "postgresql"])
def site_url(request: pytest.FixtureRequest) -> str:
    """The database of a site: its own file, or a migrated PostgreSQL database."""
    if request.param == "sqlite":
        return ""
    url: str = request.getfixturevalue("postgresql_url")
    return url
