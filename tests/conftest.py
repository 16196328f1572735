"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dashboard import Dashboard, open_dashboard
from tests.support.world import World, open_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A whole core with a fake KIE, a fake media host and a clock."""
    with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
def dashboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dashboard]:
    """The dashboard's pages over such a core."""
    with open_dashboard(tmp_path, monkeypatch) as opened:
        yield opened
