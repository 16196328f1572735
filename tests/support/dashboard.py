"""The dashboard's pages without a browser, over the database of a `World`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from dashboard.access.policy import Role
from dashboard.navigation import OVERVIEW, Link, Place
from tests.support.databases import take_away
from tests.support.world import World, open_world

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
PATIENCE_SECONDS = 30
NOBODY = "http://127.0.0.1:1"  # refuses connections at once


class Dashboard:
    """Opens pages as a visitor does."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self._monkeypatch = monkeypatch

    def open(self, where: Place | Link = OVERVIEW, *, role: Role | None = None) -> AppTest:
        """A page, run once. `role`: somebody who came in by password; else nobody is asked."""
        place, query = where if isinstance(where, Link) else (where, {})
        page = AppTest.from_file(APP, default_timeout=PATIENCE_SECONDS)
        if role is not None:
            self.set(DASHBOARD_PASSWORD="operators", DASHBOARD_VIEWER_PASSWORD="viewers")
            page.session_state["access_visitor"] = (role, f"a test's {role}")
        if place is not OVERVIEW:
            page.switch_page(place.file)
        for name, value in query.items():
            page.query_params[name] = value
        return page.run()

    def set(self, **settings: str) -> None:
        """Other settings, from the next page on."""
        for name, value in settings.items():
            self._monkeypatch.setenv(name, value)
        forget()

    def take_database_away(self) -> None:
        """Nobody can open it from now on."""
        forget()
        take_away(self.world.core.settings.database)


def forget() -> None:
    """What all sessions share begins anew."""
    st.cache_data.clear()
    st.cache_resource.clear()


@contextmanager
def open_dashboard(
    folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Dashboard]:
    """A dashboard over a world in an empty folder, whose clock is the real one at the start."""
    with open_world(folder, database_url=database_url) as world:
        world.clock.now = datetime.now(UTC)
        monkeypatch.chdir(folder)  # no `.env` and no secrets are here
        environment: dict[str, Any] = {
            "DATA_DIR": str(folder),
            "DATABASE_URL": database_url,
            "KIE_BASE_URL": NOBODY,
            "PUBLIC_BASE_URL": NOBODY,
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        config.set_option("server.address", "127.0.0.1")
        forget()
        try:
            yield Dashboard(world, monkeypatch)
        finally:
            forget()


def texts(page: AppTest) -> str:
    """Everything that stands on a page in words, one line each."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "error", "warning", "info")
    elements = [each for kind in kinds for each in getattr(page, kind)]
    metrics = [f"{metric.label} {metric.value}" for metric in page.metric]
    return "\n".join([*(str(each.value) for each in elements), *metrics])
