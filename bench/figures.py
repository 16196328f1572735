"""Pure: percentiles, and rows of the table that says what was measured and what was promised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

HEADINGS = ("measure", "ours", "baseline", "ratio", "target", "met")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `met` is None where nothing was promised, or nothing measured."""

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


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [HEADINGS, tuple("---" for _ in HEADINGS), *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    met = {True: "yes", False: "**no**", None: ""}[row.met]
    return (row.measure, row.ours, row.baseline, ratio, row.target, met)
