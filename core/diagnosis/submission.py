"""Findings about a generation that KIE has not accepted yet, or not as far as we know."""

from __future__ import annotations

from core.diagnosis.model import Facts, Finding, Severity, Verdict, found
from core.diagnosis.words import happened, next_look, quoted, span, sync, when
from core.generation.model import Code

WHY_NOT_SUBMITTED = {
    None: "it was just created",
    "submit.rate_limited": "KIE allows 20 new tasks in 10 s, and it waits for its turn",
    "kie.rate_limited": "KIE refused it for now: too many requests",
    "kie.unavailable": "KIE refused it for now: maintenance or a full queue",
    "kie.unreachable": "no connection to KIE could be made",
}


def not_submitted(facts: Facts) -> Finding | None:
    """KIE has not heard of it, which is certain."""
    generation = facts.generation
    if not _without_task(facts) or generation.submit_started_at is not None:
        return None
    why = WHY_NOT_SUBMITTED.get(generation.error_code, f"of {generation.error_code}")
    unreachable = generation.error_code == "kie.unreachable"
    return found(
        Verdict.NOT_SUBMITTED,
        Severity.WARNING if unreachable else Severity.INFO,
        f"Not submitted to KIE yet: {why}.",
        [
            happened("Created", generation.created_at, facts.now),
            f"Tried {generation.attempts} times." if generation.attempts else None,
            quoted(facts, "Reason", generation.error),
            next_look(facts),
        ],
        [
            "Check KIE_BASE_URL and this machine's way out to it." if unreachable else None,
            "Do not create it again, that would pay twice: it is submitted by itself.",
        ],
    )


def submitting(facts: Facts) -> Finding | None:
    """The request to KIE is under way."""
    generation = facts.generation
    unknown = generation.error_code == Code.SUBMIT_UNKNOWN
    if not _may_be_known(facts) or not facts.is_held or unknown:
        return None
    return found(
        Verdict.SUBMITTING,
        Severity.INFO,
        "It is being submitted to KIE right now, which may take two minutes.",
        [happened("Begun", generation.submit_started_at, facts.now)],
        ["Wait. Do not create it again: that would pay twice."],
    )


def submit_unknown(facts: Facts) -> Finding | None:
    """Nobody can say whether KIE has made a task."""
    generation = facts.generation
    if not _may_be_known(facts) or submitting(facts) is not None:
        return None
    left = facts.give_up_after - (facts.now - generation.created_at)
    return found(
        Verdict.SUBMIT_UNKNOWN,
        Severity.WARNING,
        "Nobody knows whether KIE made a task: the answer to createTask never came.",
        [
            happened("Sent to KIE", generation.submit_started_at, facts.now),
            quoted(facts, "Reason", generation.error),
            f"Given up in {span(left)}, if nothing is heard." if left.total_seconds() > 0 else None,
        ],
        [
            "Wait for the callback: it carries this generation's id and settles the matter.",
            "Look for the task in KIE's own log; if it is there, it was paid for.",
            "Do not create it again unless you accept that it may be paid twice.",
        ],
    )


def task_id_unconfirmed(facts: Facts) -> Finding | None:
    """A callback named a task that KIE has yet to confirm."""
    generation = facts.generation
    if generation.task_id is not None or generation.candidate_task_id is None:
        return None
    return found(
        Verdict.TASK_ID_UNCONFIRMED,
        Severity.INFO,
        "A callback named the task of this generation; KIE is asked before it is believed.",
        [
            f"Task named by the callback: {generation.candidate_task_id}.",
            happened("Named", generation.announced_at, facts.now),
            quoted(facts, "Last problem", generation.error),
            next_look(facts),
        ],
        [sync(facts)],
    )


def task_id_conflict(facts: Facts) -> Finding | None:
    """KIE gave a task id that does not fit what is known."""
    conflicts = facts.events_named("task_id.conflict")
    if not conflicts:
        return None
    return found(
        Verdict.TASK_ID_CONFLICT,
        Severity.WARNING,
        "KIE gave two task ids for this generation, or one that another generation has.",
        [
            f"{_conflict(row.get('detail'))} ({when(row['at'], facts.now)})."
            for row in conflicts
            if row.get("at")
        ],
        [
            "Look up these tasks in KIE's own log: one of them may have been paid for without"
            " being delivered.",
        ],
    )


def _conflict(detail: object) -> str:
    told = detail if isinstance(detail, dict) else {}
    other = told.get("told") or told.get("task_id") or "unknown"
    here = f"; here is {told['row']}" if told.get("row") else ""
    return f"KIE said task {other}{here}: {told.get('why', 'no reason kept')}"


def _without_task(facts: Facts) -> bool:
    generation = facts.generation
    return facts.is_open and generation.task_id is None and generation.candidate_task_id is None


def _may_be_known(facts: Facts) -> bool:
    return _without_task(facts) and facts.generation.submit_started_at is not None
