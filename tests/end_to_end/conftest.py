"""Sites of real processes, audited at the end of every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.audit import audit
from tests.support.site import Site, open_site


@pytest.fixture
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A migrated site with a simulator; settings come by indirect parametrisation."""
    with open_site(tmp_path, **getattr(request, "param", {})) as opened:
        yield opened
        assert audit(opened.data) == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever is in this folder starts real processes."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.end_to_end)
