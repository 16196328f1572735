"""The rules, and how their findings become one diagnosis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.diagnosis.asking import (
    behind_kie,
    kie_cannot_be_asked,
    kie_contradicts,
    kie_unknown_task,
    no_files_yet,
    waiting_at_kie,
)
from core.diagnosis.callbacks import (
    callback_disagrees,
    callback_foreign,
    callback_never_came,
    callback_refused,
)
from core.diagnosis.endings import delivered, given_up, provider_failed, refused_by_kie
from core.diagnosis.model import Diagnosis, Facts, Finding, Severity, Verdict, found
from core.diagnosis.storing import (
    extras_lost,
    file_missing,
    file_size_differs,
    main_file_lost,
    not_stored,
    result_at_risk,
    storage_unavailable,
)
from core.diagnosis.submission import (
    not_submitted,
    submit_unknown,
    submitting,
    task_id_conflict,
    task_id_unconfirmed,
)
from core.diagnosis.words import quoted, span, sync
from core.diagnosis.work import being_worked_on, lease_dead, not_scheduled, overdue, set_aside

Rule = Callable[[Facts], Finding | None]

#: Each says where a generation stands; being stuck there makes it more serious.
STANDING: tuple[Rule, ...] = (
    refused_by_kie,
    provider_failed,
    given_up,
    not_submitted,
    submitting,
    submit_unknown,
    task_id_unconfirmed,
    kie_unknown_task,
    kie_cannot_be_asked,
    not_stored,
    no_files_yet,
    behind_kie,
    waiting_at_kie,
    delivered,
)
#: In the order in which they are told where they are equally serious: causes before symptoms.
RULES: tuple[Rule, ...] = (
    set_aside,
    not_scheduled,
    file_missing,
    file_size_differs,
    main_file_lost,
    lease_dead,
    overdue,
    *STANDING,
    storage_unavailable,
    result_at_risk,
    kie_contradicts,
    callback_foreign,
    callback_disagrees,
    callback_refused,
    task_id_conflict,
    extras_lost,
    callback_never_came,
    being_worked_on,
)


def diagnose(facts: Facts) -> Diagnosis:
    """Everything that can be said about a generation, most serious first. Never raises."""
    findings = [finding for rule in RULES if (finding := _finding(rule, facts))]
    if not findings:
        findings = [_unclear(facts)]
    ordered = tuple(sorted(findings, key=lambda finding: -finding.severity.rank))
    first = ordered[0]
    return Diagnosis(
        first.verdict, first.severity, first.summary, first.evidence, first.suggestions, ordered
    )


def _finding(rule: Rule, facts: Facts) -> Finding | None:
    finding = rule(facts)
    if finding is None or rule not in STANDING or not facts.is_stuck:
        return finding
    severity = Severity.WARNING if finding.severity is Severity.INFO else finding.severity
    evidence = (*finding.evidence, _stuck(facts))
    return replace(finding, severity=severity, evidence=evidence)


def _stuck(facts: Facts) -> str:
    age = span(facts.now - facts.generation.created_at)
    limit = span(facts.stuck_after)
    return f"Stuck: open for {age}, more than the {limit} of STUCK_AFTER_MINUTES."


def _unclear(facts: Facts) -> Finding:
    generation = facts.generation
    return found(
        Verdict.UNCLEAR,
        Severity.WARNING,
        "The record fits nothing that is known here.",
        [
            f"Status {generation.status}, code {generation.error_code}.",
            f"KIE's state {generation.provider_state}.",
            quoted(facts, "Reason", generation.error),
        ],
        ["Report it with the output of `GET /api/debug/kie`.", sync(facts)],
    )
