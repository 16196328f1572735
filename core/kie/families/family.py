"""What every family of KIE's API must be able to say. All of it is pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from core.kie.report import Report, TaskRequest


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to KIE, without its host and key."""

    method: str
    path: str
    json: Mapping[str, object] | None = None
    params: Mapping[str, str] = field(default_factory=dict)


class Family(Protocol):
    """One of KIE's APIs."""

    def create_request(
        self, model: str, input: Mapping[str, object], callback_url: str | None
    ) -> Request:
        """The request that makes a task; it may be sent once only."""
        ...

    def ask_request(self, task_id: str) -> Request:
        """The request that reads a task."""
        ...

    def read_report(self, data: object) -> Report:
        """The report in an answer's `data`; what cannot be read is absent, ids and state empty."""
        ...

    def read_request(self, data: object) -> TaskRequest:
        """What the task was made from, in the same `data`; what cannot be read is empty."""
        ...

    def kind_of(self, model: str, input: Mapping[str, object]) -> str | None:
        """image, video, audio or text, where the request tells."""
        ...

    def prompt_of(self, input: Mapping[str, object]) -> str | None:
        """What a person asked for, where the request has such a field."""
        ...
