"""Pure: percentiles, and rows of the table that says what was measured and what was promised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

OF_EACH = ("baseline", "ratio", "met")
HEADINGS = ("measure", "target", "SQLite", *OF_EACH, "PostgreSQL", *OF_EACH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A measure on one database. `met` is None where nothing was promised, or nothing measured."""

    measure: str
    ours: str
    baseline: str = ""
    ratio: float | None = None
    target: str = ""
    met: bool | None = None


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all are not above (nearest rank)."""
    ordered = sorted(values)
    rank = math.ceil(len(ordered) * percent / 100)
    return ordered[max(rank, 1) - 1]


def at_least(measure: str, ours: float, bare: float, share: float, unit: str) -> Row:
    """A row where more is better, and a share of the baseline is promised."""
    ratio = ours / bare
    return Row(
        measure=measure,
        ours=quantity(ours, unit),
        baseline=quantity(bare, unit),
        ratio=ratio,
        target=f">= {share} x",
        met=ratio >= share,
    )


def at_most(measure: str, value: float, limit: float, unit: str, baseline: str = "") -> Row:
    """A row where less is better, and a limit is promised."""
    return Row(
        measure=measure,
        ours=quantity(value, unit),
        baseline=baseline,
        target=f"<= {quantity(limit, unit)}",
        met=value <= limit,
    )


def quantity(value: float, unit: str) -> str:
    """A number with three significant digits at least, and its unit."""
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def table(on_sqlite: Sequence[Row], on_postgresql: Sequence[Row]) -> str:
    """A Markdown table with a line for each measure, which are the same on both."""
    both = zip(on_sqlite, on_postgresql, strict=True)
    lines = [HEADINGS, tuple("---" for _ in HEADINGS), *(_line(*pair) for pair in both)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(sqlite: Row, postgresql: Row) -> tuple[str, ...]:
    return (sqlite.measure, sqlite.target, *_cells(sqlite), *_cells(postgresql))


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    met = {True: "yes", False: "**no**", None: ""}[row.met]
    return (row.ours, row.baseline, ratio, met)
