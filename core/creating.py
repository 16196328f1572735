"""From what somebody wants made to a generation that can be recorded. Pure."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from core.errors import AppError
from core.generation.model import Generation
from core.ids import new_id
from core.kie.families import FAMILIES, NOT_BUILT_YET

Kind = Literal["image", "video", "audio", "text"]
#: Text without control characters that says something.
_PLAIN = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"


class CreateError(AppError):
    """A body of which no generation can be made. `code` is stable and dotted."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class CreateBody(BaseModel):
    """What a caller wants made."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel)

    model: str = Field(min_length=1, max_length=200, pattern=_PLAIN, description="KIE's model name")
    input: dict[str, Any] = Field(description="the model's own input, passed on as it is")
    user_id: str | None = Field(
        None, max_length=128, pattern=_PLAIN, description="whose it is; names the storage folder"
    )
    kind: Kind | None = Field(None, description="default: told by the model's name")
    family: str = Field("market", max_length=64, description="which of KIE's APIs makes it")


def require_user_id(user_id: str | None) -> str | None:
    """The id, or None where there is none. Raises CreateError."""
    try:
        return CreateBody(model="any", input={}, userId=user_id).user_id
    except ValidationError:
        why = "a userId has 1-128 characters, not all of them spaces and none of them for control"
        raise CreateError("body.invalid", why) from None


def new_generation(
    body: CreateBody, now: datetime, *, idempotency_key: str | None = None
) -> Generation:
    """The new generation, due now. Raises CreateError."""
    if body.family in NOT_BUILT_YET:
        raise CreateError("family.not_built", f"the family {body.family} cannot be used yet")
    if body.family not in FAMILIES:
        raise CreateError("family.unknown", "KIE has no such family")
    family = FAMILIES[body.family]
    return Generation(
        id=new_id(),
        family=body.family,
        model=body.model,
        kind=body.kind or family.kind_of(body.model, body.input),
        prompt=family.prompt_of(body.input),
        input=body.input,
        user_id=body.user_id,
        idempotency_key=idempotency_key,
        request_sha256=_sha256(body),
        created_at=now,
        updated_at=now,
        due_at=now,
    )


def _sha256(body: CreateBody) -> str:
    """The same for the same request, however its JSON was written."""
    canonical = json.dumps(body.model_dump(), ensure_ascii=False, sort_keys=True)
    try:
        return hashlib.sha256(canonical.encode()).hexdigest()
    except UnicodeEncodeError:
        why = "input: holds half of a surrogate pair, which cannot be sent on"
        raise CreateError("body.invalid", why) from None
