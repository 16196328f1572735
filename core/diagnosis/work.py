"""Findings about who works on a generation: now, no more, or never."""

from __future__ import annotations

from datetime import timedelta

from core.diagnosis.model import Facts, Finding, Severity, Verdict, found
from core.diagnosis.words import CHECK_POLLER, span, sync, when
from core.generation.schedule import CRASHES_SET_ASIDE

#: A poller looks once a second: who is due for longer is being overlooked.
PUNCTUAL = timedelta(minutes=1)


def being_worked_on(facts: Facts) -> Finding | None:
    """A worker has it."""
    until = facts.generation.lease_until
    if not facts.is_held or until is None:
        return None
    return found(
        Verdict.BEING_WORKED_ON,
        Severity.INFO,
        "A worker is on it right now.",
        [f"Its lease runs out {when(until, facts.now)}, unless it is renewed."],
        ["Wait a moment and look again."],
    )


def lease_dead(facts: Facts) -> Finding | None:
    """The worker that had it died or hangs."""
    until = facts.generation.lease_until
    if until is None or facts.is_held:
        return None
    return found(
        Verdict.LEASE_DEAD,
        Severity.WARNING,
        "The worker that had it died or hangs, and nobody has taken it over yet.",
        [f"The lease ran out {when(until, facts.now)}.", _crashes(facts)],
        ["The poller takes it over within seconds, by itself.", CHECK_POLLER],
    )


def set_aside(facts: Facts) -> Finding | None:
    """It has ended its workers so often that it is tried alone."""
    generation = facts.generation
    pending = facts.is_open or generation.due_at is not None or generation.lease_until is not None
    if generation.crashes < CRASHES_SET_ASIDE or not pending:
        return None
    return found(
        Verdict.SET_ASIDE,
        Severity.ERROR,
        "Set aside: its workers died again and again, so it is tried alone, about once an hour.",
        [_crashes(facts)],
        [
            "Read the poller's last log lines before each end: look for the event `delivery.alone`"
            " and this generation's id.",
            "Check the memory that the poller may use, and whether somebody kills it.",
        ],
    )


def overdue(facts: Facts) -> Finding | None:
    """It has been due for a while, and nobody looks."""
    due_at = facts.generation.due_at
    if due_at is None or facts.generation.lease_until is not None:
        return None
    if facts.now - due_at <= PUNCTUAL or facts.generation.crashes >= CRASHES_SET_ASIDE:
        return None
    return found(
        Verdict.OVERDUE,
        Severity.WARNING,
        "It is overdue: nobody has looked, though it was time.",
        [f"It was due {when(due_at, facts.now)}."],
        [
            CHECK_POLLER,
            "If it runs, it has more to do than it gets done: raise DELIVERY_THREADS or start a"
            " second poller.",
            sync(facts),
        ],
    )


def not_scheduled(facts: Facts) -> Finding | None:
    """It is open, and nobody will ever look."""
    generation = facts.generation
    if not facts.is_open or generation.due_at is not None or generation.lease_until is not None:
        return None
    return found(
        Verdict.NOT_SCHEDULED,
        Severity.ERROR,
        "Nobody will look at it: it is open, not due at any time, and no worker has it.",
        [f"Open for {span(facts.now - generation.created_at)}."],
        [
            "This should not happen: report it with the generation's id.",
            f"Meanwhile `GET /api/kie/sync?id={generation.id}` carries it on.",
        ],
    )


def _crashes(facts: Facts) -> str | None:
    crashes = facts.generation.crashes
    return f"Workers that died with it so far: {crashes}." if crashes else None
