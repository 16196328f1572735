"""What KIE said, made equal across families: the only words of KIE that the rest of core reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

SUCCESS = "success"
FAIL = "fail"


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One file of a finished task, where KIE keeps it for now."""

    url: str
    role: str = "main"  # main, watermark, first_frame, last_frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One answer of KIE about one task."""

    task_id: str
    state: str  # KIE's word; only `success` and `fail` are final, unknown words are progress
    files: tuple[ResultFile, ...] = ()  # main files first
    result_object: str | None = None  # JSON text, where the result is data and not files
    fail_code: str | None = None
    fail_message: str | None = None
    progress: int | None = None  # 0-100
    credits_consumed: Decimal | None = None
    completed_at: datetime | None = None  # aware UTC
    has_callback_url: bool = False  # whether the task's `param` names one
    generation_id: str | None = None  # the generation which that callback URL names


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """What somebody once asked KIE for, as KIE repeats it; without credentials."""

    model: str
    input: Mapping[str, Any]
    created_at: datetime | None = None  # aware UTC


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """All that KIE has about one task."""

    report: Report
    request: TaskRequest


@dataclass(frozen=True, slots=True)
class AskFailed:
    """KIE did not tell: a failed ask, which never fails a generation.

    Codes: `kie.unauthorized` (401), `kie.no_credits` (402), `kie.key_capped` (433),
    `kie.rate_limited` (429, 430), `kie.unavailable` (408, 455, 5xx, 550, no connection, HTML,
    truncated JSON), `kie.unknown_task` (404, 422 "is null"), `kie.refused` (any other code).
    """

    code: str
    message: str
    retry_after: float | None = None  # seconds, where KIE said so


@dataclass(frozen=True, slots=True)
class Accepted:
    """KIE made the task."""

    task_id: str


@dataclass(frozen=True, slots=True)
class NotNow:
    """KIE certainly made no task and may take the same request later: 429, 430, 455, 550, or no
    connection was ever made.

    Codes: `kie.rate_limited`, `kie.unavailable`, `kie.unreachable`.
    """

    code: str
    message: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """KIE refused for good, made no task and charged nothing: the codes `codes.REFUSED`."""

    kie_code: int
    message: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether KIE made (and charged) a task: timeout, cut, 5xx, 408, no JSON, a
    code of no documented meaning, or a refusal that names a task all the same.
    """

    message: str
    task_id: str | None = None  # the task that the answer named


CreateAnswer = Accepted | NotNow | Refused | Unknown
AskAnswer = Report | AskFailed
