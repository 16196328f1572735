"""Findings about callbacks: missing, refused, contradicting, or not about this generation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from core.diagnosis.model import Facts, Finding, Severity, Verdict, found
from core.diagnosis.remedies import REFUSALS, REFUSED_OTHERWISE
from core.diagnosis.words import happened, quoted, when
from core.generation.model import Channel
from core.generation.schedule import Policy
from core.kie.callbacks import claimed_urls
from core.kie.report import FAIL, SUCCESS

#: For how long KIE's own record may lag behind its callback.
LAG = timedelta(minutes=1)
FOREIGN = {
    "task.other": "It carried this generation's credential, but named another task.",
    "task.of_another_generation": "It carried this generation's credential, but named the task of"
    " another generation.",
}

Row = Mapping[str, Any]


def callback_never_came(facts: Facts) -> Finding | None:
    """Nobody called back, though the result is there or likely to be."""
    generation = facts.generation
    if facts.callback_came or not facts.callbacks_expected or generation.task_id is None:
        return None
    by_looking = generation.delivered_via in (Channel.POLL, Channel.SYNC)
    if not by_looking and not _past_first_look(facts):
        return None
    finished = by_looking or facts.kie_state in (SUCCESS, FAIL)
    return found(
        Verdict.CALLBACK_NEVER_CAME,
        Severity.INFO,
        "KIE's callback never came; how the task ended was found by asking."
        if finished
        else "No callback has come yet, though a result was likely by now.",
        [
            happened("Submitted", generation.submitted_at, facts.now),
            happened("Finished at KIE", generation.provider_completed_at, facts.now),
            f"The news came by {generation.delivered_via}." if by_looking else None,
        ],
        [
            "Nothing for this result: every task is asked about, callback or not.",
            "For faster results, see that PUBLIC_BASE_URL can be called from the internet.",
        ],
    )


def callback_refused(facts: Facts) -> Finding | None:
    """Callbacks that named this generation or its task were turned away."""
    refused = [row for row in facts.callbacks if row.get("verdict") == "refused"]
    if not refused:
        return None
    newest = {row.get("reason"): row for row in refused}
    remedies = {reason: REFUSALS.get(reason or "", REFUSED_OTHERWISE) for reason in newest}
    counts = Counter(row.get("reason") for row in refused)
    return found(
        Verdict.CALLBACK_REFUSED,
        Severity.INFO if facts.callback_came else Severity.WARNING,
        f"{remedies[refused[-1].get('reason')].meaning}, so it was refused.",
        [
            line
            for reason, row in newest.items()
            for line in (
                _refusal(facts, row, counts[reason]),
                quoted(facts, "Detail", row.get("detail")),
            )
        ],
        [
            *dict.fromkeys(remedy.action for remedy in remedies.values()),
            "A refused callback changes nothing: the task is asked about all the same.",
        ],
    )


def callback_disagrees(facts: Facts) -> Finding | None:
    """A callback claimed one end or one file, and KIE says another when asked."""
    told = facts.events_named("callback.disagrees")
    claimed, actual = _claims(facts, told[-1] if told else None)
    other_files = any(_names_other_files(facts, row) for row in facts.callbacks)
    if claimed is None and not other_files:
        return None
    return found(
        Verdict.CALLBACK_DISAGREES,
        Severity.WARNING,
        f"A callback claimed {claimed}; KIE says {actual or 'nothing'} when asked."
        if claimed
        else "A callback claimed what KIE does not say when asked.",
        [
            happened("The callback came", facts.generation.announced_at, facts.now),
            "The callback named other files than KIE." if other_files else None,
        ],
        [
            "Nothing for this generation: only KIE's answer to our own question counts.",
            "A callback's body is not covered by its signature. If this repeats, suspect a forger:"
            " change KIE_CALLBACK_SECRET.",
        ],
    )


def callback_foreign(facts: Facts) -> Finding | None:
    """A callback mixes this generation with the task of another, or the reverse."""
    evidence = [line for row in facts.callbacks if (line := _foreign(facts, row))]
    evidence += [
        f"A task that a callback named was not taken over ({when(row['at'], facts.now)})."
        for row in facts.events_named("callback.task_refused")
        if row.get("at")
    ]
    if not evidence:
        return None
    return found(
        Verdict.CALLBACK_FOREIGN,
        Severity.WARNING,
        "A callback mixed this generation up with another task. It changed nothing.",
        evidence,
        [
            "Compare the task ids with KIE's own log.",
            "If KIE did not send it, the callback URL has leaked: change KIE_CALLBACK_SECRET.",
        ],
    )


def _past_first_look(facts: Facts) -> bool:
    generation = facts.generation
    if not facts.is_open or generation.submitted_at is None:
        return False
    return facts.now - generation.submitted_at > Policy().first_look(generation.kind)


def _refusal(facts: Facts, row: Row, count: int) -> str | None:
    what = f"{count} refused as {row.get('reason')}, the last"
    return happened(what, row.get("received_at"), facts.now)


def _claims(facts: Facts, told: Row | None) -> tuple[str | None, str | None]:
    """What the callback claimed and what KIE says; (None, None) where they agree."""
    detail = told.get("detail") if told else None
    if isinstance(detail, dict) and detail.get("callback"):
        return str(detail["callback"]), str(detail.get("kie"))
    generation = facts.generation
    claimed, actual = generation.announced_state, facts.kie_state
    if claimed is None or claimed == actual or generation.announced_at is None:
        return None, None
    lags = actual not in (SUCCESS, FAIL) and facts.now - generation.announced_at <= LAG
    return (None, None) if lags else (claimed, actual)


def _names_other_files(facts: Facts, row: Row) -> bool:
    generation = facts.generation
    if row.get("verdict") != "accepted" or row.get("task_id") != generation.task_id:
        return False
    known = {_address(url) for url in generation.result_urls}
    claimed = {_address(url) for url in claimed_urls(row.get("body") or "")}
    return bool(known) and not claimed <= known


def _address(url: str) -> tuple[str, str]:
    """Where a file is; what follows `?` may be masked, and changes whenever KIE signs anew."""
    parts = urlsplit(url)
    return parts.netloc, parts.path


def _foreign(facts: Facts, row: Row) -> str | None:
    why = FOREIGN.get(row.get("reason") or "")
    claimed, generation = row.get("generation_id"), facts.generation
    if why is None and row.get("verdict") != "refused" and claimed not in (None, generation.id):
        why = "It named this generation's task, but carried another generation's credential."
    at = row.get("received_at")
    return f"{why} Task {row.get('task_id')}, {when(at, facts.now)}." if why and at else None
