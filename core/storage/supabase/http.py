"""The HTTP client for Supabase Storage: bounded in time and size, its refusals raised."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpcore
import httpx

from core.deadline import BoundedTransport
from core.errors import StorageError
from core.storage.supabase.refusals import read_refusal

KEPT_SECONDS = 5.0  # an idle connection
MAX_ANSWER_BYTES = 8 << 20
#: Marks a request whose answer is a file, and may be of any size.
FILE = {"file": True}

#: What the client libraries raise where an answer is not what it should be.
NONSENSE = (httpx.InvalidURL, ValueError, TypeError, KeyError, OverflowError, RecursionError)


def storage_http(
    base_url: str, key: str, *, connections: int, stall_seconds: float
) -> httpx.Client:
    """The client, to be closed by its owner; raises RefusalError for whatever is no success.

    `stall_seconds` is how long a single read or write may take; `time_limit` bounds the whole. No
    redirect, no retry, and no proxy or login from the environment.
    """
    limits = httpx.Limits(
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=KEPT_SECONDS,
    )

    def check(response: httpx.Response) -> None:
        if response.is_success and "file" in response.request.extensions:
            return
        response.headers.pop("content-encoding", None)  # none was asked for, and none is undone
        response.stream = _Limited(response.stream)
        if not response.is_success:
            raise read_refusal(response.status_code, response.read(), key)

    return httpx.Client(
        base_url=base_url,
        transport=BoundedTransport(httpcore.SyncBackend(), limits),
        timeout=stall_seconds,
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [check]},
        follow_redirects=False,
        trust_env=False,
    )


@contextmanager
def outage_told(doing: str) -> Iterator[None]:
    """Whatever keeps storage from being asked, or its answer from being read, as StorageError."""
    try:
        yield
    except httpx.HTTPError as error:
        why = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise StorageError("storage.unavailable", f"{doing}: {why}") from error
    except OSError as error:
        raise StorageError("storage.unavailable", f"{doing}: {error.strerror or error}") from error
    except NONSENSE as error:
        why = f"an answer that makes no sense ({type(error).__name__})"
        raise StorageError("storage.unavailable", f"{doing}: {why}") from error


class _Limited(httpx.SyncByteStream):
    """A body of which no more than so much is read."""

    def __init__(self, body: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        assert isinstance(body, httpx.SyncByteStream)
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        left = MAX_ANSWER_BYTES
        for piece in self._body:
            left -= len(piece)
            if left < 0:
                raise httpx.ReadError(f"the answer is over {MAX_ANSWER_BYTES} bytes")
            yield piece

    def close(self) -> None:
        self._body.close()
