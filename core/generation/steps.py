"""What is to be done next for a generation that is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.generation.ending import give_up
from core.generation.model import Asset, Change, Code, Event, Generation
from core.generation.schedule import Policy


@dataclass(frozen=True, slots=True)
class Submit:
    """Ask KIE to make it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask KIE how this task stands."""

    task_id: str


@dataclass(frozen=True, slots=True)
class StoreFile:
    """Copy this file to permanent storage."""

    asset: Asset


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove its files, then all that is known of it."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do now: leave the generation as the change says."""

    change: Change


NEVER_KNOWN = "it never became known whether KIE made a task; none announced itself"

Step = Submit | Ask | StoreFile | Delete | Rest


def next_step(generation: Generation, now: datetime, policy: Policy) -> Step:
    """The one thing to do now for a generation that is due."""
    if generation.delete_requested_at is not None:
        return Delete()
    if generation.is_final and not generation.gave_up and generation.wanted is None:
        return Rest(Change(generation.evolve(due_at=None)))
    if generation.wanted is not None:
        return StoreFile(generation.wanted)
    if generation.task_id is not None:
        return Ask(generation.task_id)
    if generation.candidate_task_id is not None:
        return Ask(generation.candidate_task_id)
    if generation.gave_up:
        return Rest(Change(generation.evolve(due_at=None)))
    return _unsubmitted(generation, now, policy)


def _unsubmitted(generation: Generation, now: datetime, policy: Policy) -> Step:
    give_up_at = policy.give_up_at(generation.created_at)
    if generation.submit_started_at is None:
        if now < give_up_at:
            return Submit()
        if generation.sent_again_at is not None:
            return Rest(give_up(generation, Code.SUBMIT_UNKNOWN, NEVER_KNOWN, now))
        why = "KIE did not take the task in time; it was never created"
        return Rest(give_up(generation, Code.PROVIDER_TIMEOUT, why, now))
    if now >= give_up_at:
        return Rest(give_up(generation, Code.SUBMIT_UNKNOWN, NEVER_KNOWN, now))
    return Rest(submission_unknown(generation, "the process ended in between", now, policy))


def submission_unknown(generation: Generation, why: str, now: datetime, policy: Policy) -> Change:
    """The generation waiting for news of a task that KIE may or may not have made.

    It is never sent again by itself: that could pay twice.
    """
    waiting = generation.evolve(
        error_code=Code.SUBMIT_UNKNOWN,
        error=f"KIE may or may not have made a task: {why}",
        due_at=policy.give_up_at(generation.created_at),
    )
    if generation.error_code == Code.SUBMIT_UNKNOWN:
        return Change(waiting)
    return Change(waiting, (Event("submit.unknown", {"why": why}),))
