"""What becomes of a generation when KIE was asked to make it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never

from core.generation.model import Change, Event, Generation, Status
from core.generation.schedule import Policy, is_news
from core.generation.steps import submission_unknown
from core.kie.report import Accepted, CreateAnswer, NotNow, Refused, Unknown

RETRY_WITHIN_SECONDS = 60.0
FIRST_ASK = timedelta(seconds=2)


def before_submit(generation: Generation, now: datetime) -> Change:
    """The generation as it has to be saved before KIE hears of it."""
    started = generation.evolve(submit_started_at=now, error_code=None, error=None)
    return Change(started, (Event("submit.started"),))


def after_no_slot(generation: Generation, free_at: datetime) -> Change:
    """The generation waiting for the rate limit, which lets it in at `free_at` at the earliest."""
    why = "20 tasks were created in the last 10 s, which is KIE's limit; it is next in line"
    waiting = generation.evolve(error_code="submit.rate_limited", error=why, due_at=free_at)
    if generation.error_code == "submit.rate_limited":
        return Change(waiting)
    return Change(waiting, (Event("submit.rate_limited"),))


def after_submit(
    generation: Generation, answer: CreateAnswer, now: datetime, policy: Policy
) -> Change:
    """The generation after KIE's answer to createTask, or after there was none."""
    match answer:
        case Accepted(task_id):
            return _accepted(generation, task_id, now, policy)
        case NotNow(code, message, retry_after):
            return _not_now(generation, code, message, retry_after, now, policy)
        case Refused(kie_code, message) if generation.sent_again_at is not None:
            why = f"KIE refused to make it again ({kie_code}): {message}"
            return submission_unknown(generation, why, now, policy)
        case Refused(kie_code, message):
            return _refused(generation, kie_code, message)
        case Unknown(message, task_id):
            unknown = submission_unknown(generation, message, now, policy)
            return unknown if task_id is None else _with_candidate(unknown, task_id, now)
        case _:
            assert_never(answer)


def _accepted(generation: Generation, task_id: str, now: datetime, policy: Policy) -> Change:
    submitted = generation.evolve(
        task_id=task_id,
        candidate_task_id=None,
        submitted_at=now,
        error_code=None,
        error=None,
        attempts=0,
        step_since=now,
        due_at=now + policy.first_look(generation.kind),
    )
    return Change(submitted, (Event("submit.accepted", {"task_id": task_id}),))


def _with_candidate(unknown: Change, task_id: str, now: datetime) -> Change:
    """KIE named a task in an answer that is no acceptance: ask it whether the task exists."""
    named = unknown.generation.evolve(
        candidate_task_id=task_id, announced_at=now, due_at=now + FIRST_ASK
    )
    return Change(named, unknown.events)


def _not_now(
    generation: Generation,
    code: str,
    message: str,
    retry_after: float | None,
    now: datetime,
    policy: Policy,
) -> Change:
    attempts = generation.attempts + 1
    gap = min(policy.retry_gap(attempts, start=4.0), timedelta(seconds=RETRY_WITHIN_SECONDS))
    if retry_after is not None:
        gap = timedelta(seconds=min(max(retry_after, 0.5), RETRY_WITHIN_SECONDS))
    waiting = generation.evolve(
        submit_started_at=None,  # proof that KIE made nothing: it may be sent again
        error_code=code,
        error=message,
        attempts=attempts,
        due_at=now + gap,
    )
    event = Event("submit.not_now", {"code": code, "why": message}, kept=is_news(attempts))
    return Change(waiting, (event,))


def _refused(generation: Generation, kie_code: int, message: str) -> Change:
    failed = generation.evolve(
        status=Status.FAILED,
        error_code=f"provider.{kie_code}",
        error=message,
        due_at=None,
    )
    return Change(failed, (Event("submit.refused", {"code": kie_code, "why": message}),))
