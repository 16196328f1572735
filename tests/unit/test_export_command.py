"""`python -m core export`: everything, as lines."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.exporting import COLUMNS, all_of, csv_lines, json_lines
from core.generation.model import Status
from core.store.listing import Filter
from core.views import generation_view
from tests.support.commands import Ran, run_command
from tests.support.databases import on_sqlite
from tests.support.world import World


@pytest.fixture
def url(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The settings of a command are those of this process."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return database_url


def export(*arguments: str) -> Ran:
    return run_command("export", *arguments)


def one_delivered(world: World) -> None:
    generation = world.add_submitted(prompt="=1+1", user_id="ann")
    world.finish("task-1", "a.png", "b.png")
    world.advance(generation)


def test_json_lines_are_what_the_api_shows(url: str, world: World) -> None:
    one_delivered(world)
    world.add()
    told = export()
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert lines == [generation_view(one) for one in world.core.queries.page().items]
    assert (told.code, told.err, len(lines)) == (0, "", 2)


def test_the_csv_has_a_column_for_each_field_and_runs_nothing(url: str, world: World) -> None:
    one_delivered(world)
    [generation] = world.core.queries.page().items
    text = export("--format", "csv").out.removeprefix("\ufeff")
    [row] = csv.DictReader(io.StringIO(text, newline=""))
    assert row["prompt"] == "'=1+1"
    assert json.loads(row["assets"]) == generation_view(generation)["assets"]
    assert {*COLUMNS} == {*generation_view(generation)} - {"error"} | {"errorCode", "errorMessage"}


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ([], ["new", "old", "bob"]),
        (["--user", "bob"], ["bob"]),
        (["--status", "failed"], ["old"]),
        (["--error-code", "media.gone"], ["old"]),
        (["--kind", "video"], ["bob"]),
        (["--model", "nobody's"], []),
        (["--since", "2026-11-22T12:00Z"], ["new"]),
        (["--until", "2026-11-22"], ["old", "bob"]),
        (["--until", "2026-11-22", "--kind", "image"], ["old"]),
    ],
)
def test_filters_are_those_of_the_lists(
    url: str, world: World, arguments: list[str], found: list[str]
) -> None:
    before = world.clock() - timedelta(days=1)
    gone: dict[str, Any] = {"status": Status.FAILED, "error_code": "media.gone"}
    world.add(created_at=before - timedelta(days=1), user_id="bob", kind="video", prompt="bob")
    world.add(created_at=before, prompt="old", **gone)
    world.add(prompt="new")
    assert [json.loads(line)["prompt"] for line in export(*arguments).out.splitlines()] == found


@pytest.mark.parametrize(
    "wrong",
    [
        ["--since", "yesterday"],
        ["--since", "0001-01-01T00:00+23:59"],
        ["--status", "done"],
        ["--kind", "x"],
        ["--json"],
        ["--output", "/nowhere/at/all"],
    ],
)
def test_what_is_wrong_is_one_error(url: str, wrong: list[str]) -> None:
    told = export(*wrong)
    assert (told.code, told.err.strip() != "") == (2, True)
    assert told.out == "" or "error" in json.loads(told.out)


def test_a_file_is_there_only_whole(url: str, world: World, tmp_path: Path) -> None:
    one_delivered(world)
    target = tmp_path / "out" / "all.jsonl"
    target.parent.mkdir()
    told = export("--output", str(target), "--json")
    assert json.loads(told.out) == {"generations": 1, "file": str(target)}
    assert len(target.read_text().splitlines()) == 1
    assert list(target.parent.iterdir()) == [target]


def test_a_file_that_cannot_be_finished_leaves_the_old_one(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out" / "all.jsonl"
    target.parent.mkdir()
    target.write_text("the old one")
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/kie.db")
    assert export("--output", str(target)).code == 2
    assert (target.read_text(), list(target.parent.iterdir())) == ("the old one", [target])


@on_sqlite
@pytest.mark.parametrize("lines", [json_lines, csv_lines])
def test_many_take_no_more_memory_than_a_page(world: World, lines: Any) -> None:
    class Counting:
        bytes = 0

        def write(self, text: str) -> None:
            self.bytes += len(text)

    for _ in range(40):
        world.add(prompt="x" * 200_000)
    output = Counting()
    write = lines(output)
    tracemalloc.start()
    try:
        ids = [write(one) or one.id for one in all_of(world.core.queries, Filter(), at_once=5)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(set(ids)) == len(ids) == 40
    assert output.bytes > 8_000_000
    assert peak < 5_000_000
