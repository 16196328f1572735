"""Our own processes."""

from __future__ import annotations

from datetime import timedelta

from core.checks.model import CheckState, Look, Outcome, Surroundings
from core.diagnosis.words import span, when
from core.store.queries import Queries

STALE_AFTER = timedelta(seconds=30)  # of a process that beats every 5 s


def heartbeat(process: str, module: str) -> Look:
    """The check whether a process of that name has said lately that it lives."""
    remedy = f"Start it: `python -m {module}`. If it runs, read its log."

    def look(around: Surroundings) -> Outcome:
        beat_at = Queries(around.database).beat_at(process)
        if beat_at is None:
            return Outcome(CheckState.FAILED, "never started", remedy)
        now = around.now()
        if now - beat_at > STALE_AFTER:
            return Outcome(CheckState.FAILED, f"silent for {span(now - beat_at)}", remedy)
        return Outcome(CheckState.OK, f"last heartbeat {when(beat_at, now)}")

    return look
