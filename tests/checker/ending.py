"""How generations end, and that they do: I5, I10."""

from __future__ import annotations

from collections.abc import Iterator

from tests.checker.database import Row
from tests.checker.evidence import Evidence
from tests.checker.violation import Violation

FINAL = ("success", "failed")
#: Ends that are not KIE's: only these may turn into success.
GIVING_UP = (
    "submit.unknown",
    "provider.timeout",
    "provider.empty",
    "media.gone",
    "media.invalid",
    "media.too_large",
    "media.refused",
    "operator.gave_up",
)


def ends_stay(evidence: Evidence) -> Iterator[Violation]:
    """I5: a success stays, a failure of KIE's stays, and what was given up ends no other way."""
    for change in evidence.status_changes or ():
        if not _may_change(change):
            old, new = (_state(change, when) for when in ("old", "new"))
            yield Violation("I5", change["generation_id"], f"{old} became {new}")
    for row in evidence.generations:
        times = len(evidence.told(row, "generation.delivered"))
        if times > 1:
            yield Violation("I5", row["id"], f"delivered {times} times")


def _state(change: Row, when: str) -> str:
    return f"{change[f'{when}_status']} ({change[f'{when}_error_code']})"


def _may_change(change: Row) -> bool:
    if change["old_status"] == "success":
        return False
    if change["old_status"] == "failed":
        return change["old_error_code"] in GIVING_UP and change["new_status"] in FINAL
    return True


def nothing_is_left(evidence: Evidence) -> Iterator[Violation]:
    """I10: all has ended and is let go of, or is on the stuck list for a reason that is true."""
    if evidence.stuck is None:
        return
    for row in evidence.generations:
        if row["status"] in FINAL:
            if row["lease_token"] is not None:
                yield Violation("I10", row["id"], f"{row['status']}, and still held")
            continue
        reason = evidence.stuck.get(row["id"])
        if reason is None:
            yield Violation("I10", row["id"], f"{row['status']}, and not on the stuck list")
        elif reason not in evidence.true_causes:
            yield Violation("I10", row["id"], f"stuck for {reason}, which is not true")
