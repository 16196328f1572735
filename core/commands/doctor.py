"""`doctor`: whether everything is configured and reachable, and what to do where it is not."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

import click

from core.checks.model import Check, CheckState
from core.checks.run import CHECKS, run_checks
from core.checks.surroundings import open_surroundings
from core.commands.running import CANNOT, NOT_WELL, WELL, Console
from core.errors import ConfigError
from core.settings import Settings

COLORS = {
    CheckState.OK: "green",
    CheckState.WARNING: "yellow",
    CheckState.FAILED: "red",
    CheckState.UNKNOWN: "magenta",
}
STATE_WIDTH = max(map(len, CheckState))
NAME_WIDTH = max(map(len, CHECKS))
INDENT = " " * (STATE_WIDTH + NAME_WIDTH + 6)


# No `running.command`: settings that are wrong are a finding here, and not an end without any.
@click.command("doctor")
@click.option("--strict", is_flag=True, help="Exit with 1 on warnings too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array instead of text.")
def doctor(strict: bool, as_json: bool) -> None:
    """Look whether everything is configured and reachable.

    A small file is stored and a callback sent to PUBLIC_BASE_URL; both are removed again. Nothing
    is asked of KIE that costs credits. docs/operations.md explains each check.

    Exit codes: 0 nothing failed, 1 something did, 2 the settings cannot be used.
    """
    console = Console(as_json=as_json)
    report = Report(console)
    try:
        with open_surroundings(Settings.load()) as around:
            for check in run_checks(around, changing=True, begin=report.begin):
                report.add(check)
    except ConfigError as error:
        report.add(_unusable(error))
        report.end()
        sys.exit(CANNOT)
    report.end()
    sys.exit(report.exit_code(strict=strict))


def _unusable(error: ConfigError) -> Check:
    remedy = "Correct this in the environment or in .env; the README lists every setting."
    return Check("settings", CheckState.FAILED, str(error), remedy)


class Report:
    """What was found: as lines, each as soon as it is known, or as one array at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._checks: list[Check] = []
        self._heading = ""

    def begin(self, name: str) -> None:
        """A check begins, and may take seconds."""
        self._console.progress(f"checking {name} …")

    def add(self, check: Check) -> None:
        """A check is done."""
        self._checks.append(check)
        self._console.progress("")
        if not self._console.as_json:
            click.echo("\n".join(self._lines(check)))

    def _lines(self, check: Check) -> Iterator[str]:
        heading = CHECKS[check.name].heading
        if heading != self._heading:
            self._heading = heading
            yield heading
        state = click.style(f"{check.state:{STATE_WIDTH}}", fg=COLORS[check.state])
        yield f"  {state}  {check.name:{NAME_WIDTH}}  {check.found}"
        if check.remedy:
            yield f"{INDENT}{check.remedy}"

    def end(self) -> None:
        """All checks are done."""
        data = [{"heading": CHECKS[check.name].heading, **asdict(check)} for check in self._checks]
        self._console.result(data, [self._summary()])

    def _summary(self) -> str:
        states = self._states()
        if states.total() < len(CHECKS):
            return "Nothing else can be checked before the settings are right."
        told = [f"{states[state]} {state}" for state in CheckState if states[state]]
        return f"{states.total()} checks: {', '.join(told)}."

    def exit_code(self, *, strict: bool) -> int:
        """What the process ends with."""
        states = self._states()
        is_well = not states[CheckState.FAILED] and not (strict and states[CheckState.WARNING])
        return WELL if is_well else NOT_WELL

    def _states(self) -> Counter[CheckState]:
        return Counter(check.state for check in self._checks)
