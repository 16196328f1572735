"""Who sees which page of the dashboard, and who may act there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from core.generation.model import Generation
from dashboard import resources
from dashboard.access.policy import Role
from dashboard.acts.plan import Act
from dashboard.navigation import CREATE, PLACES, STUCK, TASK, Link, Place, to_task
from dashboard.words import access as words
from dashboard.words.common import PRODUCT
from tests.support.dashboard import PATIENCE_SECONDS, Dashboard
from tests.support.databases import on_sqlite

pytestmark = on_sqlite
#: Buttons that change nothing but what is looked at.
LOOKS = {words.SIGN_OUT}
#: Where an operator finds a button that acts. A page that is new has to be placed here, or not.
ACTS_ON = {STUCK, TASK, CREATE}


@pytest.fixture
def generation(dashboard: Dashboard) -> Generation:
    """One that an operator could act on."""
    created_at = dashboard.world.clock() - timedelta(hours=2)
    made = dashboard.world.add_submitted(prompt="a red kite", created_at=created_at)
    dashboard.set(DASHBOARD_PASSWORD="operators", DASHBOARD_VIEWER_PASSWORD="viewers")
    return made


def shown(dashboard: Dashboard, place: Place, generation: Generation, role: Role | None) -> AppTest:
    link = to_task(generation.id) if place is TASK else Link(place, {})
    return dashboard.open(link, role=role)


def actions(page: AppTest) -> set[str]:
    """The labels of all that can be pressed to change something."""
    keys = {button.label for button in page.button if _acts(button.key or button.label)}
    return keys - LOOKS


def _acts(key: str) -> bool:
    return key.startswith(("create_", "FormSubmitter")) or key.endswith(tuple(f"_{a}" for a in Act))


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.title)
def test_nobody_sees_anything_of_a_page(
    dashboard: Dashboard, generation: Generation, place: Place
) -> None:
    page = shown(dashboard, place, generation, None)
    assert (page.title[0].value, len(page.sidebar)) == (PRODUCT, 0)
    assert [each.label for each in page.text_input] == [words.PASSWORD, words.NAME]
    assert not page.dataframe and not page.metric


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.title)
def test_a_viewer_sees_every_page_and_can_change_nothing(
    dashboard: Dashboard, generation: Generation, place: Place
) -> None:
    page = shown(dashboard, place, generation, Role.VIEWER)
    assert page.title[0].value == place.title
    assert page.sidebar.caption[0].value == words.VIEWING
    assert (actions(page), not page.text_area) == (set(), True)
    assert dashboard.world.row(generation) == generation


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.title)
def test_an_operator_has_buttons_where_something_can_be_done(
    dashboard: Dashboard, generation: Generation, place: Place
) -> None:
    page = shown(dashboard, place, generation, Role.OPERATOR)
    assert bool(actions(page)) is (place in ACTS_ON)


def open_dialog_of_before(generation_id: str) -> None:
    """A dialog that an operator left open, and its form sent by whoever has the session now."""
    import streamlit as st

    from core.generation.model import Generation
    from dashboard import resources
    from dashboard.access.login import Visitor
    from dashboard.access.policy import Role
    from dashboard.acts import dialog
    from dashboard.acts.plan import Act, Chosen

    generation = resources.core().queries.by_id(generation_id)
    assert isinstance(generation, Generation)
    dialog.open_dialog(Act.LOOK_AGAIN, Chosen((generation,), "this one"), key="one")
    dialog.show_dialog(Visitor(Role.OPERATOR, "ann"), key="one")
    st.caption("drawn")


@pytest.mark.parametrize(
    ("role", "can"), [(Role.OPERATOR, True), (Role.VIEWER, False), (None, False)]
)
def test_a_dialog_asks_who_is_there_now_and_not_who_opened_it(
    dashboard: Dashboard, generation: Generation, role: Role | None, can: bool
) -> None:
    config.set_option("server.address", "127.0.0.1")
    arguments = {"generation_id": generation.id}
    page = AppTest.from_function(
        open_dialog_of_before, kwargs=arguments, default_timeout=PATIENCE_SECONDS
    )
    if role is not None:
        page.session_state["access_visitor"] = (role, "whoever")
    page.run()
    assert (page.caption[0].value, not page.exception) == ("drawn", True)
    assert ("acts_submit" in {button.key for button in page.button}) is can
    assert resources.settings().dashboard_password is not None
