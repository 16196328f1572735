"""The table of routes: what each takes and answers. The code that answers is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, Field

from core.creating import CreateBody
from webhook import schemas


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One route: what it takes and what it answers."""

    method: str
    path: str
    summary: str
    answers: Mapping[int, str]
    answer: type[BaseModel] | None = None  # of answers below 400; None: no fixed shape
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_open: bool = False

    @property
    def path_parameters(self) -> list[str]:
        """The names in the path."""
        return [part.strip("{}") for part in self.path.split("/") if part.startswith("{")]


class AssetQuery(schemas.Shape):
    """How a stored file is wanted; anything else in the query is ignored."""

    sig: str | None = Field(None, description="opens the file of a private bucket, as in its URL")
    download: Literal["1"] | None = Field(None, description="1: to be saved, not to be shown")


OPERATIONS = (
    Operation(
        method="post",
        path="/api/kie/createTask",
        summary="Save a generation, then let KIE make it.",
        body=CreateBody,
        headers={"Idempotency-Key": "1-255 characters: the same request is carried out once"},
        answer=schemas.GenerationAnswer,
        answers={
            201: "KIE accepted the task",
            202: "saved: to be submitted later, still being submitted, or outcome unknown",
            200: "the same Idempotency-Key again: the generation as it is now",
            400: "a bad body or key, or a family that cannot be used",
            402: "KIE refused: no credits",
            409: "this Idempotency-Key came with another request",
            413: "over 1 MiB",
            415: "not JSON",
            422: "KIE refused the input",
            500: "not saved, KIE was not called",
            502: "KIE refused for another reason",
        },
    ),
    Operation(
        method="post",
        path="/api/kie/callback",
        summary="Where KIE calls back. The URL holds its own credential.",
        query=schemas.CallbackQuery,
        headers={
            "X-Webhook-Signature": "required where KIE_WEBHOOK_HMAC_KEY is set",
            "X-Webhook-Timestamp": "Unix seconds, within 300 s of now",
        },
        answer=schemas.StatusAnswer,
        answers={
            200: "kept; also when it came before",
            400: "not JSON, or no task id",
            401: "wrong credential or signature",
            404: "no generation has this task so far; kept, and matched later",
            413: "over 1 MiB",
            429: "more of one generation than are kept: only counted",
            503: "not kept: send it again",
        },
        is_open=True,
    ),
    Operation(
        method="get",
        path="/api/kie/sync",
        summary="Ask KIE now, and deliver what fits into 25 s.",
        query=schemas.WhichQuery,
        answer=schemas.GenerationAnswer,
        answers={200: "the generation afterwards", 400: "a bad query", 404: "unknown"},
    ),
    Operation(
        method="get",
        path="/api/debug/kie",
        summary="One generation in every respect; without a query, the newest ten in short.",
        query=schemas.WhichQuery,
        answers={200: "facts and diagnosis", 400: "a bad query", 404: "unknown"},
    ),
    Operation(
        method="get",
        path="/api/generations",
        summary="Generations, newest first.",
        query=schemas.ListQuery,
        answer=schemas.PageAnswer,
        answers={200: "a page", 400: "a bad filter or cursor"},
    ),
    Operation(
        method="get",
        path="/api/generations/{id}",
        summary="One generation.",
        answer=schemas.GenerationAnswer,
        answers={200: "as it is now", 404: "unknown"},
    ),
    Operation(
        method="delete",
        path="/api/generations/{id}",
        summary="Remove its files, then all that we know of it.",
        answer=schemas.DeletedAnswer,
        answers={200: "gone", 404: "unknown", 409: "being worked on"},
    ),
    Operation(
        method="get",
        path="/api/health",
        summary="Whether the process answers.",
        answer=schemas.StatusAnswer,
        answers={200: "it does"},
        is_open=True,
    ),
    Operation(
        method="get",
        path="/api/ready",
        summary="Whether database, storage and poller work.",
        answer=schemas.ReadyAnswer,
        answers={200: "all do", 503: "one does not, and says why"},
        is_open=True,
    ),
    Operation(
        method="get",
        path="/assets/{path}",
        summary="A stored file.",
        query=AssetQuery,
        headers={"Range": "a part of it"},
        answers={
            200: "the file",
            206: "the part",
            302: "of a private bucket: where it is for the next ten minutes",
            404: "no such file, or a wrong `sig`",
            416: "no such part",
            503: "too many files are being sent, or storage is away",
        },
        is_open=True,
    ),
    Operation(
        method="get",
        path="/api/openapi.json",
        summary="This description, for programs.",
        answers={200: "OpenAPI 3.1"},
        is_open=True,
    ),
    Operation(
        method="get",
        path="/api/docs",
        summary="This description, for people.",
        answers={200: "HTML"},
        is_open=True,
    ),
)
