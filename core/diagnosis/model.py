"""The records of a diagnosis: what is known, what was found, and the words for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.generation.model import Generation
from core.kie.report import AskAnswer, AskFailed, Report


class Severity(StrEnum):
    """How much a finding matters, least first."""

    OK = "ok"  # delivered, nothing to do
    INFO = "info"  # goes on by itself, or good to know
    WARNING = "warning"  # late, at risk, or something should be put right
    ERROR = "error"  # a result is lost or refused, or will not come unless somebody acts

    @property
    def rank(self) -> int:
        """Higher is more serious."""
        return list(Severity).index(self)


class Verdict(StrEnum):
    """Everything that a diagnosis can find; docs/operations.md says what to do about each."""

    DELIVERED = "delivered"
    UNCLEAR = "unclear"
    # before KIE has accepted it
    NOT_SUBMITTED = "not_submitted"
    SUBMITTING = "submitting"
    SUBMIT_UNKNOWN = "submit_unknown"
    TASK_ID_UNCONFIRMED = "task_id_unconfirmed"
    TASK_ID_CONFLICT = "task_id_conflict"
    # at KIE
    WAITING_AT_KIE = "waiting_at_kie"
    NO_FILES_YET = "no_files_yet"
    KIE_CANNOT_BE_ASKED = "kie_cannot_be_asked"
    KIE_UNKNOWN_TASK = "kie_unknown_task"
    BEHIND_KIE = "behind_kie"
    KIE_CONTRADICTS = "kie_contradicts"
    # callbacks
    CALLBACK_NEVER_CAME = "callback_never_came"
    CALLBACK_REFUSED = "callback_refused"
    CALLBACK_DISAGREES = "callback_disagrees"
    CALLBACK_FOREIGN = "callback_foreign"
    # storing
    NOT_STORED = "not_stored"
    RESULT_AT_RISK = "result_at_risk"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    STORAGE_REFUSES = "storage_refuses"
    DISK_FULL = "disk_full"
    SPOOL_FULL = "spool_full"
    MEDIA_MISSING = "media_missing"
    MEDIA_DAMAGED = "media_damaged"
    MEDIA_UNREACHABLE = "media_unreachable"
    MAIN_FILE_LOST = "main_file_lost"
    EXTRAS_LOST = "extras_lost"
    FILE_MISSING = "file_missing"
    FILE_SIZE_DIFFERS = "file_size_differs"
    # workers
    BEING_WORKED_ON = "being_worked_on"
    LEASE_DEAD = "lease_dead"
    SET_ASIDE = "set_aside"
    OVERDUE = "overdue"
    NOT_SCHEDULED = "not_scheduled"
    # ends
    REFUSED_BY_KIE = "refused_by_kie"
    PROVIDER_FAILED = "provider_failed"
    GAVE_UP_SUBMIT_UNKNOWN = "gave_up_submit_unknown"
    GAVE_UP_PROVIDER_TIMEOUT = "gave_up_provider_timeout"
    GAVE_UP_PROVIDER_EMPTY = "gave_up_provider_empty"
    GAVE_UP_MEDIA_GONE = "gave_up_media_gone"
    GAVE_UP_MEDIA_INVALID = "gave_up_media_invalid"
    GAVE_UP_MEDIA_TOO_LARGE = "gave_up_media_too_large"
    GAVE_UP_MEDIA_REFUSED = "gave_up_media_refused"
    GAVE_UP_BY_OPERATOR = "gave_up_by_operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of one generation at one moment."""

    generation: Generation
    now: datetime
    kie: AskAnswer | None = None  # KIE's answer just now; None: not asked
    stored_sizes: Mapping[str, int | None] | None = None  # by path; None: storage not asked
    storage_problem: str | None = None  # why storage could not be asked
    callbacks: Sequence[Mapping[str, Any]] = ()  # rows of `callbacks`, oldest first
    events: Sequence[Mapping[str, Any]] = ()  # rows of `events`, oldest first
    callbacks_expected: bool = True  # whether KIE was told where to call back
    stuck_after: timedelta = timedelta(minutes=10)
    give_up_after: timedelta = timedelta(hours=24)

    @property
    def is_open(self) -> bool:
        """Whether the generation has not ended yet."""
        return not self.generation.is_final

    @property
    def is_stuck(self) -> bool:
        """Whether the generation has been open for longer than it should."""
        return self.is_open and self.now - self.generation.created_at > self.stuck_after

    @property
    def is_held(self) -> bool:
        """Whether a worker's lease is in force."""
        return self.generation.is_held(self.now)

    @property
    def report(self) -> Report | None:
        """What KIE just said of the task, if it said anything."""
        return self.kie if isinstance(self.kie, Report) else None

    @property
    def ask_failed(self) -> AskFailed | None:
        """Why KIE just said nothing, if it was asked."""
        return self.kie if isinstance(self.kie, AskFailed) else None

    @property
    def kie_state(self) -> str | None:
        """The newest state known from KIE itself."""
        return self.report.state if self.report else self.generation.provider_state

    @property
    def callback_came(self) -> bool:
        """Whether a callback was accepted as being about this generation."""
        return self.generation.announced_at is not None or any(
            row.get("verdict") == "accepted"
            and row.get("reason") in (None, "matched.later")
            and row.get("generation_id") in (None, self.generation.id)
            for row in self.callbacks
        )

    def events_named(self, *names: str) -> list[Mapping[str, Any]]:
        """The lines of the timeline that have one of these names."""
        return [row for row in self.events if row.get("name") in names]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found: what, how serious, why we think so, and what to do."""

    verdict: str
    severity: Severity
    summary: str
    evidence: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was found, most serious first; the first finding speaks for all."""

    verdict: str
    severity: Severity
    summary: str
    evidence: tuple[str, ...]
    suggestions: tuple[str, ...]
    findings: tuple[Finding, ...]


def found(
    verdict: Verdict,
    severity: Severity,
    summary: str,
    evidence: Iterable[str | None] = (),
    suggestions: Iterable[str | None] = (),
) -> Finding:
    """A finding from lines of which some may be absent."""
    return Finding(
        verdict, severity, summary, tuple(filter(None, evidence)), tuple(filter(None, suggestions))
    )
