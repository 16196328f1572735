"""One request for a file, or for the rest of it: redirects, limits, and where cuts are noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import httpx

from core.deadline import time_limit
from core.errors import MediaError
from core.media.answer import Answer, read_answer
from core.media.guard import refused
from core.media.part import Part, Record
from core.media.spool import Spool

MAX_REDIRECTS = 5
ROOM_STEP_BYTES = 16 << 20
WAIT_SECONDS = 30.0


class CutError(MediaError):
    """The file ended before its end.

    `media.unreachable`: the connection broke. `media.broken`: the host closed it in good order, so
    unless a request for the rest brings more, this is all there is.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Everything that one transfer must respect."""

    client: httpx.Client
    spool: Spool
    max_bytes: int
    keep_going: Callable[[], None]  # raises LeaseLostError
    is_overdue: Callable[[], bool]
    wait_seconds: float = WAIT_SECONDS  # for a whole head, and for each piece of a body

    def receive(self, url: str, part: Part) -> None:
        """Append to the part what it lacks. Raises CutError or another MediaError."""
        with closing(self._ask(url, part)) as response:
            answer = read_answer(response, start=part.size, validator=part.record.validator)
            if answer is not None:
                self._prepare(part, answer, url)
                self._append(part, response)
                _check_length(part, answer, response)
                return
        part.restart()
        self.receive(url, part)

    def _ask(self, url: str, part: Part) -> httpx.Response:
        headers = {}
        if part.size and part.record.validator:
            headers = {"range": f"bytes={part.size}-", "if-range": part.record.validator}
        try:
            return self._follow(httpx.URL(url), headers)
        except (httpx.InvalidURL, UnicodeError) as error:  # the latter: an impossible xn-- name
            raise refused("not a URL that can be called") from error
        except httpx.TransportError as error:
            host = httpx.URL(url).host
            raise MediaError("media.unreachable", f"{host}: {type(error).__name__}") from error

    def _follow(self, url: httpx.URL, headers: dict[str, str]) -> httpx.Response:
        request = self.client.build_request("GET", url, headers=headers)
        for _ in range(MAX_REDIRECTS + 1):
            self._check(url)
            with time_limit(self.wait_seconds):
                response = self.client.send(request, stream=True, follow_redirects=False)
            if response.next_request is None:
                return response
            response.close()
            request = response.next_request
        raise MediaError("media.broken", f"{url.host}: more than {MAX_REDIRECTS} redirects")

    def _prepare(self, part: Part, answer: Answer, url: str) -> None:
        if answer.start == 0:
            part.restart()
        if answer.total_bytes is None:
            self.spool.make_room(part, part.size + ROOM_STEP_BYTES)
        else:
            self._check_size(answer.total_bytes)
            self.spool.make_room(part, answer.total_bytes)
        if answer.start == 0 and answer.validator:
            part.remember(Record(url_sha256=url_hash(url), validator=answer.validator))

    def _append(self, part: Part, response: httpx.Response) -> None:
        try:
            for chunk in self._chunks(response):
                self._check(response.url)
                self._admit(part, part.size + len(chunk))
                part.append(chunk)
        except httpx.TransportError as error:
            closed = isinstance(error, httpx.RemoteProtocolError)
            code = "media.broken" if closed else "media.unreachable"
            raise CutError(code, f"{response.url.host}: cut after {part.size} bytes") from error

    def _chunks(self, response: httpx.Response) -> Iterator[bytes]:
        """The body as it comes; without the limit a host that drips would hold us for ever."""
        chunks = response.iter_raw()
        while True:
            with time_limit(self.wait_seconds):
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk

    def _check(self, url: httpx.URL) -> None:
        """Whether to go on at all, asked before every request and every write."""
        self.keep_going()
        if self.is_overdue():
            raise MediaError("media.unreachable", f"{url.host}: took too long")

    def _admit(self, part: Part, size_bytes: int) -> None:
        self._check_size(size_bytes)
        if size_bytes > part.expected:  # of a body whose length nobody told
            self.spool.make_room(part, size_bytes + ROOM_STEP_BYTES)

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self.max_bytes:
            message = f"{size_bytes} bytes or more, {self.max_bytes} are allowed"
            raise MediaError("media.too_large", message, permanent=True)


def url_hash(url: str) -> str:
    """Names a URL where the URL itself, which may be signed, must not be kept."""
    return hashlib.sha256(url.encode()).hexdigest()


def _check_length(part: Part, answer: Answer, response: httpx.Response) -> None:
    total = answer.total_bytes
    if total is None or part.size == total:
        return
    message = f"{response.url.host}: {part.size} of {total} bytes"
    raise (CutError if part.size < total else MediaError)("media.broken", message)
