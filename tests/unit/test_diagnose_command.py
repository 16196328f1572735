"""`python -m core diagnose`, and what looking from a shell refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.api import open_api
from tests.support.commands import run_command
from tests.support.world import World


@pytest.fixture(autouse=True)
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this process, for a command; at KIE's address nobody answers."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KIE_BASE_URL", "http://127.0.0.1:9")


def test_people_get_finding_sides_and_timeline(world: World) -> None:
    generation = world.add_submitted()
    world.finish()
    world.advance(generation)
    told = run_command("diagnose", "task-1")
    assert "OK  delivered: " in told.out
    assert "1 of 1 stored" in told.out
    assert "generation.delivered" in told.out


def test_programs_get_what_the_api_answers(tmp_path: Path, database_url: str) -> None:
    with open_api(tmp_path, database_url) as api:
        generation = api.world.add()
        shown = api.client.get("/api/debug/kie", query_string={"id": generation.id}).json
    told = json.loads(run_command("diagnose", generation.id, "--json").out)
    assert told.keys() == shown.keys()
    assert (told["generation"], told["events"]) == (shown["generation"], shown["events"])


def test_a_finding_that_matters_is_exit_code_1(world: World) -> None:
    generation = world.add_submitted(crashes=3)
    assert run_command("diagnose", generation.id).code == 1


def test_words_of_strangers_move_no_cursor(world: World) -> None:
    generation = world.add_submitted(error_code="kie.refused", error="a\x1b[2Jb\nc")
    told = run_command("sync", generation.id, "--wait", "0")
    assert "\x1b" not in told.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["diagnose", "nobody"],
        ["sync", "nobody"],
        ["attach", "nobody", "task-1"],
        ["attach", "nobody", "task-1", "--by", " "],
        ["sync", "nobody", "--wait", "-1"],
        ["rescue", "/nowhere/ids.txt"],
        ["rescue", "/dev/null"],
        ["rescue", "/dev/null", "--user", ""],
    ],
)
def test_what_cannot_be_done_is_said_in_words(arguments: list[str]) -> None:
    told = run_command(*arguments)
    assert (told.code, told.out, told.err != "") == (2, "", True)


@pytest.mark.parametrize("fields", [{"task_id": "task-7"}, {}])
def test_an_attach_that_is_refused_changes_nothing(world: World, fields: dict[str, str]) -> None:
    generation = world.add(**fields)
    told = run_command("attach", generation.id, "task-1")
    assert (told.code, told.err.startswith("core: it ")) == (2, True)
    assert world.row(generation) == generation


def test_an_attach_that_kie_does_not_confirm_is_exit_code_1(world: World) -> None:
    generation = world.add(submit_started_at=world.clock(), due_at=None)
    told = run_command("attach", generation.id, "task-1", "--by", "ann")
    assert (told.code, told.out.splitlines()[0]) == (
        1,
        "named; KIE has not confirmed it yet, and is asked again",
    )
    [event] = [
        event
        for event in world.core.queries.events_of(generation)
        if event["name"] == "operator.attached"
    ]
    assert event["detail"]["by"] == "ann"
