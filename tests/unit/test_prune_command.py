"""`python -m core prune`, as somebody calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from core.generation.model import Generation, Status
from core.ids import new_id
from core.store.opening import open_database
from core.store.store import Store
from tests.support.commands import Ran, run_command

Run = Callable[..., Ran]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command on a database with a generation that ended 100 days ago."""
    database = open_database(database_url)
    then = database.now() - timedelta(days=100)
    ended = {"status": Status.SUCCESS, "asset_url": "https://ours.test/a"}
    times = {"created_at": then, "updated_at": then}
    generation = Generation(id=new_id(), family="market", model="m", input={}, **times, **ended)
    Store(database).generations.add(generation)
    database.close()
    monkeypatch.setenv("DATABASE_URL", database_url)
    return partial(run_command, "prune")


def words(events: int, generations: int) -> str:
    return (
        f"{events} events of {generations} generations, headers and bodies of 0 callbacks,"
        " 0 whole callbacks, 0 counts\n"
    )


def test_it_deletes_what_is_old_and_says_how_much(run: Run) -> None:
    assert run() == (0, f"gone: {words(1, 1)}", "")
    assert run() == (0, f"gone: {words(0, 0)}", "")


def test_a_dry_run_says_it_and_deletes_nothing(run: Run) -> None:
    assert [run("--dry-run"), run("--dry-run")] == [(0, f"would go: {words(1, 1)}", "")] * 2


def test_programs_get_the_numbers(run: Run) -> None:
    numbers = {"generations": 1, "events": 1, "emptied": 0, "callbacks": 0, "counts": 0}
    assert json.loads(run("--json").out) == {"dryRun": False, **numbers}


def test_the_setting_says_for_how_long(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_DAYS", "101")
    assert run().out == f"gone: {words(0, 0)}"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RETENTION_DAYS", "0", "core: RETENTION_DAYS: "),
        ("DATABASE_URL", "sqlite:////nowhere/kie.db", "core: the database cannot be used: "),
    ],
)
def test_what_is_wrong_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    ran = run()
    assert (ran.code, ran.out) == (2, "")
    assert (ran.err.startswith(said), ran.err.count("\n")) == (True, 1)
