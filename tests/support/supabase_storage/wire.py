"""A request whose body is read as it comes, and an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any, BinaryIO

PIECE_BYTES = 1 << 16


class CutError(Exception):
    """The connection broke while a body was read."""


class Body:
    """The body of a request, by its length or in chunks, never whole in memory."""

    def __init__(self, stream: BinaryIO, headers: Message, cut_after: int | None = None) -> None:
        length = headers.get("Content-Length")
        self._stream = stream
        self._is_chunked = "chunked" in headers.get("Transfer-Encoding", "")
        self._left = 0 if self._is_chunked else int(length or 0)
        self._allowed = cut_after
        self.length = None if length is None else int(length)
        self.is_finished = not self._is_chunked and self._left == 0

    @property
    def unread(self) -> float:
        """How many bytes are still to come."""
        return float("inf") if self._is_chunked and not self.is_finished else self._left

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end. Raises CutError."""
        if self._left == 0 and not self.is_finished:
            self._begin_chunk()
        if self.is_finished:
            return b""
        wanted = min(size, self._left)
        if self._allowed is not None:
            wanted = min(wanted, self._allowed)
        data = self._stream.read1(wanted) if wanted else b""  # type: ignore[attr-defined]
        if not data:
            raise CutError
        self._took(len(data))
        return data

    def pieces(self) -> Iterator[bytes]:
        """All that is left."""
        return iter(lambda: self.read(PIECE_BYTES), b"")

    def line(self) -> bytes:
        """Up to the end of a line, and the line's end."""
        found = bytearray()
        while not found.endswith(b"\n") and (byte := self.read(1)):
            found += byte
        return bytes(found)

    def json(self) -> dict[str, Any]:
        """The whole of it, which is small."""
        found = json.loads(b"".join(self.pieces()) or b"{}")
        assert isinstance(found, dict)
        return found

    def _took(self, count: int) -> None:
        self._left -= count
        if self._allowed is not None:
            self._allowed -= count
        if self._left == 0:
            if self._is_chunked:
                self._stream.readline()
            else:
                self.is_finished = True

    def _begin_chunk(self) -> None:
        self._left = int(self._stream.readline().split(b";")[0] or b"0", 16)
        if self._left == 0:
            self._stream.readline()
            self.is_finished = True


@dataclass(frozen=True)
class Request:
    """A request as it was sent; header names in lower case."""

    method: str
    path: str  # without the prefix, decoded
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Body = field(repr=False, compare=False)

    @property
    def line(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Answer:
    """An answer: bytes, or a part of a file."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None
    start: int = 0
    size: int = 0


def json_answer(data: object, status: int = 200) -> Answer:
    """An answer in JSON."""
    headers = {"content-type": "application/json; charset=utf-8"}
    return Answer(status, json.dumps(data).encode(), headers)


def text_answer(status: int, text: str = "", **headers: str) -> Answer:
    """An answer as the resumable endpoint gives it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, text.encode(), {"content-type": "text/plain", **named})


class RefusedError(Exception):
    """A request that is not carried out."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


def refused(status: int, error: str, message: str, code: str, http: int = 400) -> RefusedError:
    """As the server refuses: the true status is a string in the body."""
    body = {"statusCode": str(status), "error": error, "message": message, "code": code}
    return RefusedError(json_answer(body, http))
