"""When an open page has to be shown anew, and when it may hurry KIE's next look. Pure."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta

from core.generation.model import Code, Generation
from core.generation.schedule import CRASHES_SET_ASIDE
from core.store.stuck import Usual

REFRESH_SECONDS = 3
HURRIED_AT_MOST_EVERY = timedelta(seconds=15)


def landmark(generation: Generation) -> Hashable:
    """What, when it changes, changes which parts the page has."""
    stored = sum(asset.stored_at is not None for asset in generation.assets)
    is_unknown = generation.error_code == Code.SUBMIT_UNKNOWN
    return generation.status, generation.task_id, is_unknown, stored


def may_be_hurried(generation: Generation, now: datetime) -> bool:
    """Whether KIE's next look may be brought forward because somebody is watching.

    Never a retry of storing, never what is set aside, nothing that is due or held anyway, and not
    where KIE could not be asked: it may have said how long to wait.
    """
    if generation.is_final or generation.task_id is None or generation.wanted is not None:
        return False
    if (generation.error_code or "").startswith("kie."):
        return False
    if generation.lease_until is not None or generation.crashes >= CRASHES_SET_ASIDE:
        return False
    last = generation.asked_at or generation.submitted_at or generation.created_at
    waits = generation.due_at is not None and generation.due_at > now
    return waits and last <= now - HURRIED_AT_MOST_EVERY


def with_kie_for(generation: Generation, now: datetime) -> timedelta | None:
    """How long KIE has been making it; None: it has not begun, or is done."""
    if generation.submitted_at is None or generation.provider_completed_at is not None:
        return None
    return now - generation.submitted_at


def share_of_usual(elapsed: timedelta, usual: Usual | None) -> float:
    """How much of what 99 % of its model need has passed, up to 1; 0 where that is not known."""
    if usual is None or usual.p99_ms <= 0:
        return 0.0
    return min(1.0, elapsed / timedelta(milliseconds=usual.p99_ms))
