"""When a request has arrived. What it says, and whether it is one, the server decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from webhook.reading import MAX_BODY_BYTES

MAX_HEAD_BYTES = 1 << 16
MAX_REQUEST_BYTES = MAX_HEAD_BYTES + MAX_BODY_BYTES
BEYOND = 1 << 62

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9a-f]{1,8})[ \t]*(;.*)?", re.IGNORECASE)


def request_end(received: bytearray, invite: Callable[[], object]) -> Iterator[int | None]:
    """Where the request in `received` ends, to be asked again after each arrival.

    None while more has to come. What will be refused is not waited for: its end lies beyond what
    is there. `invite` is called where the sender waits for a word before it sends the body.
    """
    while (head_end := received.find(b"\r\n\r\n")) < 0:
        yield None if len(received) <= MAX_HEAD_BYTES else BEYOND
    body = head_end + 4
    head = bytes(received[:body])
    if len(received) == body and b" HTTP/1.1\r\n" in head and _EXPECTS.search(head):
        invite()
    yield from _chunks_end(received, body) if _CHUNKED.search(head) else _end(received, body, head)


def _end(received: bytearray, body: int, head: bytes) -> Iterator[int | None]:
    announced = _LENGTH.search(head)
    length = int(announced[1]) if announced else 0
    while len(received) < body + length and length <= MAX_BODY_BYTES:
        yield None
    yield body + length


def _chunks_end(received: bytearray, at: int) -> Iterator[int | None]:
    size = 1
    while size:
        while (line_end := received.find(b"\r\n", at)) < 0:
            yield None if len(received) <= MAX_REQUEST_BYTES else BEYOND
        line = _CHUNK.fullmatch(received, at, line_end)
        if not line:
            yield BEYOND
            return
        size = int(line[1], 16)
        at = line_end + 2 + size + 2
    while (end := received.find(b"\r\n\r\n", line_end)) < 0:
        yield None if len(received) <= MAX_REQUEST_BYTES else BEYOND
    yield end + 4
