"""One browser for all walks, and a site for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.browser import open_browser
from tests.support.site import Site, open_site


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with open_browser() as opened:
        yield opened


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A simulator of KIE and no process of ours yet; a second open is stuck."""
    with open_site(tmp_path, stuck_after_minutes=0.02, poll_first_seconds=1) as opened:
        yield opened
