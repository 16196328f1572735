"""Calls KIE over HTTP, once each: nothing here repeats a request or follows a redirect."""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from json import dumps
from typing import TypeVar

import httpcore
import httpx

from core.deadline import BoundedTransport, time_limit
from core.errors import ConfigError
from core.kie import lenient
from core.kie.codes import Answer, ask_failure, create_answer, retry_after
from core.kie.families import FAMILIES, Request
from core.kie.report import (
    Accepted,
    AskAnswer,
    AskFailed,
    CreateAnswer,
    NotNow,
    Refused,
    Report,
    TaskRecord,
    Unknown,
)
from core.masking import mask

CONNECT_SECONDS = 10.0
ASK_SECONDS = 15.0  # from the first byte sent to the last one read, as below
CREATE_SECONDS = 120.0  # acceptance has been seen to take more than 90 s
KEPT_SECONDS = 5.0  # an idle connection
MAX_BODY_BYTES = 4 << 20
PACKED = ("gzip", "x-gzip", "deflate")  # not asked for, and understood where it comes

# Raised before a byte of the request left; whatever else fails may have failed after KIE read it.
NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

logger = logging.getLogger(__name__)

_T = TypeVar("_T")


class KieClient:
    """KIE's API as values: every answer, outage and nonsense is one, no exception.

    May be used by many threads at once. `clock` is monotonic, in seconds.
    """

    def __init__(
        self,
        http: httpx.Client,
        api_key: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        create_seconds: float = CREATE_SECONDS,
        ask_seconds: float = ASK_SECONDS,
    ) -> None:
        if not (api_key.isascii() and api_key.isprintable()) or api_key != api_key.strip():
            raise ConfigError("KIE_API_KEY: must be printable ASCII without spaces around it")
        self._http = http
        self._secrets = (api_key,)
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._clock = clock
        self._create_seconds = create_seconds
        self._ask_seconds = ask_seconds

    def create(
        self, family: str, model: str, input: Mapping[str, object], callback_url: str | None
    ) -> CreateAnswer:
        """Ask KIE to make a task. Not idempotent: after `Unknown` a task may exist."""
        request = FAMILIES[family].create_request(model, input, callback_url)
        started = self._clock()
        answer: CreateAnswer
        try:
            answer = create_answer(self._send(request, self._create_seconds))
        except NOTHING_SENT as error:
            answer = NotNow("kie.unreachable", _words(error))
        except NO_ANSWER as error:
            answer = Unknown(_words(error))
        answer = self._without_key(answer)
        task_id = answer.task_id if isinstance(answer, Accepted | Unknown) else None
        self._log("kie.created", _outcome(answer), started, family=family, task_id=task_id)
        return answer

    def ask(self, family: str, task_id: str) -> AskAnswer:
        """Read a task."""
        return self._ask(family, task_id, lambda report, data: report)

    def record(self, family: str, task_id: str) -> TaskRecord | AskFailed:
        """Read a task, and what it was made from."""
        read_request = FAMILIES[family].read_request
        return self._ask(
            family, task_id, lambda report, data: TaskRecord(report, read_request(data))
        )

    def _ask(
        self, family: str, task_id: str, read: Callable[[Report, object], _T]
    ) -> _T | AskFailed:
        api = FAMILIES[family]

        def read_all(data: object) -> _T | AskFailed:
            about = _about(task_id, api.read_report(data))
            return about if isinstance(about, AskFailed) else read(about, data)

        started = self._clock()
        answer = self._read(api.ask_request(task_id), read_all)
        self._log("kie.asked", _outcome(answer), started, family=family, task_id=task_id)
        return answer

    def download_url(self, url: str) -> str | AskFailed:
        """A link to a file of KIE's, good for 20 minutes (docs.kie.ai/common-api/download-url)."""
        request = Request("POST", "/api/v1/common/download-url", json={"url": url})
        started = self._clock()
        answer = self._read(request, lambda data: lenient.url(data) or _unusable("no URL"))
        self._log("kie.download_url", _outcome(answer), started)
        return answer

    def credits(self) -> Decimal | AskFailed:
        """What is left on the account (docs.kie.ai/common-api/get-account-credits)."""
        started = self._clock()
        answer = self._read(Request("GET", "/api/v1/chat/credit"), _credits)
        self._log("kie.credits", _outcome(answer), started)
        return answer

    def _read(self, request: Request, read: Callable[[object], _T]) -> _T | AskFailed:
        try:
            answer = self._send(request, self._ask_seconds)
        except NO_ANSWER as error:
            return self._without_key(AskFailed("kie.unavailable", _words(error)))
        return self._without_key(ask_failure(answer) or read(answer.data))

    def _send(self, request: Request, seconds: float) -> Answer:
        with (
            time_limit(seconds),
            self._http.stream(
                request.method,
                request.path,
                params=request.params,
                # ASCII, because text with lone surrogates has no other encoding.
                content=None if request.json is None else dumps(request.json).encode("ascii"),
                headers={"Content-Type": "application/json", **self._headers},
                timeout=httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
            ) as response,
        ):
            body = _body(response)
            wait = retry_after(response.headers)
            return Answer(response.status_code, _json_object(body), wait)

    def _without_key(self, answer: _T) -> _T:
        """The answer without our key, which KIE may quote where it does not accept it."""
        match answer:
            case AskFailed() | NotNow() | Refused() | Unknown():
                return replace(answer, message=mask(answer.message, self._secrets))
            case Report():
                words = answer.fail_message and mask(answer.fail_message, self._secrets)
                return replace(answer, fail_message=words)
            case TaskRecord():
                return replace(answer, report=self._without_key(answer.report))
        return answer

    def _log(
        self,
        event: str,
        outcome: str,
        started: float,
        *,
        family: str | None = None,
        task_id: str | None = None,
    ) -> None:
        ms = round((self._clock() - started) * 1000)
        extra = {"event": event, "family": family, "code": outcome, "ms": ms, "task_id": task_id}
        logger.info("KIE answered %s", outcome, extra=extra)


