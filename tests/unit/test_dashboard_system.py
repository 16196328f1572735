"""The page System."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core import __version__
from core.checks.model import CheckState
from core.checks.run import LOOKING
from dashboard.access.policy import Role
from dashboard.colors import HEX
from dashboard.navigation import SYSTEM, Link
from dashboard.system import settings as shown_settings
from dashboard.system import storage
from dashboard.system.checkup import KEPT, Checkup
from dashboard.words import system as words
from tests.support.clock import NOON
from tests.support.dashboard import Dashboard, texts
from tests.support.world import World, settings

STORED = pd.DataFrame(
    [
        (pd.Timestamp(2025, 12, 1), "video", 1, 2_000_000_000),
        (pd.Timestamp(2026, 1, 1), "image", 10, 5_000_000),
        (pd.Timestamp(2026, 1, 1), "", 2, 999),
    ],
    columns=["month", "kind", "files", "bytes"],
)

# What is shown


def test_every_check_and_state_has_words() -> None:
    assert list(words.CHECK) == list(LOOKING)
    assert set(words.STATE) == {*CheckState, None}


def test_what_is_stored_is_told_by_month_and_kind() -> None:
    table = storage.table(STORED)
    assert table.to_dict("list") == {
        words.MONTH: ["Jan 2026", "Dec 2025"],
        "Picture": ["5.0 MB", "–"],  # noqa: RUF001
        "Video": ["–", "2.0 GB"],  # noqa: RUF001
        "Not known yet": ["999 B", "–"],  # noqa: RUF001
        words.BYTES_ALL: ["5.0 MB", "2.0 GB"],
        words.FILES: ["12", "1"],
    }


def test_the_chart_stacks_kinds_in_a_fixed_order_of_colours() -> None:
    chart = storage.chart(STORED).to_dict()
    scale = chart["encoding"]["color"]["scale"]
    assert scale["domain"] == ["Picture", "Video", "Not known yet"]
    assert scale["range"] == [HEX["blue"], HEX["violet"], HEX["gray"]]
    (rows,) = chart["datasets"].values()
    assert [row["month"] for row in rows] == ["Dec 2025", "Jan 2026", "Jan 2026"]


def test_settings_are_a_table_without_secrets(tmp_path: Path) -> None:
    chosen = settings(tmp_path, port=8100, api_token="hush", dashboard_operators="ada@firm.example")
    table = shown_settings.table(chosen, for_viewer=False).set_index(words.SETTING)
    assert tuple(table.loc["PORT"])[:2] == ("8100", words.CHANGED)
    assert table.loc["API_TOKEN", words.VALUE] == "set"
    assert table.loc["DASHBOARD_OPERATORS", words.VALUE] == "ada@firm.example"
    assert "hush" not in table.to_string()


def test_viewers_do_not_learn_who_is_who(tmp_path: Path) -> None:
    chosen = settings(tmp_path, dashboard_operators="ada@firm.example")
    table = shown_settings.table(chosen, for_viewer=True)
    assert "ada" not in table.to_string()
    assert str(tmp_path / "assets") in table.to_string()


# The checks


def test_checks_are_kept_for_a_while(world: World) -> None:
    checkup = Checkup()
    assert checkup.is_due(NOON)
    assert [check.name for check in checkup.run(world.core)] == list(LOOKING)
    assert list(checkup.checks) == list(LOOKING)
    assert not checkup.is_due(NOON + KEPT - timedelta(seconds=1))
    assert checkup.is_due(NOON + KEPT)


def test_checks_run_once_for_all_who_ask(world: World) -> None:
    checkup = Checkup()
    running = checkup.run(world.core)
    next(running)
    assert list(checkup.run(world.core)) == []
    running.close()
    assert checkup.is_due(NOON)
    assert len(list(checkup.run(world.core))) == len(LOOKING)


# The page


def test_the_page_says_what_is_not_well_and_what_to_do(dashboard: Dashboard) -> None:
    page = dashboard.open(SYSTEM)
    said = texts(page)
    assert "Start it: `python -m poller`" in said
    assert "4 not well, 2 not known" in said
    assert words.STORED_NOTHING in said
    assert page.text[-1].value.startswith(f"KIE delivery {__version__} · Python 3.")


def test_what_was_checked_is_shown_until_it_is_checked_again(dashboard: Dashboard) -> None:
    page = dashboard.open(SYSTEM)
    dashboard.world.core.store.processes.started("poller")
    assert "python -m poller" in texts(page.run())
    page.button(key="system_check_again").click().run()
    assert "python -m poller" not in texts(page)


def test_what_is_stored_is_counted(dashboard: Dashboard) -> None:
    world = dashboard.world
    generation = world.add_submitted()
    world.finish()
    world.advance(generation)
    world.core.store.rollup.fold()
    page = dashboard.open(SYSTEM)
    assert f"{words.FILES} 1" in texts(page)
    assert not page.exception


@pytest.mark.parametrize("role", [None, Role.VIEWER])
@pytest.mark.parametrize(("query", "has_defaults"), [({}, False), ({"all": "true"}, True)])
def test_settings_that_have_their_default_are_shown_on_demand(
    dashboard: Dashboard, role: Role | None, query: dict[str, str], has_defaults: bool
) -> None:
    page = dashboard.open(Link(SYSTEM, query), role=role)
    table = next(each.value for each in page.dataframe if words.SETTING in each.value)
    assert set(table[words.SETTING]) >= {"DATA_DIR", "KIE_BASE_URL"}
    assert ("PORT" in set(table[words.SETTING])) is has_defaults


@pytest.mark.parametrize("query", [{"all": "perhaps"}, {"all": "<script>"}, {"x": "y"}])
def test_a_hostile_address_changes_nothing(dashboard: Dashboard, query: dict[str, Any]) -> None:
    page = dashboard.open(Link(SYSTEM, query))
    assert not page.exception
    assert page.toggle[0].value is False


def test_settings_and_versions_are_there_without_the_database(dashboard: Dashboard) -> None:
    dashboard.take_database_away()
    page = dashboard.open(SYSTEM)
    assert words.SETTINGS in texts(page)
    assert len(page.error) == 1
