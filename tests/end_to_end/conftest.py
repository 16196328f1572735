"""Sites of real processes, audited at the end of every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.audit import audit
from tests.support.site import Site, open_site


@pytest.fixture
def site(tmp_path: Path, site_url: str, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A migrated site with a simulator; settings come by indirect parametrisation."""
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever is in this folder starts real processes."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.end_to_end)
