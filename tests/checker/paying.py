"""What was asked of KIE, how fast, and what it cost: I1, I7, I9."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tests.checker.books import Call
from tests.checker.database import Row
from tests.checker.evidence import Evidence
from tests.checker.violation import Violation

#: After these answers of KIE there certainly is no task, and the same request may be sent again.
NOT_NOW = (429, 430, 455, 550)
RATE_LIMITED = (429, 430)
MOST_GRANTS, WINDOW_SECONDS = 20, 10.0
#: Credits are kept with six digits.
LEAST_CREDITS = 1e-6


def one_create_per_intent(evidence: Evidence) -> Iterator[Violation]:
    """I1: after a create that may have made a task no other is sent, unless an operator said so."""
    for generation_id, calls in evidence.books.calls.items():
        again = [later for first, later in pairwise(calls) if first.code not in NOT_NOW]
        if len(again) > orders(evidence, generation_id):
            words = f"sent to KIE once more (call {again[-1].number}) after {_said(calls)}"
            yield Violation("I1", generation_id, words)
    for column in ("idempotency_key", "task_id"):
        for value, count in Counter(row[column] for row in evidence.generations).items():
            if value is not None and count > 1:
                yield Violation("I1", value, f"{count} generations have this {column}")


def orders(evidence: Evidence, generation_id: str) -> int:
    """How often an operator had it sent again; the row still says so where the timeline is gone."""
    row = evidence.by_id.get(generation_id)
    if row is None or row["sent_again_at"] is None:
        return 0
    return max(1, len(evidence.told(row, "operator.sent_again")))


def _said(calls: Sequence[Call]) -> str:
    return ", ".join("a task" if call.code is None else str(call.code) for call in calls[:-1])


def grants_within_the_limit(evidence: Evidence) -> Iterator[Violation]:
    """I7: never more than 20 grants in any 10 s of true time."""
    if evidence.grants is None:
        return
    refusals = sum(code in RATE_LIMITED for code in evidence.books.refusals)
    times = sorted(_without_closings(_in_true_time(evidence.grants), refusals))
    for first, last in zip(times, times[MOST_GRANTS:], strict=False):
        if last - first < WINDOW_SECONDS:
            words = f"{MOST_GRANTS + 1} grants within {last - first:.3f} s"
            yield Violation("I7", f"{first:.3f}", words)


def _in_true_time(grants: Sequence[Row]) -> list[tuple[int, float]]:
    """Slot and time of each."""
    ahead, found = 0.0, []
    for row in grants:
        if row["slot"] is None:
            ahead = row["ahead_seconds"]
        else:
            found.append((row["slot"], row["granted_at"] - ahead))
    return found


def _without_closings(written: list[tuple[int, float]], refusals: int) -> Iterator[float]:
    """The times of what was granted.

    When KIE says 429 all slots are written at once, which grants nothing: there is no more of
    this than KIE has said so.
    """
    at = 0
    while at < len(written):
        block = written[at : at + MOST_GRANTS]
        slots, times = ({one[part] for one in block} for part in (0, 1))
        if refusals and len(slots) == MOST_GRANTS and len(times) == 1:
            refusals -= 1
            at += MOST_GRANTS
        else:
            yield written[at][1]
            at += 1


def credits_as_charged(evidence: Evidence) -> Iterator[Violation]:
    """I9: what a generation is said to have cost is what KIE kept for it.

    Each row on its own, from which it follows that the sums are equal. None is right where KIE
    has not told, and for what cost nothing.
    """
    for row in evidence.generations:
        task = evidence.task_of(row)
        if task is None:
            continue
        kept = task.charged - task.refunded(evidence.horizon)
        said = row["credits_consumed"]
        is_told = row["status"] == "success" or row["error_code"] == "provider.failed"
        if (said is not None or is_told) and abs(float(said or 0) - kept) > LEAST_CREDITS:
            words = f"{said} credits, of which KIE kept {kept:g}"
            yield Violation("I9", row["id"], words)
