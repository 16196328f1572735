"""What every command has: settings, `--json`, progress on stderr, errors in one line."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from core.commands.telling import one_line
from core.errors import AppError, ConfigError, StoreUnavailableError
from core.settings import Settings
from core.store.database import Database
from core.store.migrate import require_current
from core.store.opening import open_database

#: Exit codes. 2 is click's own for wrong arguments, too.
WELL = 0
NOT_WELL = 1  # the command did its work, and what it found is not well
CANNOT = 2  # a setting, the database or an argument is wrong; nothing was done


class Console:
    """Where a command says what it found: for people or, with `--json`, for programs."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._has_result = False

    def result(self, data: object, lines: Iterable[str]) -> None:
        """What came of it, on stdout: `data` as JSON, or the lines."""
        text = json.dumps(data, ensure_ascii=False) if self.as_json else "\n".join(lines)
        if text:
            click.echo(text)
        self._has_result = True

    def progress(self, sentence: str) -> None:
        """How far it is: a line that replaces the one before, on a terminal only."""
        if sys.stderr.isatty():
            click.echo(f"\r\033[K{sentence}", nl=False, err=True)

    def progress_over(self) -> None:
        """Leave the last line of progress where it is."""
        if sys.stderr.isatty():
            click.echo(err=True)

    def problem(self, error: AppError) -> None:
        """Why the work was not done; or not to its end, where there is a result already."""
        self.progress("")
        click.echo(f"core: {one_line(str(error))}", err=True)
        if not self._has_result:
            self.result({"error": {"code": _code(error), "message": str(error)}}, ())


def command(name: str) -> Callable[[Callable[..., int | None]], click.Command]:
    """Make a command of a function (settings, console, its own arguments) -> exit code or None.

    Its docstring is the help. AppError becomes one line on stderr, with --json also a value on
    stdout, and exit code 2.
    """

    def make(function: Callable[..., int | None]) -> click.Command:
        @functools.wraps(function)
        def run(*, as_json: bool, **arguments: Any) -> None:
            console = Console(as_json=as_json)
            try:
                code = function(Settings.load(), console, **arguments)
            except AppError as error:
                console.problem(error)
                code = CANNOT
            sys.exit(code or WELL)

        json_option = click.option(
            "--json", "as_json", is_flag=True, help="Print one JSON value instead of text."
        )
        return click.command(name)(json_option(run))

    return make


def _code(error: AppError) -> str:
    known = {ConfigError: "settings.invalid", StoreUnavailableError: "store.unavailable"}
    return getattr(error, "code", None) or known.get(type(error), "command.refused")


@contextmanager
def opened_database(settings: Settings) -> Iterator[Database]:
    """The migrated database, for a command that needs nothing else."""
    database = open_database(settings.database, connections=2)
    try:
        require_current(database)
        yield database
    finally:
        database.close()
