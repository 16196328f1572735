"""What becomes of a generation when KIE was asked how its task stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from core.generation.ending import give_up
from core.generation.model import Asset, Change, Channel, Code, Event, Generation, Status
from core.generation.schedule import (
    CANDIDATE_ASKS,
    CANDIDATE_PATIENCE,
    EMPTY_PATIENCE,
    GRACE,
    MEDIA_LIFETIME,
    Policy,
    announced_gap,
    is_news,
)
from core.kie.report import FAIL, SUCCESS, AskAnswer, AskFailed, Report

LATE_GAP_SECONDS = 3600.0
QUEUED_STATES = ("waiting", "queuing")


def after_ask(
    generation: Generation, answer: AskAnswer, channel: Channel, now: datetime, policy: Policy
) -> Change:
    """The generation after one answer of KIE about its task.

    Older news changes nothing, and only `state = fail` fails a generation on KIE's word.
    """
    asked = generation.evolve(attempts=generation.attempts + 1, asked_at=now)
    if isinstance(answer, AskFailed):
        return _ask_failed(asked, answer, now, policy)
    if _is_older_news(generation, answer):
        return _look_later(asked, now, policy)
    told = _told(asked, answer, now)
    if answer.state == FAIL:
        return _with_disagreement(generation, answer, _failed(told, answer, now))
    if answer.state == SUCCESS:
        return _with_disagreement(
            generation, answer, _succeeded(told, answer, channel, now, policy)
        )
    return _in_progress(generation, told, answer, now, policy)


def confirms_candidate(generation: Generation, report: Report) -> bool:
    """Whether KIE's own record agrees that a task named by a callback is this generation's."""
    return not report.has_callback_url or report.generation_id == generation.id


def candidate_confirmed(generation: Generation, task_id: str, now: datetime) -> Change:
    """The generation with the task id that a callback brought and KIE confirmed."""
    waits = generation.error_code == Code.SUBMIT_UNKNOWN and not generation.is_final
    adopted = generation.evolve(
        task_id=task_id,
        candidate_task_id=None,
        submitted_at=generation.submitted_at or now,
        error_code=None if waits else generation.error_code,
        error=None if waits else generation.error,
    )
    return Change(adopted, (Event("callback.task_adopted", {"task_id": task_id}),))


def candidate_refused(generation: Generation, why: str, now: datetime) -> Change:
    """The generation without the task id that a callback claimed for it."""
    event = Event("callback.task_refused", {"task_id": generation.candidate_task_id, "why": why})
    waiting = generation.evolve(
        candidate_task_id=None,
        announced_at=None,
        announced_state=None,
        due_at=now,
    )
    return Change(waiting, (event,))


def _is_older_news(generation: Generation, report: Report) -> bool:
    return generation.provider_state == SUCCESS and report.state not in (SUCCESS, FAIL)


def _told(generation: Generation, report: Report, now: datetime) -> Generation:
    new_step = report.state == SUCCESS and generation.provider_state != SUCCESS
    waited = not generation.is_final  # what it waited for is over: KIE has told
    return generation.evolve(
        provider_state=report.state,
        progress=report.progress if report.progress is not None else generation.progress,
        credits_consumed=report.credits_consumed or generation.credits_consumed,
        error_code=None if waited else generation.error_code,
        error=None if waited else generation.error,
        step_since=now if new_step else generation.step_since,
        attempts=1 if new_step else generation.attempts,
    )


def _in_progress(
    before: Generation, told: Generation, report: Report, now: datetime, policy: Policy
) -> Change:
    if told.status is Status.QUEUED and report.state not in QUEUED_STATES:
        told = told.evolve(status=Status.GENERATING)
    change = _look_later(told, now, policy)
    if before.provider_state == report.state:
        return change
    event = Event("provider.state", {"state": report.state, "progress": report.progress})
    return Change(change.generation, (event, *change.events))


def _look_later(generation: Generation, now: datetime, policy: Policy) -> Change:
    give_up_at = policy.give_up_at(generation.created_at)
    if now >= give_up_at or generation.gave_up:
        return _give_up_waiting(generation, now)
    gap = _gap(generation, now, policy)
    return Change(generation.evolve(due_at=min(now + gap, give_up_at)))


def _give_up_waiting(generation: Generation, now: datetime) -> Change:
    if generation.task_id is None:
        why = "a callback named a task, but KIE could not be asked whether it is this one's"
        return give_up(generation, Code.SUBMIT_UNKNOWN, why, now)
    why = f"KIE still said {generation.provider_state!r} at the give-up time"
    return give_up(generation, Code.PROVIDER_TIMEOUT, why, now)


def _gap(generation: Generation, now: datetime, policy: Policy) -> timedelta:
    if generation.announced_state is not None or generation.provider_state == SUCCESS:
        return announced_gap(generation.attempts, policy.max_gap_seconds)
    age = now - (generation.submitted_at or generation.created_at)
    return policy.look_gap(generation.kind, generation.attempts, age)


def _ask_failed(generation: Generation, failed: AskFailed, now: datetime, policy: Policy) -> Change:
    since = generation.submitted_at or generation.announced_at or generation.submit_started_at
    fresh = now - (since or generation.created_at) < GRACE
    if failed.code == "kie.unknown_task" and fresh:
        return Change(generation.evolve(due_at=now + announced_gap(generation.attempts, 10)))
    if generation.task_id is None and failed.code == "kie.unknown_task":
        if not _may_turn_up(generation, now):
            return candidate_refused(generation, "KIE does not know it", now)
        gap = announced_gap(generation.attempts, policy.max_gap_seconds)
        return Change(generation.evolve(due_at=now + gap))
    news = is_news(generation.attempts) or failed.code != generation.error_code
    event = Event("ask.failed", {"code": failed.code, "why": failed.message}, kept=news)
    if not generation.gave_up:
        generation = generation.evolve(error_code=failed.code, error=failed.message)
    later = _look_later(generation, now, policy)
    return Change(
        _again_after(failed, generation, later.generation, now, policy), (event, *later.events)
    )


def _again_after(
    failed: AskFailed, before: Generation, later: Generation, now: datetime, policy: Policy
) -> Generation:
    """The generation to be looked at again sooner than if KIE had told something."""
    if later.due_at is None:
        return later
    gap = later.due_at - now
    if before.gave_up:  # these looks are hours apart
        return later.evolve(due_at=now + min(gap, announced_gap(before.attempts, LATE_GAP_SECONDS)))
    if later.is_final:
        return later
    wait = failed.retry_after or policy.dice() * gap.total_seconds()
    return later.evolve(due_at=now + timedelta(seconds=min(max(wait, 1.0), policy.max_gap_seconds)))


def _may_turn_up(generation: Generation, now: datetime) -> bool:
    """Whether to ask again about a task that only a callback has named; no submission waits."""
    if generation.announced_at is None or generation.submit_started_at is None:
        return False
    is_recent = now - generation.announced_at < CANDIDATE_PATIENCE
    return is_recent or generation.attempts < CANDIDATE_ASKS


def _failed(generation: Generation, report: Report, now: datetime) -> Change:
    words = [word for word in (report.fail_code, report.fail_message) if word]
    failed = generation.evolve(
        status=Status.FAILED,
        error_code=Code.PROVIDER_FAILED,
        error=": ".join(words) or "KIE gave no reason",
        provider_completed_at=min(report.completed_at or now, now),
        gave_up_at=None,
        due_at=None,
    )
    return Change(failed, (Event("provider.failed", {"why": failed.error}),))


def _succeeded(
    generation: Generation, report: Report, channel: Channel, now: datetime, policy: Policy
) -> Change:
    if not report.files and report.result_object is None:
        return _empty(generation, now, policy)
    completed_at = min(report.completed_at or now, now)
    announced = generation.announced_at is not None
    ready = generation.evolve(
        status=generation.status if generation.is_final else Status.GENERATING,
        result_urls=tuple(file.url for file in report.files if file.role == "main"),
        result_object=report.result_object,
        assets=_refreshed(generation, report),
        provider_completed_at=completed_at,
        expires_at=completed_at + MEDIA_LIFETIME,
        delivered_via=generation.delivered_via or (Channel.CALLBACK if announced else channel),
        kind=generation.kind or (None if report.files else "text"),
        attempts=0,
        step_since=now,
        due_at=now,
    )
    if ready.wanted is None:  # given up for a file that KIE names no more
        return _look_later(generation, now, policy)
    detail = {"files": len(ready.assets), "via": ready.delivered_via}
    return Change(ready, (Event("provider.success", detail),))


def _empty(generation: Generation, now: datetime, policy: Policy) -> Change:
    since = generation.step_since or now
    if generation.gave_up or now - since >= EMPTY_PATIENCE:
        why = "KIE says success, but names no file"
        return give_up(generation, Code.PROVIDER_EMPTY, why, now)
    gap = announced_gap(generation.attempts, 60)
    waiting = generation.evolve(
        status=Status.GENERATING, due_at=min(now + gap, since + EMPTY_PATIENCE)
    )
    event = Event("provider.empty", {"asked": generation.attempts})
    return Change(waiting, (event,) if generation.attempts == 1 else ())


def _refreshed(generation: Generation, report: Report) -> tuple[Asset, ...]:
    """What KIE made as assets: what is stored stays, what is not gets its newest address."""
    known = {asset.position: asset for asset in generation.assets}
    for fresh in _named(report):
        asset = known.get(fresh.position, fresh)
        if asset.stored_at is None:
            known[fresh.position] = replace(
                fresh,
                path=asset.path,
                content_type=asset.content_type,
                size_bytes=asset.size_bytes,
                sha256=asset.sha256,
            )
    return tuple(known[position] for position in sorted(known))


def _named(report: Report) -> list[Asset]:
    named = [
        Asset(position=position, role=file.role, source_url=file.url)
        for position, file in enumerate(report.files)
    ]
    if report.result_object is not None:
        role = "object" if named else "main"
        named.append(Asset(position=len(named), role=role))
    return named


def _with_disagreement(before: Generation, report: Report, change: Change) -> Change:
    claimed = before.announced_state
    if claimed is None or claimed == report.state or before.is_final:
        return change
    event = Event("callback.disagrees", {"callback": claimed, "kie": report.state})
    return Change(change.generation, (*change.events, event))
