"""A media host in memory: the real HTTP client, a fake wire."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import httpx


def png(seed: int = 0) -> bytes:
    """A small valid picture, different for each seed."""
    rows = b"".join(b"\0" + bytes([(seed + x) % 256 for x in range(24)]) for _ in range(8))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


class FakeMedia:
    """Serves `files` by path; `answers` override it by path; `requests` holds the paths asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, Callable[[], httpx.Response]] = {}
        self.requests: list[str] = []

    def client(self) -> httpx.Client:
        """A client whose wire ends here."""
        return httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.requests.append(path)
        if path in self.answers:
            return self.answers[path]()
        if path not in self.files:
            return httpx.Response(404)
        return answer_with(self.files[path])


def answer_with(content: bytes, **headers: str) -> httpx.Response:
    """A whole answer that can be streamed."""
    length = {"content-length": str(len(content))}
    return httpx.Response(200, headers=length | headers, stream=httpx.ByteStream(content))


def refuse_connection() -> httpx.Response:
    """An answer that never comes."""
    raise httpx.ConnectError("refused")
