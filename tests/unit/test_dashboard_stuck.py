"""The stuck list: what stands on it, and what can be done from there."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.figures.figures import Figures
from core.generation.model import Generation, Status
from core.settings import Settings
from core.store.listing import Cursor
from core.store.stuck import Limits, Reason, Stuck, StuckFilter
from dashboard.access.policy import Role
from dashboard.acts.plan import Act, Chosen
from dashboard.address import MAX_LENGTH
from dashboard.navigation import STUCK, Link, to_stuck
from dashboard.stuck.table import in_words, limit_table, table
from dashboard.stuck.view import View, read
from tests.support.clock import NOON
from tests.support.dashboard import Dashboard, texts
from tests.support.databases import on_sqlite
from tests.unit.test_query_plans import recorded

HOUR = 3600
HOSTILE = "**ann** <script>alert(1)</script> :red[x] $\\frac{1}{2}$ ![](http://x.test/a.png)"


def add_old(dashboard: Dashboard, age_s: float = HOUR, **fields: Any) -> Generation:
    """A generation that KIE has had for an hour, next looked at in five minutes."""
    now = dashboard.world.clock()
    times = {"created_at": now - timedelta(seconds=age_s), "due_at": now + timedelta(minutes=5)}
    number = len(dashboard.world.core.queries.page(limit=100).items)
    return dashboard.world.add_submitted(f"task-{number}", **{**times, **fields})


def add_unknown(dashboard: Dashboard, **fields: Any) -> Generation:
    """A generation of which nobody knows whether KIE took it."""
    now = dashboard.world.clock()
    unknown = {"error_code": "submit.unknown", "submit_started_at": now}
    return dashboard.world.add(**unknown, created_at=now - timedelta(hours=1), **fields)


def frame(page: AppTest, column: str) -> pd.DataFrame:
    """The table on the page that has this column."""
    return next(each.value for each in page.dataframe if column in each.value)


def rows(page: AppTest) -> pd.DataFrame:
    """The list on the page."""
    return frame(page, "verdict")


def ids(page: AppTest) -> list[str]:
    return [str(link).rpartition("=")[2] for link in rows(page)["task"]]


def select(page: AppTest, *places: int) -> AppTest:
    """Select rows of the list."""
    key = next(each.key for each in page.dataframe if "verdict" in each.value)
    page.session_state[str(key)] = {"selection": {"rows": list(places)}}
    return page.run()


def act(page: AppTest, wanted: Act) -> AppTest:
    """Click the button of an act."""
    return page.button(key=f"stuck_{wanted}").click().run()


def submit(page: AppTest) -> AppTest:
    """Send the dialog's form."""
    return page.button(key="acts_submit").click().run()


def told(dashboard: Dashboard, generation: Generation, event: str) -> dict[str, Any]:
    """The detail of the last event with this name."""
    events = dashboard.world.core.queries.events_of(generation)
    return dict([one for one in events if one["name"] == event][-1]["detail"])


def test_an_empty_list_says_so_and_what_would_stand_on_it(dashboard: Dashboard) -> None:
    page = dashboard.open(STUCK)
    assert "Nothing is stuck" in page.success[0].value
    assert "STUCK_AFTER_MINUTES" in texts(page)
    assert not [one for one in page.button if str(one.key).startswith("stuck_look")]


def test_the_list_begins_with_the_oldest_and_says_why_each_is_on_it(dashboard: Dashboard) -> None:
    young, old = add_old(dashboard, HOUR), add_old(dashboard, 2 * HOUR, crashes=3)
    add_old(dashboard, 60)
    page = dashboard.open(STUCK)
    assert ids(page) == [old.id, young.id]
    assert list(rows(page)["why"]) == ["Set aside · Over 10 min", "Over 10 min"]


def test_reasons_are_counted_and_filter_the_list(dashboard: Dashboard) -> None:
    add_old(dashboard)
    unknown = add_unknown(dashboard)
    page = dashboard.open(STUCK)
    button = page.button(key="stuck_reason_submit_unknown")
    assert button.label == "Submission unknown (1)"
    button.click().run()
    assert ids(page) == [unknown.id]
    assert page.query_params["reason"] in ("submit_unknown", ["submit_unknown"])


