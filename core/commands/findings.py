"""Findings as commands report them: each as soon as it is known, or all in one JSON value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click

from core.commands.running import NOT_WELL, WELL, Console
from core.commands.telling import one_line
from core.errors import AppError
from core.sweeping.findings import Finding
from core.sweeping.judging import looks_unmounted

#: More than anybody reads; the rest is counted.
MOST_SHOWN = 1000

most_is_lost_option = click.option(
    "--most-is-lost",
    is_flag=True,
    help="With --repair: fetch even where more than half of the files are missing.",
)


def refuse_unmounted(missing: int, compared: int) -> None:
    """Raise AppError where storage is rather not there than without its files."""
    if looks_unmounted(missing, compared):
        raise AppError(
            f"--repair: {missing:,} of {compared:,} files are missing, more than half: none of them"
            " was fetched. Is the right disk mounted, the right bucket set? Add --most-is-lost"
            " if they are lost indeed"
        )


class Findings:
    """What was found so far."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: list[Finding] = []
        self._found = 0
        self._repaired = 0

    def add_all(self, findings: Iterable[Finding]) -> None:
        """Each as it becomes known."""
        for finding in findings:
            self.add(finding)

    def add(self, finding: Finding) -> None:
        """One more."""
        self._found += 1
        self._repaired += finding.repaired is not None
        if self._found > MOST_SHOWN:
            return
        if self._console.as_json:
            self._shown.append(finding)
        else:
            self._console.progress("")
            click.echo("\n".join(map(one_line, str(finding).splitlines())))

    def end(self, counts: Mapping[str, object], said: str) -> int:
        """Sum up what was looked at; the exit code: whether anything is left to do."""
        data = {
            **counts,
            "found": self._found,
            "repaired": self._repaired,
            "findings": [finding.as_json() for finding in self._shown],
        }
        self._console.result(data, [f"{said}: {self._in_words()}."])
        return NOT_WELL if self._found > self._repaired else WELL

    def _in_words(self) -> str:
        if not self._found:
            return "nothing found"
        hidden = max(0, self._found - MOST_SHOWN)
        more = f" ({hidden:,} of them not shown)" if hidden else ""
        return f"{self._found:,} found{more}, {self._repaired:,} repaired"
