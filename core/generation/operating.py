"""What becomes of a generation on an operator's word. Each refuses what would do no good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import AppError
from core.generation.ending import give_up
from core.generation.model import Change, Code, Event, Generation, Status
from core.generation.schedule import Policy


class ActRefusedError(AppError):
    """An operator's act that would change nothing, or harm; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """On whose word, and what it was part of: kept with the event of every act."""

    by: str
    selection: str = "this generation"  # in words: which ones were chosen
    of: int = 1  # how many

    @property
    def detail(self) -> dict[str, Any]:
        """As it stands in an event."""
        return {"by": self.by, "selection": self.selection, "of": self.of}


def looked_again(generation: Generation, order: Order, now: datetime) -> Change:
    """The generation due now. Costs nothing: what has been submitted is not submitted again."""
    _refuse_final(generation, "there is nothing left to look for")
    if _is_unknown(generation):
        raise ActRefusedError("KIE has named no task to ask about: attach a task id")
    event = Event("operator.looked_again", order.detail)
    return Change(generation.evolve(due_at=now), (event,))


def given_up(generation: Generation, why: str, order: Order, now: datetime) -> Change:
    """The generation `failed` by an operator; `success` after all if its file turns up."""
    _refuse_final(generation, "it cannot be given up")
    if generation.gave_up:
        raise ActRefusedError("it is given up already")
    event = Event("operator.gave_up", {**order.detail, "why": why})
    ended, events = give_up(generation, Code.OPERATOR_GAVE_UP, why, now)
    return Change(ended, (event, *events))


def task_attached(generation: Generation, task_id: str, order: Order, now: datetime) -> Change:
    """The generation with a task id to be confirmed by KIE, which is asked about it now."""
    _refuse_final(generation, "it needs no task id")
    if generation.task_id is not None:
        raise ActRefusedError(f"it has a task id already: {generation.task_id}")
    if generation.candidate_task_id is not None:
        raise ActRefusedError("KIE is being asked about another task id: wait until it has told")
    if generation.submit_started_at is None and generation.sent_again_at is None:
        raise ActRefusedError("it was never sent to KIE, so there is no task of it")
    event = Event("operator.attached", {**order.detail, "task_id": task_id})
    return Change(generation.evolve(candidate_task_id=task_id, due_at=now), (event,))


def sent_again(
    generation: Generation, seen: datetime | None, order: Order, now: datetime, policy: Policy
) -> Change:
    """The generation to be submitted once more, although KIE may have made a task of it already.

    This is the one way to pay twice, and only an operator's. `seen`: when the submission was
    started that the operator decided about.
    """
    _refuse_final(generation, "it needs no second task")
    if generation.gave_up or not _is_unknown(generation):
        raise ActRefusedError("only what KIE may or may not have taken can be sent again")
    if generation.submit_started_at != seen:
        raise ActRefusedError("it was sent again meanwhile")
    if now >= policy.give_up_at(generation.created_at):
        raise ActRefusedError("it is too old to be sent again: create a new generation")
    event = Event("operator.sent_again", order.detail)
    anew = generation.evolve(
        submit_started_at=None,
        sent_again_at=now,
        error_code=None,
        error=None,
        attempts=0,
        due_at=now,
    )
    return Change(anew, (event,))


def _is_unknown(generation: Generation) -> bool:
    """Whether KIE may or may not have made a task, and none is known."""
    named = generation.task_id or generation.candidate_task_id
    return generation.submit_started_at is not None and named is None


def _refuse_final(generation: Generation, therefore: str) -> None:
    if generation.status is Status.SUCCESS:
        raise ActRefusedError(f"it is delivered: {therefore}")
    if generation.is_final and not generation.gave_up:
        raise ActRefusedError(f"it failed at KIE, which is final: {therefore}")