@pytest.mark.parametrize(
    ("link", "found"),
    [
        (to_stuck(reason="slow"), 2),
        (to_stuck(reason="at_risk"), 0),
        (to_stuck(reason="no such"), 2),
        (to_stuck(model="another"), 1),
        (to_stuck(user=HOSTILE), 1),
        (to_stuck(user="nobody"), 0),
        (to_stuck(user="nobody\0"), 2),
        (to_stuck(model="another", user=HOSTILE), 0),
        (Link(STUCK, {"after": "no cursor"}), 2),
    ],
)
def test_the_address_is_the_view(dashboard: Dashboard, link: Link, found: int) -> None:
    add_old(dashboard, user_id=HOSTILE)
    add_old(dashboard, model="another")
    page = dashboard.open(link)
    assert not page.exception
    assert len(rows(page)) == found if found else "matches this filter" in texts(page)


@pytest.mark.parametrize(
    ("query", "view"),
    [
        ({}, View(StuckFilter(), None)),
        (
            {"reason": "slow", "model": " flux "},
            View(StuckFilter(reason=Reason.SLOW, model="flux"), None),
        ),
        ({"reason": "no such", "model": "", "user": " "}, View(StuckFilter(), None)),
        ({"model": "a\0", "user": "x" * (MAX_LENGTH + 1)}, View(StuckFilter(), None)),
        ({"after": str(Cursor(NOON, "x"))}, View(StuckFilter(), Cursor(NOON, "x"))),
        ({"after": "no cursor"}, View(StuckFilter(), None)),
    ],
)
def test_what_makes_no_sense_in_an_address_is_ignored(query: dict[str, str], view: View) -> None:
    assert read(query) == view


def test_names_from_outside_stand_in_cells_only(dashboard: Dashboard) -> None:
    add_old(dashboard, user_id=HOSTILE, model=HOSTILE)
    page = select(dashboard.open(STUCK), 0)
    assert list(rows(page)["user"]) == [HOSTILE]
    assert "ann" not in texts(page)


def test_the_next_page_begins_where_the_first_one_ends(dashboard: Dashboard) -> None:
    made = [add_old(dashboard, 2 * HOUR - number).id for number in range(52)]
    page = dashboard.open(STUCK)
    assert ids(page) == made[:50]
    page.button(key="stuck_next").click().run()
    assert ids(page) == made[50:]
    page.button(key="stuck_first").click().run()
    assert ids(page) == made[:50]


def test_looking_again_at_all_says_first_what_it_would_do(dashboard: Dashboard) -> None:
    slow = add_old(dashboard)
    add_unknown(dashboard)
    page = act(dashboard.open(STUCK), Act.LOOK_AGAIN)
    assert "Would look at 2: 1 now, 1 cannot." in texts(page)
    assert "1 cannot: KIE has named no task" in page.text[0].value
    assert dashboard.world.row(slow).due_at == slow.due_at


def test_looking_again_makes_due_now_and_tells_who_and_what(dashboard: Dashboard) -> None:
    slow = add_old(dashboard, user_id="ann")
    unknown = add_unknown(dashboard, user_id="ann")
    page = submit(act(dashboard.open(to_stuck(user="ann")), Act.LOOK_AGAIN))
    due_at = dashboard.world.row(slow).due_at
    assert due_at is not None
    assert due_at < dashboard.world.clock() + timedelta(minutes=1)
    event = told(dashboard, slow, "operator.looked_again")
    assert (event["selection"], event["of"]) == ("all stuck, user ann", 2)
    assert event["by"] == "operator on this machine"
    results = frame(page, "outcome").set_index("generation")["outcome"]
    assert results[f"task?id={slow.id}"] == "done"
    assert results[f"task?id={unknown.id}"].startswith("cannot: KIE has named no task")


def test_giving_up_a_selection_leaves_the_rest(dashboard: Dashboard) -> None:
    old, young = add_old(dashboard, 2 * HOUR), add_old(dashboard)
    page = act(select(dashboard.open(STUCK), 0), Act.GIVE_UP)
    page.text_area[0].set_value("nobody wants it")
    submit(page)
    row = dashboard.world.row(old)
    assert (row.status, row.error) == (Status.FAILED, "nobody wants it")
    assert told(dashboard, old, "operator.gave_up")["selection"] == "picked of all stuck"
    assert dashboard.world.row(young).status is not Status.FAILED
    assert ids(page) == [young.id]
    assert "All 1 that match" in texts(page)


def test_what_was_selected_stays_selected_when_rows_before_it_leave(dashboard: Dashboard) -> None:
    old, young = add_old(dashboard, 2 * HOUR), add_old(dashboard)
    page = select(dashboard.open(STUCK), 1)
    dashboard.world.core.operator.give_up(old.id, "x", Chosen((old,), "x").order("x"))
    page.run()
    act(page, Act.GIVE_UP).text_area[0].set_value("x")
    submit(page)
    assert dashboard.world.row(young).status is Status.FAILED


