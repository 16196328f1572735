"""What all commands share."""

from __future__ import annotations

import json
import sys

import pytest

from core.commands.cli import cli
from core.commands.running import Console
from core.errors import AppError
from tests.support.commands import run_command


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_tells_what_it_does(name: str) -> None:
    told = run_command(name, "--help")
    assert (told.code, "--json" in told.out) == (0, True)
    assert cli.commands[name].get_short_help_str()


def test_without_a_command_all_are_listed() -> None:
    told = run_command()
    assert [name for name in cli.commands if name not in told.out + told.err] == []


@pytest.mark.parametrize("wrong", [["sing"], ["prune", "--never"], ["prune", "more"]])
def test_wrong_arguments_are_explained(wrong: list[str]) -> None:
    told = run_command(*wrong)
    assert (told.code, told.out, "--help" in told.err) == (2, "", True)


def test_progress_is_for_terminals(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Console(as_json=False).progress("half")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    Console(as_json=False).progress("half")
    Console(as_json=False).progress_over()
    assert capsys.readouterr().err == "\r\033[Khalf\n"


def test_programs_are_told_what_is_wrong_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_DAYS", "0")
    told = run_command("prune", "--json")
    error = json.loads(told.out)["error"]
    assert (told.code, error["code"]) == (2, "settings.invalid")
    assert told.err == f"core: {error['message']}\n"


def test_what_came_before_a_problem_is_the_only_result(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console(as_json=True)
    console.result({"complete": False}, ())
    console.problem(AppError("the rest could not be asked"))
    assert json.loads(capsys.readouterr().out) == {"complete": False}


def test_an_error_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    Console(as_json=False).problem(AppError("a\x1b[2Jb\x9bc\nd"))
    assert capsys.readouterr().err == "core: a [2Jb c d\n"
