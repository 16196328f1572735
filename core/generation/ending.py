"""How a generation ends on our own account, and is looked at again."""

from __future__ import annotations

from datetime import datetime

from core.generation.model import Change, Code, Event, Generation, Status
from core.generation.schedule import look_again_at


def give_up(generation: Generation, code: Code, why: str, now: datetime) -> Change:
    """The generation `failed` by our own end; asked about again where a task id is known.

    A generation that had been given up before stays as it was and waits for its next look.
    """
    if generation.gave_up:
        return Change(generation.evolve(due_at=_next_look(generation, now)))
    given_up = generation.evolve(
        status=Status.FAILED, error_code=code, error=why, gave_up_at=now, attempts=0
    )
    due_at = _next_look(given_up, now)
    detail = {"code": code, "why": why, "next_look": due_at.isoformat() if due_at else None}
    return Change(given_up.evolve(due_at=due_at), (Event("generation.gave_up", detail),))


def _next_look(generation: Generation, now: datetime) -> datetime | None:
    named = generation.task_id or generation.candidate_task_id
    if named is None or generation.gave_up_at is None:
        return None
    return look_again_at(generation.created_at, generation.gave_up_at, now)