def test_one_that_a_worker_has_meanwhile_is_refused_and_the_rest_done(dashboard: Dashboard) -> None:
    held = add_old(dashboard, 2 * HOUR, due_at=dashboard.world.clock())
    free = add_old(dashboard)
    page = act(dashboard.open(STUCK), Act.GIVE_UP)
    assert dashboard.world.core.store.claims.claim(held.id, "a0") is not None
    page.text_area[0].set_value("x")
    submit(page)
    assert "1 done, 1 refused." in texts(page)
    assert dashboard.world.row(free).status is Status.FAILED
    assert dashboard.world.row(held).status is not Status.FAILED


def test_attaching_is_offered_for_one_only(dashboard: Dashboard) -> None:
    add_unknown(dashboard)
    one = add_unknown(dashboard)
    page = select(dashboard.open(STUCK), 0, 1)
    assert "stuck_attach" not in [button.key for button in page.button]
    page = act(select(page, 1), Act.ATTACH)
    page.text_input[-1].set_value("found-1")
    submit(page)
    assert dashboard.world.row(one).candidate_task_id == "found-1"


def test_sending_again_is_not_offered_where_nothing_can_be_sent(dashboard: Dashboard) -> None:
    add_old(dashboard)
    keys = [button.key for button in dashboard.open(STUCK).button]
    assert "stuck_look_again" in keys
    assert "stuck_send_again" not in keys


def test_a_viewer_sees_the_list_and_no_buttons(dashboard: Dashboard) -> None:
    add_old(dashboard, prompt="secret prompt", error="secret prompt is not allowed")
    page = select(dashboard.open(STUCK, role=Role.VIEWER), 0)
    assert len(rows(page)) == 1
    assert not [button.key for button in page.button if button.key in {f"stuck_{a}" for a in Act}]
    assert "secret" not in rows(page).to_string() + texts(page)


def test_a_row_tells_durations_and_sorts_by_numbers() -> None:
    generation = Generation(
        id="g-1",
        family="market",
        model="fast",
        input={},
        created_at=NOON - timedelta(hours=2),
        updated_at=NOON,
        due_at=NOON - timedelta(minutes=3),
        expires_at=NOON + timedelta(days=13),
    )
    limits = Limits(timedelta(minutes=10), {"fast": timedelta(minutes=1)})
    stuck = Stuck(generation, (Reason.SLOW, Reason.AT_RISK))
    told = table([stuck], limits, Settings(_env_file=None), NOON)
    assert told.loc[0, ["age", "next", "dies"]].tolist() == [7200, -180, 13 * 86400]
    assert told.loc[0, "why"] == "At risk · Over 1 min (p99)"
    html = in_words(told).to_html()
    assert all(words in html for words in ("2 h", "due 3 min ago", "in 13 d"))


def test_models_with_a_limit_of_their_own_are_told_the_shortest_first() -> None:
    limits = Limits(timedelta(minutes=10), {"b": timedelta(minutes=2), "a": timedelta(minutes=5)})
    assert limit_table(limits).to_numpy().tolist() == [["b", "2 min"], ["a", "5 min"]]


@on_sqlite
@pytest.mark.parametrize("filter", [StuckFilter(), StuckFilter(model="m", user_id="u")])
def test_no_question_of_the_page_reads_finished_generations(
    dashboard: Dashboard, filter: StuckFilter
) -> None:
    core = dashboard.world.core
    figures = Figures(core.store.database, core.store.now, timedelta(minutes=10))
    limits = Limits(timedelta(minutes=10), {"fast": timedelta(minutes=1)})
    add_old(dashboard)
    with recorded() as statements:
        figures.stuck_counts(filter, limits)
        figures.stuck(filter, limits, after=Cursor(NOON, "x"), limit=50)
        figures.stuck(StuckFilter(reason=Reason.SLOW), limits, limit=1000)
    with sqlite3.connect(core.settings.data_dir / "kie.db") as connection:
        plans = [
            line[3]
            for sql, values in statements
            for line in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        ]
    connection.close()
    about = [line for line in plans if "generations" in line]
    by_state = ("ix_generations_open", "status=?", "(id=?)")
    assert about
    assert all(any(words in line for words in by_state) for line in about), about
