"""Findings about generations that have ended: delivered, failed by KIE, or given up by us."""

from __future__ import annotations

from core.diagnosis.model import Facts, Finding, Severity, Verdict, found
from core.diagnosis.remedies import Remedy, provider_remedy
from core.diagnosis.storing import file_missing, file_size_differs
from core.diagnosis.words import happened, quoted, span, sync, when
from core.generation.model import Code, Status
from core.kie.report import FAIL

NO_REFUND = (
    "Do not refund on this code: it turns into success if the result turns up. Refund only on"
    " KIE's own failures (provider.failed and provider.<number>)."
)
GIVEN_UP = {
    Code.SUBMIT_UNKNOWN: (
        Verdict.GAVE_UP_SUBMIT_UNKNOWN,
        Remedy(
            "it never became known whether KIE made a task",
            "Look for the task in KIE's own log before you create it again: it may be paid for.",
        ),
    ),
    Code.PROVIDER_TIMEOUT: (
        Verdict.GAVE_UP_PROVIDER_TIMEOUT,
        Remedy(
            "KIE did not finish within GIVE_UP_AFTER_HOURS",
            "Look the task up in KIE's own log; if it is stuck there, ask KIE's support.",
        ),
    ),
    Code.PROVIDER_EMPTY: (
        Verdict.GAVE_UP_PROVIDER_EMPTY,
        Remedy(
            "KIE said success for ten minutes without naming a file",
            "Look the task up in KIE's own log; if it shows a file there, sync again.",
        ),
    ),
    Code.MEDIA_GONE: (
        Verdict.GAVE_UP_MEDIA_GONE,
        Remedy(
            "a main file is at none of the addresses that KIE gives",
            "Open the result in KIE's own log; if it shows there, sync again. Else it is lost.",
        ),
    ),
    Code.MEDIA_INVALID: (
        Verdict.GAVE_UP_MEDIA_INVALID,
        Remedy(
            "a main file was never whole: empty, an error page, cut short or damaged",
            "Open the result in KIE's own log; if it is broken there too, ask KIE's support.",
        ),
    ),
    Code.MEDIA_TOO_LARGE: (
        Verdict.GAVE_UP_MEDIA_TOO_LARGE,
        Remedy(
            "a main file is larger than MAX_ASSET_BYTES",
            "Raise MAX_ASSET_BYTES for the next ones. Download this one by hand from KIE's own log"
            " within 14 days.",
        ),
    ),
    Code.MEDIA_REFUSED: (
        Verdict.GAVE_UP_MEDIA_REFUSED,
        Remedy(
            "a main file is at an address that must not be called: not https, not port 443, or"
            " not on the public internet",
            "If it is a test or a simulator, set MEDIA_ALLOW_PRIVATE=true. Else look at the"
            " address: KIE does not use such.",
        ),
    ),
    Code.OPERATOR_GAVE_UP: (
        Verdict.GAVE_UP_BY_OPERATOR,
        Remedy("somebody gave it up by hand", "Ask them."),
    ),
}
NEVER_CREATED = Remedy(
    "KIE never took the task, within GIVE_UP_AFTER_HOURS",
    "Create it again: KIE certainly made no task, so nothing was paid.",
)


def delivered(facts: Facts) -> Finding | None:
    """All is well."""
    generation = facts.generation
    damaged = file_missing(facts) or file_size_differs(facts)
    if generation.status is not Status.SUCCESS or damaged:
        return None
    stored = sum(asset.stored_at is not None for asset in generation.assets)
    via = f" by {generation.delivered_via}" if generation.delivered_via else ""
    return found(
        Verdict.DELIVERED,
        Severity.OK,
        "Delivered: every main file is in permanent storage.",
        [
            f"Stored files: {stored}{_checked(facts)}.",
            happened(f"Announced{via}, delivered", generation.delivered_at, facts.now),
            _took(facts),
        ],
    )


def refused_by_kie(facts: Facts) -> Finding | None:
    """KIE refused to make it, for good."""
    code = facts.generation.error_code or ""
    kie_code = code.removeprefix("provider.")
    if facts.generation.status is not Status.FAILED or not kie_code.isdecimal():
        return None
    remedy = provider_remedy(kie_code, facts.generation.error)
    return found(
        Verdict.REFUSED_BY_KIE,
        Severity.ERROR,
        f"KIE refused to make it: {remedy.meaning}.",
        [f"Code {kie_code}.", quoted(facts, "KIE's words", facts.generation.error)],
        [remedy.action, "KIE made no task, so nothing was paid and a refund is right."],
    )


def provider_failed(facts: Facts) -> Finding | None:
    """KIE made the task, and it failed."""
    generation = facts.generation
    if generation.status is not Status.FAILED or generation.error_code != Code.PROVIDER_FAILED:
        return None
    code, words = _reason(facts)
    remedy = provider_remedy(code, words)
    return found(
        Verdict.PROVIDER_FAILED,
        Severity.ERROR,
        f"The task failed at KIE: {remedy.meaning}.",
        [
            quoted(facts, "KIE's words", generation.error),
            happened("Failed", generation.provider_completed_at, facts.now),
            f"Credits taken: {generation.credits_consumed}."
            if generation.credits_consumed is not None
            else None,
        ],
        [remedy.action],
    )


def given_up(facts: Facts) -> Finding | None:
    """We stopped waiting for it; KIE did not say that it failed."""
    generation = facts.generation
    if not generation.gave_up:
        return None
    code = Code(generation.error_code or "")
    verdict, remedy = GIVEN_UP[code]
    never_created = code is Code.PROVIDER_TIMEOUT and generation.submit_started_at is None
    if never_created and generation.task_id is None:
        remedy = NEVER_CREATED
    return found(
        verdict,
        Severity.ERROR,
        f"Given up by us: {remedy.meaning}.",
        [
            happened("Given up", generation.gave_up_at, facts.now),
            quoted(facts, "Reason", generation.error),
            f"Next look {when(generation.due_at, facts.now)}."
            if generation.due_at is not None
            else "Nobody looks again by itself.",
        ],
        [
            remedy.action,
            NO_REFUND if remedy is not NEVER_CREATED else None,
            sync(facts) if generation.task_id else None,
        ],
    )


def _checked(facts: Facts) -> str:
    return ", as storage shows just now" if facts.stored_sizes else ""


def _took(facts: Facts) -> str | None:
    generation = facts.generation
    if generation.delivered_at is None or generation.provider_completed_at is None:
        return None
    took = span(generation.delivered_at - generation.provider_completed_at)
    return f"Stored {took} after KIE had finished."


def _reason(facts: Facts) -> tuple[str | None, str | None]:
    """KIE's code and words: as it says now, else as they were saved."""
    report = facts.report
    if report is not None and report.state == FAIL and report.fail_code:
        return report.fail_code, report.fail_message
    code, _, words = (facts.generation.error or "").partition(": ")
    return code, words or code
