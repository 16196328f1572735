"""What became of each task that was to be rescued. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from core.generation.model import Code, Generation, Status
from core.kie.report import FAIL, SUCCESS, AskFailed, TaskRecord

#: Of our own ends, those after which KIE has no file that could still be saved.
_GONE = frozenset({Code.MEDIA_GONE, Code.MEDIA_INVALID, Code.PROVIDER_EMPTY})
#: What KIE says of a record that it has deleted: "only records within 14 days are supported".
_TOO_OLD = re.compile(r"14 ?days|expired", re.IGNORECASE)


class Fate(StrEnum):
    """How a task stands."""

    SAVED = "saved"  # its files are ours
    DEAD = "dead"  # KIE failed it, or its files are gone
    WAITING = "waiting"  # not saved, and may still be
    UNKNOWN = "unknown"  # KIE does not know it
    ALIVE = "alive"  # a dry run: it would be saved


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescued:
    """One task, with the generation that has it now, if any."""

    task_id: str
    fate: Fate
    generation_id: str | None = None
    url: str | None = None
    reason: str | None = None
    has_ended: bool = False  # nothing comes of it by itself within hours


def fate_of(task_id: str, row: Generation) -> Rescued:
    """How a task stands by its generation."""
    fate = Fate.WAITING
    url: str | None = None
    reason: str | None = _why(row)
    if row.task_id != task_id:
        reason = f"KIE is still to confirm that it is the task of {row.id}"
    elif row.status is Status.SUCCESS:
        fate, url, reason = Fate.SAVED, row.asset_url, None
    elif row.is_final and (not row.gave_up or row.error_code in _GONE):
        fate = Fate.DEAD
    return Rescued(
        task_id=task_id,
        fate=fate,
        generation_id=row.id,
        url=url,
        reason=reason,
        has_ended=row.is_final,
    )


def fate_without_row(task_id: str, answer: TaskRecord | AskFailed) -> Rescued:
    """How a task stands by KIE's answer alone."""
    if isinstance(answer, AskFailed):
        return _not_told(task_id, answer)
    report = answer.report
    if report.state == FAIL:
        words = [word for word in (report.fail_code, report.fail_message) if word]
        reason = f"failed at KIE: {': '.join(words) or 'it gave no reason'}"
        return Rescued(task_id=task_id, fate=Fate.DEAD, reason=reason, has_ended=True)
    reason = f"{len(report.files)} files" if report.state == SUCCESS else f"KIE says {report.state}"
    return Rescued(task_id=task_id, fate=Fate.ALIVE, reason=reason)


def _not_told(task_id: str, failed: AskFailed) -> Rescued:
    if failed.code == "kie.unknown_task":
        reason = "KIE does not know it; or it is of another family than market"
        return Rescued(task_id=task_id, fate=Fate.UNKNOWN, reason=reason)
    if failed.code == "kie.refused" and _TOO_OLD.search(failed.message):
        return Rescued(task_id=task_id, fate=Fate.UNKNOWN, reason=f"KIE says: {failed.message}")
    reason = f"KIE could not be asked ({failed.code}): {failed.message}"
    return Rescued(task_id=task_id, fate=Fate.WAITING, reason=reason)


def _why(row: Generation) -> str:
    if row.error_code is not None:
        return f"{row.error_code}: {row.error}" if row.error else row.error_code
    if row.provider_state == SUCCESS:
        return "its files are still being stored"
    return f"KIE says {row.provider_state}" if row.provider_state else "KIE was not asked yet"
