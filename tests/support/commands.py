"""`python -m core`, called in this process."""

from __future__ import annotations

from typing import NamedTuple

from click.testing import CliRunner

from core.commands.cli import cli


class Ran(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def run_command(*arguments: str) -> Ran:
    """Run one, with the settings of this process's environment."""
    result = CliRunner().invoke(cli, arguments, prog_name="python -m core")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)
