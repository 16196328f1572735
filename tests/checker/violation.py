"""A broken promise."""

from __future__ import annotations

from typing import NamedTuple


class Violation(NamedTuple):
    """Which of the invariants is broken, of what, and how."""

    invariant: str  # I1 ... I10
    subject: str  # a generation, a task, an object, or what the words are about
    words: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.words}"
