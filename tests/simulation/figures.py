"""What many seeds came to: the headline, and what became of tasks under each fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.checker.headline import Headline
from tests.simulation.plan import ALL
from tests.simulation.run import Result

HEADS = ("tasks at KIE", "results lost", "double payments", "forged changes", "never heard of")
FAULT_HEADS = (
    "fault",
    "struck",
    "seeds",
    "tasks",
    "delivered",
    "failed at KIE",
    "given up",
    "broken",
)


class Ends(NamedTuple):
    """How generations ended."""

    delivered: int
    failed: int  # on KIE's word
    given_up: int  # on our own account, in words and with a code

    @classmethod
    def of(cls, ends: Counter[str]) -> Ends:
        """From status and code of each."""
        delivered, failed = ends["success"], 0
        for end, count in ends.items():
            failed += count if end.startswith("failed provider.") and end not in OURS else 0
        return cls(delivered, failed, ends.total() - delivered - failed)


OURS = ("failed provider.timeout", "failed provider.empty")


@dataclass
class Figures:
    """Sums over results, added one by one."""

    seeds: int = 0
    headline: Headline = field(default_factory=lambda: Headline(0, 0, 0, 0))
    unknowable: int = 0  # results of which nobody told the application
    broken: int = 0  # promises
    struck: Counter[str] = field(default_factory=Counter)
    under: dict[str, Counter[str]] = field(default_factory=dict)  # by fault

    def add(self, result: Result) -> None:
        """One more seed."""
        self.seeds += 1
        self.headline = Headline(*map(sum, zip(self.headline, result.headline, strict=True)))
        self.unknowable += result.unknowable
        self.broken += len(result.violations)
        self.struck += result.struck
        ends = Ends.of(result.ends)
        sums = Counter(
            seeds=1,
            tasks=result.headline.tasks,
            broken=len(result.violations),
            **ends._asdict(),
        )
        for fault in result.plan.on:
            self.under.setdefault(fault, Counter()).update(sums)

    def of_headline(self, in_all: int | None = None) -> tuple[int, ...]:
        """The columns of HEADS; for so many tasks, where a number is given."""
        counts = (*self.headline, self.unknowable)
        if in_all is None:
            return counts
        return tuple(round(count * in_all / self.headline.tasks) for count in counts)

    def of_faults(self) -> Iterator[tuple[object, ...]]:
        """A row for each fault, as FAULT_HEADS names them."""
        for fault in ALL:
            sums = self.under.get(fault, Counter())
            struck = sum(count for name, count in self.struck.items() if _is(name, fault))
            columns = ("seeds", "tasks", "delivered", "failed", "given_up", "broken")
            yield fault, struck, *(sums[column] for column in columns)

    def of_points(self) -> Iterator[tuple[object, ...]]:
        """How often processes were ended, stopped and paused at each kind of call."""
        points = sorted({name.partition(" at ")[2] for name in self.struck if " at " in name})
        for point in points:
            yield point, *(self.struck[f"{fate} at {point}"] for fate in ("crash", "stop", "pause"))


def _is(name: str, fault: str) -> bool:
    return name == fault or name.startswith(f"{fault} at ")


def table(heads: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> str:
    """Markdown."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(_shown(cell) for cell in line)} |" for line in lines)


def _shown(cell: object) -> str:
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
