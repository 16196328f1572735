"""How a generation is deleted: on record first, so that whoever comes next finishes it."""

from __future__ import annotations

from datetime import datetime

from core.errors import StorageError
from core.generation.model import Change, Event, Generation
from core.generation.schedule import Policy, is_news


def deletion_begun(generation: Generation, now: datetime) -> Change:
    """The generation as it has to be saved before its first file goes."""
    begun = generation.evolve(delete_requested_at=now, attempts=0)
    return Change(begun, (Event("deletion.begun"),))


def deletion_put_off(
    generation: Generation, error: StorageError, now: datetime, policy: Policy
) -> Change:
    """The generation whose files cannot be removed now: tried again without end."""
    attempts = generation.attempts + 1
    due_at = now + policy.retry_gap(attempts)
    detail = {"code": error.code, "why": str(error), "attempt": attempts}
    event = Event("deletion.retry", detail, kept=is_news(attempts))
    return Change(generation.evolve(attempts=attempts, due_at=due_at), (event,))
