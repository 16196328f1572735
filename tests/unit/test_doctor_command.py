"""`python -m core doctor`, as somebody calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.checks.run import CHECKS
from core.made_up_secret import CALLBACK, made_up_secret
from core.settings import Settings
from tests.support.commands import Ran, run_command

NOBODY = "http://127.0.0.1:1"  # refuses connections at once


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs the command in an empty folder, with these settings and no others."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("PUBLIC_BASE_URL", NOBODY)
    monkeypatch.setenv("KIE_BASE_URL", NOBODY)

    def run(*arguments: str, **settings: str) -> Ran:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        return run_command("doctor", *arguments)

    return run


def states(ran: Ran) -> dict[str, str]:
    return {check["name"]: check["state"] for check in json.loads(ran.out)}


def test_before_anything_was_set_up_each_line_says_what_comes_first(
    run: Callable[..., Ran],
) -> None:
    told = run()
    assert (told.code, told.err) == (1, "")
    assert "python -m core migrate" in told.out
    assert "there is no key" in told.out
    assert "Start the webhook" in told.out
    assert [name for name in CHECKS if f"  {name} " not in told.out] == []
    assert told.out.splitlines()[-1] == "19 checks: 6 ok, 4 failed, 9 unknown."


def test_it_leaves_nothing_behind(run: Callable[..., Ran], tmp_path: Path) -> None:
    run()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["data", "data/assets"])
def test_folders_that_were_there_stay(run: Callable[..., Ran], tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    run()
    assert (tmp_path / folder).is_dir()
    assert len(list(tmp_path.rglob("*"))) == len(Path(folder).parts)


def test_a_secret_that_a_process_made_up_is_used_and_stays(
    run: Callable[..., Ran], tmp_path: Path
) -> None:
    secret = made_up_secret(tmp_path / "data", CALLBACK)
    assert secret not in run().out
    assert (tmp_path / "data" / CALLBACK).read_text() == secret


def test_lines_stand_under_their_headings_with_remedies_below(run: Callable[..., Ran]) -> None:
    lines = run().out.splitlines()
    headings = [line for line in lines if not line.startswith(" ")][:-1]
    assert headings == list(dict.fromkeys(planned.heading for planned in CHECKS.values()))
    number = next(n for n, line in enumerate(lines) if line.startswith("  failed   database "))
    assert lines[number + 1].startswith(" " * 27 + "Run `python -m core migrate`")


def test_json_is_one_array(run: Callable[..., Ran]) -> None:
    told = run("--json")
    checks = json.loads(told.out)
    assert [check["name"] for check in checks] == list(CHECKS)
    assert {frozenset(check) for check in checks} == {
        frozenset({"heading", "name", "state", "found", "remedy"})
    }
    assert told.code == 1


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"PORT": "none"}, "PORT: "),
    ({"SUPABASE_URL": "https://x.supabase.co"}, "SUPABASE_SERVICE_ROLE_KEY: is missing"),
    ({"BIND": "0.0.0.0"}, "API_TOKEN, KIE_CALLBACK_SECRET, KIE_API_KEY"),
    ({"DATABASE_URL": "mysql://u:hush@h/d"}, "DATABASE_URL: must be"),
    ({"KIE_API_KEY": "k\u00e9y-hush"}, "KIE_API_KEY: must be"),
]


@pytest.mark.parametrize(("settings", "problem"), WRONG)
def test_settings_that_cannot_be_used_are_the_first_finding(
    run: Callable[..., Ran], tmp_path: Path, settings: dict[str, str], problem: str
) -> None:
    told = run(**settings)
    heading, found, remedy, *_, last = told.out.splitlines()
    assert (told.code, heading) == (2, "Settings")
    assert found.startswith("  failed   settings ")
    assert problem in found
    assert ".env" in remedy
    assert last == "Nothing else can be checked before the settings are right."
    assert "hush" not in told.out + told.err
    assert states(run("--json")) == {"settings": "failed"}
    assert list(tmp_path.iterdir()) == []


def test_an_env_file_that_cannot_be_read_is_a_finding_too(
    run: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / ".env").write_bytes(b"KIE_API_KEY=\xff\xfe")
    told = run()
    assert (told.code, ".env: cannot be read" in told.out) == (2, True)


def test_a_file_where_the_folder_should_be_is_a_finding(
    run: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("a file")
    found = states(run("--json"))
    assert (found["storage"], found["database"], found["kie"]) == ("failed",) * 3
    assert (tmp_path / "data").read_text() == "a file"
