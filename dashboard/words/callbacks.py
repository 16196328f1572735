"""Words of callbacks: the reasons of their verdicts."""

from __future__ import annotations

from collections.abc import Mapping

from core.diagnosis.remedies import REFUSALS, REFUSED_OTHERWISE

REASONS: Mapping[str, str] = {
    **{reason: remedy.meaning for reason, remedy in REFUSALS.items()},
    "body.cut": "The callback's body ended before its end, and was not read",
    "callback.too_many": "200 callbacks of its generation were kept already, so it was refused"
    " and only counted",
    "task.unknown": "No generation has this task, so far",
    "task.other": "The callback had one generation's credential, but named another task",
    "task.of_another_generation": "The callback had one generation's credential, but named the "
    "task of another one",
    "matched.later": "The callback came before its task was known here, and was matched since",
}


def reason(code: str | None) -> str:
    """Why callbacks got their verdict; empty where it needs no reason."""
    return REASONS.get(code, REFUSED_OTHERWISE.meaning) if code else ""
