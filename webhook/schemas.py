"""Bodies, queries and answers of the API: described once, for checking and for OpenAPI."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from core.generation.model import Channel, Status
from core.store.listing import Cursor


class Shape(BaseModel):
    """camelCase outside, nothing unknown, nothing converted."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel)


class ListQuery(Shape):
    """Which generations to list, and how many."""

    status: Annotated[Status | None, Field(strict=False)] = None
    user_id: str | None = Field(None, min_length=1, max_length=128)
    limit: Annotated[int, Field(strict=False, ge=1, le=200)] = 50
    cursor: Annotated[
        Cursor | None,
        BeforeValidator(lambda text: Cursor.parse(text) if isinstance(text, str) else text),
        WithJsonSchema({"type": "string"}),
    ] = Field(None, description="nextCursor of the page before")


class WhichQuery(Shape):
    """A generation by KIE's task id or by our own id."""

    task_id: str | None = Field(None, min_length=1, max_length=128)
    id: str | None = Field(None, min_length=1, max_length=128)


class CallbackQuery(Shape):
    """The credential that a callback URL holds: a token, or the shared secret."""

    generation: str | None = Field(None, description="the generation that the token opens")
    token: str | None = Field(None, description="made by us, in the URL that KIE was given")
    secret: str | None = Field(None, description="one of KIE_CALLBACK_SECRET, instead")


class ErrorDetail(Shape):
    """What went wrong."""

    code: str = Field(description="stable and dotted")
    message: str


class ErrorAnswer(Shape):
    """Every error has this shape."""

    error: ErrorDetail
    id: str | None = Field(None, description="the failed generation, where KIE refused it")


class AssetAnswer(Shape):
    """A stored file."""

    position: int
    role: str = Field(description="main, watermark, first_frame, ...")
    url: str = Field(description="permanent")
    path: str | None = Field(description="in storage; what an older system stored has no path here")
    content_type: str | None
    size_bytes: int | None
    sha256: str | None


class GenerationAnswer(Shape):
    """A generation as it is now."""

    id: str
    task_id: str | None
    provider: str
    family: str
    model: str
    kind: str | None
    user_id: str | None
    status: Status
    provider_state: str | None = Field(description="what KIE last said")
    progress: int | None
    prompt: str | None
    asset_url: str | None = Field(description="permanent; set when status is success")
    preview_url: str | None
    result_urls: list[str] = Field(description="KIE's, temporary")
    assets: list[AssetAnswer]
    error: ErrorDetail | None = Field(description="why it waits, or why it failed")
    credits_consumed: float | None
    attempts: int
    created_at: datetime
    updated_at: datetime
    delivered_at: datetime | None
    delivered_via: Channel | None


class PageAnswer(Shape):
    """Some generations, newest first."""

    items: list[GenerationAnswer]
    next_cursor: str | None


class DeletedAnswer(Shape):
    """The id of what is gone, and which of its stored files were not there to be deleted."""

    deleted: str
    not_found: list[str]


class StatusAnswer(Shape):
    """One word."""

    status: Literal["ok", "accepted"]


class ReadyAnswer(Shape):
    """Whether work gets done; each check says `ok` or what is wrong."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str]
