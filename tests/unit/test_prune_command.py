"""`python -m core prune`, as somebody calls it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta

import pytest

from core.__main__ import main
from core.generation.model import Generation, Status
from core.ids import new_id
from core.store.opening import open_database
from core.store.store import Store

Run = Callable[..., int]


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

    def call(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["core", "prune", *arguments])
        return main()

    return call


def words(events: int, generations: int) -> str:
    return (
        f"{events} events of {generations} generations, headers and bodies of 0 callbacks,"
        " 0 whole callbacks, 0 counts\n"
    )


def test_it_deletes_what_is_old_and_says_how_much(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (run(), run()) == (0, 0)
    assert capsys.readouterr() == (f"gone: {words(1, 1)}gone: {words(0, 0)}", "")


def test_a_dry_run_says_it_and_deletes_nothing(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (run("--dry-run"), run("--dry-run")) == (0, 0)
    assert capsys.readouterr().out == f"would go: {words(1, 1)}" * 2


def test_the_setting_says_for_how_long(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_DAYS", "101")
    assert run() == 0
    assert capsys.readouterr().out == f"gone: {words(0, 0)}"


def test_on_a_terminal_it_shows_how_far_it_is(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    run()
    assert f"\r{words(1, 1)[:-1]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RETENTION_DAYS", "0", "core: RETENTION_DAYS: "),
        ("DATABASE_URL", "sqlite:////nowhere/kie.db", "core: the database cannot be used: "),
    ],
)
def test_what_is_wrong_is_one_line(
    run: Run,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv(name, value)
    assert run() == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.startswith(said), shown.err.count("\n")) == ("", True, 1)
