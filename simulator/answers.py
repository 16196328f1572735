"""What the API answers, before Flask turns it into bytes on a wire."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer, or the lack of one."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    delay_seconds: float = 0
    cut: bool = False  # the connection is closed instead


def envelope(code: int, message: str, data: Any = None, *, status: int = 200) -> Answer:
    """KIE's way of answering: errors too come with HTTP 200 and their own `code`."""
    return Answer(body=encoded({"code": code, "msg": message, "data": data}), status=status)


def encoded(value: object) -> bytes:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


NO_RECORD = envelope(422, "recordInfo is null")
SERVER_ERROR = envelope(500, "Server exception, please try again later", status=500)
BAD_GATEWAY = Answer(
    body=b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>",
    status=502,
    content_type="text/html",
)
REFUSALS = {
    402: "Insufficient credits",
    429: "Call frequency is too high, please try again later",
    433: "The key has reached its spending limit",
    451: "Failed to fetch the input file",
    455: "Service is under maintenance",
    505: "This feature is currently disabled",
    550: "Connection denied, the queue is full",
}
