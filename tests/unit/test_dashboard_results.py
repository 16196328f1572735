"""The Results page: what is in its address, its lists, its CSV."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from core.generation.model import Asset, Channel, Generation, Status
from core.store.listing import Cursor, Filter
from dashboard.access.policy import Role
from dashboard.address import MAX_LENGTH
from dashboard.navigation import RESULTS, Link, to_results
from dashboard.results.csv import COLUMNS, TEXTS, write_csv
from dashboard.results.download import columns_for, file_name
from dashboard.results.table import frame
from dashboard.results.view import GALLERY_SIZE, TABLE_SIZE, read
from tests.support.clock import NOON
from tests.support.dashboard import Dashboard, texts

BERLIN = ZoneInfo("Europe/Berlin")
FAILED: dict[str, Any] = {"status": Status.FAILED, "error_code": "media.gone", "due_at": None}
PICTURE = "https://ours.test/a.png"
DELIVERED: dict[str, Any] = {
    "status": Status.SUCCESS,
    "asset_url": PICTURE,
    "preview_url": PICTURE,
    "due_at": None,
}


def generation(**fields: Any) -> Generation:
    values = {"id": "g", "family": "market", "model": "m", "input": {}}
    return Generation(**{**values, "created_at": NOON, "updated_at": NOON, **fields})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, Filter()),
        ({"status": "success"}, Filter(status=Status.SUCCESS)),
        ({"status": "open"}, Filter(is_open=True)),
        ({"kind": "video", "model": "m"}, Filter(kind="video", model="m")),
        ({"user": " ann "}, Filter(user_id="ann")),
        ({"via": "poll", "code": "x"}, Filter(delivered_via=Channel.POLL, error_code="x")),
        ({"words": " red  kite "}, Filter(words=("red", "kite"))),
        ({"period": "1h"}, Filter(since=NOON - timedelta(minutes=55))),
    ],
)
def test_an_address_says_what_is_filtered_by(query: dict[str, str], expected: Filter) -> None:
    assert read(query, may_search=True).filter(NOON, UTC) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("status", "'; drop"), ("kind", "x"), ("period", "9y"), ("via", "pigeon")],
        *[("user", "a\x00"), ("model", "m" * (MAX_LENGTH + 1)), ("code", " "), ("before", "x-")],
        *[("before", "99999999T"), ("view", "<b>"), ("nonsense", "1"), ("status", "")],
    ],
)
def test_what_makes_no_sense_in_an_address_is_ignored(name: str, value: str) -> None:
    assert read({name: value}, may_search=True) == read({}, may_search=True)


def test_a_viewer_searches_no_prompts() -> None:
    assert read({"words": "kite"}, may_search=False).filters == {}


def test_an_address_says_where_a_page_begins_and_how_it_looks() -> None:
    cursor = Cursor(NOON, "g")
    view = read({"before": str(cursor), "view": "table"}, may_search=True)
    assert (view.before, view.limit) == (cursor, TABLE_SIZE)


def test_a_row_of_the_table_is_in_the_readers_time() -> None:
    done = NOON + timedelta(seconds=90)
    asset = Asset(position=0, size_bytes=700, stored_at=done)
    row = frame([generation(delivered_at=done, assets=(asset,))], BERLIN).iloc[0]
    assert row["created"] == NOON.astimezone(BERLIN).replace(tzinfo=None)
    assert (row["took"], row["size"], row["link"]) == (90, 700, "task?id=g")


def lines(rows: list[dict[str, object]], *columns: str) -> list[list[str]]:
    text = write_csv([rows], columns).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_csv_has_a_header_and_a_line_for_each_row() -> None:
    at = datetime(2026, 11, 22, 15, 0, tzinfo=BERLIN)
    rows = [{"id": "a", "at": at, "n": Decimal("0.5")}, {"id": "b", "at": None, "n": None}]
    assert lines(rows, "id", "at", "n") == [
        ["id", "at", "n"],
        ["a", "2026-11-22T14:00:00.000Z", "0.5"],
        ["b", "", ""],
    ]


@pytest.mark.parametrize("text", ['"', "a,b", "a\r\nb", "ü\u202e", "a\x00b", "", "'=1", "1-2", ";"])
def test_text_comes_back_from_csv_as_it_was(text: str) -> None:
    assert lines([{"t": text}], "t")[1:] == [[text]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_run_is_defused(text: str) -> None:
    assert lines([{"t": text}], "t")[1:] == [["'" + text]]


def test_a_lone_surrogate_does_not_end_a_csv() -> None:
    assert lines([{"t": "\ud800"}], "t")[1:] == [["?"]]


def test_the_csv_of_a_viewer_has_neither_prompts_nor_errors() -> None:
    assert {*TEXTS} == {"prompt", "error"}
    assert not {*TEXTS, "input", "result_object"} & {*columns_for(False)}
    assert columns_for(True) == COLUMNS + TEXTS


@pytest.mark.parametrize(
    ("filter", "end", "name"),
    [
        (Filter(), None, "generations-2026-11-22.csv"),
        (Filter(), NOON, "generations-2026-11-22-first-100000.csv"),
        (Filter(words=("a",)), NOON, f"generations-2026-11-22-back-to-{NOON:%Y-%m-%d}.csv"),
    ],
)
def test_the_name_of_a_csv_says_whether_it_is_cut(
    filter: Filter, end: datetime | None, name: str
) -> None:
    assert file_name(filter, end, datetime(2026, 11, 22, tzinfo=UTC)) == name


def buttons(page: AppTest) -> list[str]:
    return [button.label for button in page.main.button]


def click(page: AppTest, label: str) -> None:
    next(button for button in page.main.button if button.label == label).click().run()


def ranges(page: AppTest) -> str:
    return next(each.value for each in page.caption if "generation" in each.value)


def test_no_results_lead_to_the_create_page(dashboard: Dashboard) -> None:
    page = dashboard.open(RESULTS)
    assert "No generation yet" in texts(page)
    assert not page.exception


def test_the_gallery_shows_each_generation_with_its_state(dashboard: Dashboard) -> None:
    dashboard.world.add(**DELIVERED, user_id="ann")
    dashboard.world.add(**FAILED, model="*m*")
    page = dashboard.open(RESULTS)
    shown = texts(page)
    assert all(word in shown for word in ("Delivered", "Failed", r"media\.gone", "ann"))
    assert not page.exception


def test_the_table_shows_what_the_filters_let_through(dashboard: Dashboard) -> None:
    dashboard.world.add(**DELIVERED)
    wanted = dashboard.world.add(**FAILED)
    page = dashboard.open(Link(RESULTS, {"view": "table", "status": "failed"}))
    (link,) = page.dataframe[0].value["link"]
    assert link == f"task?id={wanted.id}"
    assert "Status: **Failed**" in buttons(page)


def test_a_chosen_filter_stands_in_the_address(dashboard: Dashboard) -> None:
    page = dashboard.open(Link(RESULTS, {"before": str(Cursor(NOON, "g"))}))
    page.selectbox(key="results_status").set_value("failed").run()
    assert page.query_params == {"status": "failed"}


def test_all_filters_are_cleared_at_once(dashboard: Dashboard) -> None:
    page = dashboard.open(Link(RESULTS, {"status": "open", "user": "ann", "view": "table"}))
    click(page, "Clear all")
    assert page.query_params == {"view": "table"}
    assert page.text_input(key="results_user").value == ""


def test_pages_go_on_and_back(dashboard: Dashboard) -> None:
    for _ in range(2 * GALLERY_SIZE + 1):
        dashboard.world.add()
        dashboard.world.clock.advance(1)
    page = dashboard.open(RESULTS)
    seen = [ranges(page)]
    for label in ("Next", "Next", "Newer", "Newer"):
        click(page, label)
        seen.append(ranges(page))
    assert seen[2].startswith("1 generation,")
    assert (seen[3], seen[4]) == (seen[1], seen[0])
    assert page.query_params == {}


def test_a_viewer_gets_no_prompt_and_no_search(dashboard: Dashboard) -> None:
    dashboard.world.add(prompt="secret kite", error="quotes secret kite", **FAILED)
    page = dashboard.open(Link(RESULTS, {"words": "nothing"}), role=Role.VIEWER)
    assert "Failed" in texts(page)
    assert "kite" not in str(page.main)
    assert "results_words" not in [field.key for field in page.text_input]


def test_an_operator_finds_words_of_the_prompt(dashboard: Dashboard) -> None:
    dashboard.world.add(prompt="a red kite", model="found", **FAILED)
    dashboard.world.add(prompt="a tram", model="other", **FAILED)
    page = dashboard.open(Link(RESULTS, {"words": "KITE", "view": "table"}))
    assert list(page.dataframe[0].value["model"]) == ["found"]


def test_a_hostile_address_does_no_harm(dashboard: Dashboard) -> None:
    dashboard.world.add(**FAILED)
    hostile = {"status": "x", "before": "x", "period": "x", "model": "**m** :material/home:"}
    page = dashboard.open(to_results(**hostile, user="'; --", words="%_"))
    assert "Nothing matches" in texts(page)
    assert not page.exception
