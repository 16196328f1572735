"""What may become of a row of ours, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from core.generation.model import GIVING_UP, Code, Status


class Outcome(Enum):
    """What is known of a row, as far as it matters for what is done next."""

    STORED = "stored"
    REOPENED = "reopened"
    COPIED = "copied"
    GONE = "gone"
    OPEN = "open"
    TIMED_OUT = "timed_out"
    UNSUBMITTED = "unsubmitted"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a row stands afterwards, and in which words."""

    status: Status | None  # None: as the old word says
    told: str
    code: Code | None = None
    why: str | None = None

    @property
    def gives_up(self) -> bool:
        """Whether this is our own end and not KIE's word."""
        return self.code in GIVING_UP


ENDINGS = {
    Outcome.STORED: Ending(Status.SUCCESS, "success, its file is ours"),
    Outcome.REOPENED: Ending(
        Status.GENERATING, "generating: it names no file, KIE is asked within an hour"
    ),
    Outcome.COPIED: Ending(
        Status.GENERATING, "generating: its file is not ours, and is copied within an hour"
    ),
    Outcome.GONE: Ending(
        Status.FAILED,
        "failed (media.gone): its file is not ours, and cannot be had any more",
        Code.MEDIA_GONE,
        "adopted as a success whose file was never stored, and cannot be had any more",
    ),
    Outcome.OPEN: Ending(None, "still open: KIE is asked within an hour"),
    Outcome.TIMED_OUT: Ending(
        Status.FAILED,
        "failed (provider.timeout): open for more than 14 days, KIE is not asked",
        Code.PROVIDER_TIMEOUT,
        "adopted as still open, when KIE had forgotten it",
    ),
    Outcome.UNSUBMITTED: Ending(
        Status.FAILED,
        "failed (submit.unknown): open without a task id, so nobody can be asked",
        Code.SUBMIT_UNKNOWN,
        "adopted as still open, but without a task that KIE could be asked about",
    ),
    Outcome.FAILED: Ending(
        Status.FAILED,
        "failed, as it was",
        Code.PROVIDER_FAILED,
        "it had failed before it was adopted; no reason was kept",
    ),
    Outcome.CANCELLED: Ending(
        Status.FAILED,
        "failed (operator.gave_up): it was cancelled",
        Code.OPERATOR_GAVE_UP,
        "it had been cancelled before it was adopted",
    ),
}
