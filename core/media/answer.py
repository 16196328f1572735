"""What the answer of a media host promises, or why it is of no use. Pure: headers only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from core.errors import MediaError

# No file has more digits, and `int` refuses some thousands.
LENGTH = re.compile(r"[0-9]{1,18}")
CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
TRY_AGAIN = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class Answer:
    """A body that is about to come."""

    start: int  # where in the file its first byte belongs
    total_bytes: int | None  # of the whole file, where the host says so
    validator: str | None  # names these very bytes, for If-Range


def read_answer(response: httpx.Response, *, start: int, validator: str | None) -> Answer | None:
    """The promised body; None where the file cannot be continued from `start`: ask for all of it.

    Raises MediaError `media.dead`, `media.unreachable` or `media.broken`.
    """
    host, status = response.url.host, response.status_code
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
        return None
    if status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        raise MediaError(_code(status), f"{host} answered {status}")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        # Nobody asked for it: unpacking would let a small body fill the disk.
        raise MediaError("media.broken", f"{host} sent a compressed body")
    if status == HTTPStatus.OK:
        return Answer(0, _content_length(response), _validator(response))
    answer = _partial(response, start)
    return answer if answer.validator in (None, validator) else None


def _code(status: int) -> str:
    if status in TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "media.unreachable"
    # Other 4xx (an expired signature is 400 or 401 with some hosts) need a new URL as well.
    return "media.dead" if status >= HTTPStatus.BAD_REQUEST else "media.broken"


def _partial(response: httpx.Response, start: int) -> Answer:
    header = response.headers.get("content-range", "")
    match = CONTENT_RANGE.fullmatch(header)
    if not start or match is None or int(match[1]) != start:
        host = response.url.host
        header = header[:100]
        raise MediaError("media.broken", f"{host} sent {header!r}, not the bytes from {start} on")
    total = None if match[3] == "*" else int(match[3])
    return Answer(start, total, _validator(response))


def _content_length(response: httpx.Response) -> int | None:
    length = response.headers.get("content-length", "")
    return int(length) if LENGTH.fullmatch(length) else None


def _validator(response: httpx.Response) -> str | None:
    etag: str = response.headers.get("etag", "")
    if etag.startswith('"'):  # W/"..." does not promise the same bytes
        return etag
    modified: str | None = response.headers.get("last-modified")
    return modified
