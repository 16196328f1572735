"""The bench's arithmetic and its table; what it measures is not tested by time."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from bench.bare_writes import PostgresqlKeep, SqliteKeep
from bench.figures import Row, at_least, at_most, percentile, quantity, table
from bench.host import write_video
from bench.product import submitted
from core.media.inspect import inspect
from core.store.address import is_sqlite
from core.store.opening import open_database
from core.store.queries import Queries
from core.store.store import Store


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1), (1, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)]
)
def test_percentile_is_the_value_that_so_many_percent_are_not_above(
    percent: float, expected: int
) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == expected


def test_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 99) == 7.0


@pytest.mark.parametrize(("ours", "met"), [(49.9, False), (50.0, True), (120.0, True)])
def test_share_of_the_baseline_is_met_from_the_promised_share_on(ours: float, met: bool) -> None:
    row = at_least("speed", ours, 100.0, 0.5, "/s")
    assert (row.met, row.ratio) == (met, ours / 100)


@pytest.mark.parametrize(("value", "met"), [(59.9, True), (60.0, True), (60.1, False)])
def test_limit_is_met_up_to_the_limit(value: float, met: bool) -> None:
    assert at_most("time", value, 60.0, "ms").met is met


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 s"), (0.426, "0.43 s"), (12.345, "12.3 s"), (60.0, "60 s"), (12345.6, "12,346 s")],
)
def test_quantities_show_three_digits(value: float, shown: str) -> None:
    assert quantity(value, "s") == shown


def test_table_is_markdown_with_a_line_for_each_measure() -> None:
    sqlite = at_least("speed", 40.0, 100.0, 0.5, "/s")
    postgresql = at_least("speed", 60.0, 100.0, 0.5, "/s")
    lines = table([sqlite], [postgresql]).splitlines()
    figures = "40 /s | 100 /s | 0.40 | **no** | 60 /s | 100 /s | 0.60 | yes"
    assert lines[-1] == f"| speed | >= 0.5 x | {figures} |"
    assert len(lines) == 3


def test_row_that_was_not_measured_says_so_and_gives_no_verdict() -> None:
    row = Row(measure="backlog", ours="NOT MEASURED: install nginx")
    line = table([row], [row]).splitlines()[-1]
    nothing = "NOT MEASURED: install nginx |  |  |  |"
    assert line == f"| backlog |  | {nothing} {nothing}"


def test_bare_route_keeps_what_the_product_keeps_of_a_callback(database_url: str) -> None:
    database = open_database(database_url)
    Store(database).generations.add(generation := submitted(0))
    bare = SqliteKeep if is_sqlite(database_url) else PostgresqlKeep
    with closing(bare(database_url)) as keep:
        keep(generation.id, "task00000000", "{}")
    queries = Queries(database)
    [callback] = queries.callbacks_of(generation)
    assert (callback["verdict"], callback["body"]) == ("accepted", "{}")
    assert queries.events_of(generation)[-1]["name"] == "callback.accepted"
    woken = queries.by_id(generation.id)
    assert woken is not None
    assert woken.due_at is not None
    database.close()


@pytest.mark.parametrize("size", [200_000, 3_000_001])
def test_video_of_the_bench_is_one_to_the_product(tmp_path: Path, size: int) -> None:
    file = tmp_path / "a.mp4"
    write_video(file, size)
    with file.open("rb") as video:
        assert inspect(video, size).content_type == "video/mp4"
    assert file.stat().st_size == size
