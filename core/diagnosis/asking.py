"""Findings about a task that KIE has: how it stands, and whether KIE can be asked."""

from __future__ import annotations

from core.diagnosis.model import Facts, Finding, Severity, Verdict, found
from core.diagnosis.remedies import ASKING
from core.diagnosis.words import happened, next_look, quoted, span, sync
from core.generation.asking import QUEUED_STATES
from core.generation.schedule import EMPTY_PATIENCE, GRACE
from core.kie.report import FAIL, SUCCESS, AskFailed

#: What docs.kie.ai gives as usual.
USUAL = {
    "image": "An image usually takes 10 to 60 s.",
    "video": "A video usually takes 1 to 5 min.",
    "audio": "Speech usually takes seconds, music 1 to 3 min.",
    "text": "A text usually takes less than a minute.",
}
UNKNOWN_TASK = "kie.unknown_task"


def waiting_at_kie(facts: Facts) -> Finding | None:
    """KIE has not finished."""
    generation = facts.generation
    if not facts.is_open or generation.task_id is None:
        return None
    if facts.generation.provider_state == SUCCESS or facts.kie_state in (SUCCESS, FAIL):
        return None
    return found(
        Verdict.WAITING_AT_KIE,
        Severity.INFO,
        _standing(facts),
        [
            happened("Submitted", generation.submitted_at, facts.now),
            _last_word(facts),
            USUAL.get(generation.kind or ""),
            next_look(facts),
        ],
        [
            sync(facts),
            "Stuck in KIE's queue, it may have an input URL that KIE cannot open: try each without"
            " logging in."
            if facts.is_stuck and facts.kie_state in QUEUED_STATES
            else None,
        ],
    )


def no_files_yet(facts: Facts) -> Finding | None:
    """KIE says success, and names no file."""
    generation = facts.generation
    if not facts.is_open or generation.provider_state != SUCCESS or generation.assets:
        return None
    since = generation.step_since
    return found(
        Verdict.NO_FILES_YET,
        Severity.WARNING,
        "KIE says that the task succeeded, but names no file.",
        [happened("First said so", since, facts.now), next_look(facts)],
        [
            f"Nothing yet: KIE is asked again for {span(EMPTY_PATIENCE)}, then it is given up as"
            " provider.empty.",
            sync(facts),
        ],
    )


def kie_cannot_be_asked(facts: Facts) -> Finding | None:
    """KIE does not tell how a task stands that we still have to know about."""
    failed = _failed_ask(facts)
    if failed is None or failed.code == UNKNOWN_TASK:
        return None
    severity, remedy = ASKING.get(failed.code, ASKING["kie.refused"])
    return found(
        Verdict.KIE_CANNOT_BE_ASKED,
        severity if facts.is_open else Severity.INFO,
        f"How the task stands cannot be learnt now: {remedy.meaning}.",
        [
            f"Code {failed.code}.",
            quoted(facts, "KIE's words, or what went wrong", failed.message),
            happened("Last asked", facts.generation.asked_at, facts.now),
            next_look(facts),
        ],
        [remedy.action, "It is asked about again by itself; a failed ask fails nothing."],
    )


def kie_unknown_task(facts: Facts) -> Finding | None:
    """KIE says that there is no such task."""
    failed = _failed_ask(facts)
    if failed is None or failed.code != UNKNOWN_TASK:
        return None
    generation = facts.generation
    since = generation.submitted_at or generation.created_at
    fresh = facts.now - since < GRACE
    return found(
        Verdict.KIE_UNKNOWN_TASK,
        Severity.INFO if fresh or not facts.is_open else Severity.WARNING,
        "KIE does not know the task yet, which is usual just after its creation."
        if fresh
        else "KIE does not know the task.",
        [
            f"Task {generation.task_id or generation.candidate_task_id}.",
            happened("Submitted", generation.submitted_at, facts.now),
            quoted(facts, "KIE's words", failed.message),
            next_look(facts),
        ],
        [
            f"Nothing, within {span(GRACE)} after its creation."
            if fresh
            else "Check that KIE_API_KEY and KIE_BASE_URL are those with which it was created: to"
            " another account a task is unknown. KIE forgets tasks after 14 days.",
        ],
    )


def behind_kie(facts: Facts) -> Finding | None:
    """KIE has ended the task, and our row does not know yet."""
    generation, report = facts.generation, facts.report
    if report is None or report.state not in (SUCCESS, FAIL):
        return None
    if not (facts.is_open or generation.gave_up):
        return None
    if facts.is_open and generation.provider_state == report.state:
        return None
    return found(
        Verdict.BEHIND_KIE,
        Severity.WARNING,
        f"KIE says {report.state} now; our record says {generation.status}.",
        [
            happened("KIE finished", report.completed_at, facts.now),
            _last_heard(facts),
            next_look(facts),
        ],
        [f"Bring the record up to date: `GET /api/kie/sync?id={generation.id}`."],
    )


def kie_contradicts(facts: Facts) -> Finding | None:
    """KIE says otherwise than it did when the generation ended."""
    generation, report = facts.generation, facts.report
    if report is None or facts.is_open or generation.gave_up:
        return None
    ended_as = SUCCESS if generation.status == "success" else FAIL
    if report.state == ended_as:
        return None
    return found(
        Verdict.KIE_CONTRADICTS,
        Severity.WARNING,
        f"Our record ended as {generation.status}, but KIE says {report.state} now.",
        [happened("Our record last changed", generation.updated_at, facts.now)],
        ["Nothing changes by itself: what has ended stays. Look the task up in KIE's own log."],
    )


def _failed_ask(facts: Facts) -> AskFailed | None:
    """Why KIE could not be asked, just now or at our last try; None where it does not matter."""
    generation = facts.generation
    if generation.is_final and not generation.gave_up:
        return None
    if facts.kie is not None or generation.task_id is None:
        return facts.ask_failed
    code = generation.error_code or ""
    return AskFailed(code, generation.error or "") if code.startswith("kie.") else None


def _standing(facts: Facts) -> str:
    state = facts.kie_state
    if state is None:
        return "KIE has accepted the task and has not said yet how it stands."
    if state in QUEUED_STATES:
        return f"The task waits in KIE's queue ({state})."
    return f"KIE is working on the task ({state})."


def _last_word(facts: Facts) -> str | None:
    progress = facts.report.progress if facts.report else facts.generation.progress
    percent = f", {progress} %" if progress is not None else ""
    if facts.report:
        return f"KIE said {facts.report.state}{percent} just now."
    return _last_heard(facts, percent)


def _last_heard(facts: Facts, more: str = "") -> str | None:
    generation = facts.generation
    if generation.asked_at is None:
        return "KIE has not been asked yet."
    said = generation.provider_state or "nothing"
    return happened(f"KIE said {said}{more} when last asked", generation.asked_at, facts.now)
