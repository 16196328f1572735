"""What all pages have: a door, a search box, and something to say when the database is away."""

from __future__ import annotations

import pytest

from dashboard.navigation import PLACES, TASK, Place
from tests.support.dashboard import Dashboard, texts


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.title)
def test_every_page_opens(dashboard: Dashboard, place: Place) -> None:
    page = dashboard.open(place)
    assert not page.exception
    assert page.title[0].value


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.title)
def test_every_page_says_that_the_database_is_away(dashboard: Dashboard, place: Place) -> None:
    dashboard.take_database_away()
    page = dashboard.open(place)
    assert "database cannot be reached" in texts(page)
    assert not page.exception


def test_the_search_box_opens_the_task_page(dashboard: Dashboard) -> None:
    page = dashboard.open()
    page.sidebar.text_input[0].set_value(" task-1 ").run()
    assert page.query_params["id"] in ("task-1", ["task-1"])
    assert page.title[0].value.startswith(TASK.title)
