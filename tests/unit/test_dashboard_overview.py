"""The overview: whether results arrive, told in ten seconds."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from core.diagnosis import Severity
from core.errors import CallbackError
from core.figures.figures import Figures
from core.figures.span import PERIODS, span
from core.figures.summary import Totals
from core.generation.model import Channel, Status
from core.store.inbox import Received
from dashboard.access.policy import Role
from dashboard.navigation import OVERVIEW, Link
from dashboard.overview import charts
from dashboard.overview.headline import headline
from dashboard.overview.view import View, view_of, window_of
from dashboard.words import callbacks
from dashboard.words import overview as words
from tests.support.dashboard import Dashboard, texts
from tests.support.world import World

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
NOON = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
HOSTILE = "</script>**$x$ :red[body]"


def totals(delivered: int, failed: int, *, created: int | None = None) -> Totals:
    return Totals(delivered + failed if created is None else created, delivered, failed, None, None)


@pytest.mark.parametrize(
    ("counts", "stuck", "at_risk", "severity", "lead"),
    [
        (totals(100, 0), 0, 0, Severity.OK, words.ARRIVING),
        (totals(90, 10), 0, 0, Severity.OK, words.ARRIVING),
        (totals(89, 11), 0, 0, Severity.WARNING, words.ARRIVING_NOT_ALL),
        (totals(100, 0), 1, 0, Severity.WARNING, words.ARRIVING_NOT_ALL),
        (totals(50, 50), 0, 0, Severity.WARNING, words.ARRIVING_NOT_ALL),
        (totals(49, 51), 0, 0, Severity.ERROR, words.FAILING),
        (totals(100, 0), 1, 1, Severity.ERROR, words.AT_RISK_LEAD),
        (totals(0, 0), 0, 0, Severity.INFO, words.QUIET),
        (totals(0, 0, created=3), 0, 0, Severity.INFO, words.QUIET),
    ],
)
def test_the_headline_says_how_it_stands(
    counts: Totals, stuck: int, at_risk: int, severity: Severity, lead: str
) -> None:
    found = headline("24h", counts, stuck=stuck, at_risk=at_risk)
    assert (found.severity, found.lead) == (severity, lead)


@pytest.mark.parametrize(
    ("counts", "stuck", "at_risk", "sentences"),
    [
        (
            totals(978, 22),
            3,
            1,
            "97.8 % of what was created in the last 24 hours and has ended was delivered. "
            "3 are stuck now, 1 is at risk.",
        ),
        (totals(0, 0), 0, 0, "Nothing was created in the last 24 hours. Nothing is stuck."),
        (
            totals(0, 0, created=1),
            1,
            0,
            "What was created in the last 24 hours is still open. 1 is stuck now, none at risk.",
        ),
    ],
)
def test_the_headline_is_a_sentence(
    counts: Totals, stuck: int, at_risk: int, sentences: str
) -> None:
    assert headline("24h", counts, stuck=stuck, at_risk=at_risk).sentences == sentences


@pytest.mark.parametrize(
    ("since", "results", "or_more", "sentence"),
    [
        (
            "14:03",
            23,
            False,
            "**Callbacks stopped at 14:03**: 23 results were found by asking since",
        ),
        ("14:03", 200, True, "at least 200 results were found by asking since then."),
        (None, 1, False, "**No callback has ever come**: 1 result was found by asking."),
    ],
)
def test_a_silence_is_a_sentence(
    since: str | None, results: int, or_more: bool, sentence: str
) -> None:
    assert sentence in words.callbacks_stopped(since, results, or_more=or_more)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("provider.402", "the KIE account has not enough credits"),
        ("media.gone", "a file was at none of KIE's addresses"),
        ("provider.", words.UNKNOWN_CAUSE),
        ("", words.UNKNOWN_CAUSE),
    ],
)
def test_a_code_has_a_cause(code: str, cause: str) -> None:
    assert words.cause(code) == cause


def test_every_documented_reason_of_a_callback_has_words() -> None:
    section = OPERATIONS.read_text(encoding="utf-8").split("\n## Callbacks\n")[1].split("\n## ")[0]
    documented = re.findall(r"^\| `(\w+\.\w+)` \|", section, re.MULTILINE)
    assert set(documented) == set(callbacks.REASONS)


@pytest.mark.parametrize(
    ("period", "since", "until"),
    [
        ("1h", "2026-11-22T12:35", "2026-11-22T13:35"),
        ("24h", "2026-11-21T14:00", "2026-11-22T14:00"),
        ("7d", "2026-11-15T18:00", "2026-11-22T18:00"),
        ("30d", "2026-10-24T01:00", "2026-11-23T00:00"),  # an hour less of summer time
    ],
)
def test_a_window_covers_whole_steps_of_the_readers_clock(
    period: str, since: str, until: str
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    window = window_of(span(period, NOON, berlin), berlin)
    assert (window.since, window.until) == (
        datetime.fromisoformat(since),
        datetime.fromisoformat(until),
    )


def add_history(world: World) -> None:
    """Four results, one by callback; one failure; one that is open for too long."""
    world.clock.advance(-7200)
    world.add()
    for via in (Channel.CALLBACK, Channel.POLL, Channel.SYNC, Channel.POLL):
        world.add(
            status=Status.SUCCESS,
            asset_url="https://ours.test/a",
            delivered_via=via,
            submitted_at=world.clock(),
            provider_completed_at=world.clock() + timedelta(seconds=10),
            delivered_at=world.clock() + timedelta(seconds=12),
            due_at=None,
        )
    world.add(status=Status.FAILED, error_code="provider.402", model=HOSTILE, due_at=None)
    world.clock.advance(7200)
    world.core.store.rollup.rebuild()


def view(world: World, period: str = "24h") -> View:
    shown = span(period, world.clock())
    figures = Figures(world.core.store.database, world.clock, timedelta(minutes=10))
    return view_of(figures.overview(shown), shown, UTC)


@pytest.mark.parametrize("period", PERIODS)
def test_a_view_of_nothing_is_empty(world: World, period: str) -> None:
    empty = view(world, period)
    frames = (empty.outcomes, empty.rates, empty.latency, empty.news, empty.models, empty.failures)
    assert all(frame.empty for frame in frames)
    assert (empty.results, empty.without_callback) == (0, 0)


def test_a_view_tells_who_brought_results(world: World) -> None:
    add_history(world)
    assert view(world).channels == {Channel.CALLBACK: 1, Channel.POLL: 2, Channel.SYNC: 1}
    assert (view(world).results, view(world).without_callback) == (4, 3)


def charts_of(shown: View) -> list[dict[str, Any]]:
    made = (
        charts.outcomes(shown.outcomes, shown.window),
        charts.channels(shown.news, shown.window),
        charts.success_rate(shown.rates, shown.window),
        charts.latency(shown.latency, shown.window),
    )
    return [chart.to_dict() for chart in made]


@pytest.mark.parametrize("is_filled", [False, True])
def test_charts_cover_the_window_whatever_is_in_it(world: World, is_filled: bool) -> None:
    if is_filled:
        add_history(world)
    made = charts_of(view(world))
    assert len({json.dumps(chart["encoding"]["x"]["scale"]) for chart in made}) == 1


def test_charts_tell_only_what_their_data_has(world: World) -> None:
    add_history(world)
    for chart in charts_of(view(world)):
        (rows,) = chart["datasets"].values()
        told = {tip["field"] for tip in chart["encoding"]["tooltip"]}
        assert told <= rows[0].keys()


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in page.metric}


def test_an_empty_overview_says_what_to_do(dashboard: Dashboard) -> None:
    page = dashboard.open()
    assert "Nothing was created in the last 24 hours. Nothing is stuck." in texts(page)
    assert words.EMPTY_ADVICE in texts(page)
    assert words.COHORTS in texts(page)


def test_a_filled_overview_shows_the_numbers(dashboard: Dashboard) -> None:
    add_history(dashboard.world)
    page = dashboard.open()
    shown = metrics(page)
    assert shown[words.CREATED] == "6"
    assert shown[words.DELIVERED] == "4"
    assert shown[words.SUCCESS_RATE] == "80 %"
    assert (shown[words.STUCK], shown[words.AT_RISK]) == ("1", "0")
    assert shown[words.LOSS] == "75 %"
    assert "80 % of what was created in the last 24 hours" in texts(page)


def test_tables_tell_models_and_causes(dashboard: Dashboard) -> None:
    add_history(dashboard.world)
    models, failures = dashboard.open().dataframe[:2]
    assert models.value["model"].tolist() == ["flux-2/pro-text-to-image", HOSTILE]
    assert failures.value["error_code"].tolist() == ["provider.402"]
    assert HOSTILE not in texts(dashboard.open())


@pytest.mark.parametrize(("period", "created"), [("1h", "0"), ("7d", "6"), ("<b>", "6")])
def test_the_period_stands_in_the_address(dashboard: Dashboard, period: str, created: str) -> None:
    add_history(dashboard.world)
    page = dashboard.open(Link(OVERVIEW, {"period": period}))
    assert metrics(page)[words.CREATED] == created


def test_a_stop_of_callbacks_is_told(dashboard: Dashboard) -> None:
    for _ in range(3):
        dashboard.world.add(delivered_via=Channel.POLL, due_at=None)
    assert "No callback has ever come" in texts(dashboard.open())


def test_where_kie_is_told_no_address_that_is_said_instead(dashboard: Dashboard) -> None:
    dashboard.set(KIE_BASE_URL="https://kie.test")
    add_history(dashboard.world)
    shown = texts(dashboard.open())
    assert words.NO_CALLBACK_URL in shown
    assert "No callback has ever come" not in shown


@pytest.mark.parametrize(("seconds", "stands_still"), [(30, False), (90, True)])
def test_figures_that_nobody_counts_stand_still(
    dashboard: Dashboard, seconds: int, stands_still: bool
) -> None:
    dashboard.world.clock.advance(-seconds)
    dashboard.world.core.store.rollup.rebuild()
    assert ("These figures stand still" in texts(dashboard.open())) is stands_still


def refuse(world: World, code: str) -> None:
    received = Received(body=HOSTILE, body_sha256="0", task_id="task-9")
    why = CallbackError(code, f"about {HOSTILE}")
    world.core.store.inbox.refuse(received, why, credential=False)


@pytest.mark.parametrize(("role", "sees_body"), [(Role.OPERATOR, True), (Role.VIEWER, False)])
def test_a_reason_lists_its_callbacks_without_bodies_for_viewers(
    dashboard: Dashboard, role: Role, sees_body: bool
) -> None:
    refuse(dashboard.world, "credential.wrong")
    page = dashboard.open(Link(OVERVIEW, {"refused": "credential.wrong"}), role=role)
    counted, callbacks = page.dataframe
    assert counted.value["callbacks"].tolist() == [1]
    assert callbacks.value["task_id"].tolist() == ["task-9"]
    assert (HOSTILE in str(callbacks.value.to_dict())) is sees_body
    assert HOSTILE not in texts(page)


@pytest.mark.parametrize("reason", ["", "no.such", "<b>", "x" * 10_000])
def test_an_unknown_reason_is_ignored(dashboard: Dashboard, reason: str) -> None:
    refuse(dashboard.world, "credential.wrong")
    page = dashboard.open(Link(OVERVIEW, {"refused": reason}))
    assert not page.exception
    assert len(page.dataframe) == 1