def kie_http(
    base_url: str, *, transport: httpx.BaseTransport | None = None, connections: int = 16
) -> httpx.Client:
    """The HTTP client for KIE, to be closed by its owner; `connections` is one a thread.

    No redirect, no retry, and no proxy or login from the environment.
    """
    limits = httpx.Limits(
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=KEPT_SECONDS,
    )
    return httpx.Client(
        base_url=base_url,
        transport=transport or BoundedTransport(httpcore.SyncBackend(), limits),
        headers={"User-Agent": "kie-delivery", "Accept-Encoding": "identity"},
        follow_redirects=False,
        trust_env=False,
    )


class _UnreadableError(Exception):
    """An answer came that cannot be read to its end."""


# UnicodeError: httpx reads the address of a redirect even where it follows none.
NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL, UnicodeError, _UnreadableError)


def _body(response: httpx.Response) -> bytes:
    # Unpacked by httpx, one small piece could fill the memory before its size is known.
    is_packed = response.headers.pop("content-encoding", "identity").lower() in PACKED
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _UnreadableError(f"KIE's answer is over {MAX_BODY_BYTES} bytes")
    return _unpacked(bytes(body)) if is_packed else bytes(body)


def _unpacked(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, whichever it is
    try:
        unpacked = unpacker.decompress(body, MAX_BODY_BYTES)
    except zlib.error as error:
        raise _UnreadableError("KIE's answer is packed, and damaged") from error
    if not unpacker.eof:
        raise _UnreadableError(f"KIE's answer is cut, or over {MAX_BODY_BYTES} bytes unpacked")
    return unpacked


def _json_object(body: bytes) -> dict[str, object] | None:
    try:
        found = lenient.parse(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _about(task_id: str, report: Report) -> AskAnswer:
    """The report, if it is one of this task.

    One that names another task is refused and not retried as an outage: applied, it would deliver
    somebody else's files, and whoever sees it has to know. One without an id is an answer to what
    was asked.
    """
    if report.task_id not in ("", task_id):
        return AskFailed("kie.refused", "KIE answered about another task")
    return replace(report, task_id=task_id) if report.state else _unusable("no state")


def _credits(data: object) -> Decimal | AskFailed:
    left = lenient.credits(data)
    return _unusable("no number of credits") if left is None else left


def _unusable(what: str) -> AskFailed:
    return AskFailed("kie.unavailable", f"KIE answered with {what}")


def _words(error: Exception) -> str:
    """What went wrong; the class first, because some of httpx's errors have no text."""
    return f"{type(error).__name__.removeprefix('_')}: {error}".removesuffix(": ")


def _outcome(answer: object) -> str:
    match answer:
        case AskFailed() | NotNow():
            return answer.code
        case Refused():
            return f"kie.{answer.kie_code}"
        case Unknown():
            return "unknown"
        case Report():
            return answer.state
        case TaskRecord():
            return answer.report.state
        case _:
            return "ok"
