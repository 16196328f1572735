"""From a URL to a checked file in the spool: streamed, hashed on the way, resumed after cuts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import httpx

from core.errors import MediaError, StorageError
from core.media.inspect import JSON, UNKNOWN, FileType, inspect
from core.media.part import Part
from core.media.spool import Spool
from core.media.transfer import WAIT_SECONDS, CutError, Transfer, url_hash

logger = logging.getLogger(__name__)

MAX_RESUMPTIONS = 3


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """A whole file in the spool, looked at and hashed."""

    path: Path
    content_type: str  # what the bytes say, not the host; application/octet-stream: nothing known
    extension: str
    size_bytes: int
    sha256: str


class Downloader:
    """Brings files into a spool. Many threads may use one."""

    def __init__(
        self,
        client: httpx.Client,
        spool: Spool,
        *,
        max_bytes: int,
        monotonic: Callable[[], float] = time.monotonic,
        transfer_seconds: float = 3600,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._client = client
        self._spool = spool
        self._max_bytes = max_bytes
        self._monotonic = monotonic
        self._transfer_seconds = transfer_seconds
        self._wait_seconds = wait_seconds

    @contextmanager
    def fetch(
        self,
        url: str,
        *,
        name: str,
        token: str,
        keep_going: Callable[[], None],
        sha256: str | None = None,
        dies_at: datetime | None = None,
    ) -> Iterator[SpooledFile]:
        """The file behind a URL, locked in the spool for the length of the `with` block.

        A block that ends well leaves nothing behind (it may move the file away). One that raises
        leaves the whole file: the next fetch of that name takes it without asking the host. What a
        cut or a lost lease left is resumed by the next fetch of that name and URL.

        `keep_going` is called before every request and write and stops the transfer by raising
        LeaseLostError. `sha256`: of the whole file, where an earlier fetch has told; so it is known
        even after a crash. `dies_at`: when the host will have it no more, for `Spool.make_room`.
        Raises MediaError with any of its codes.
        """
        with self._spool.open(name, token) as part:
            part.dies_at = dies_at.timestamp() if dies_at else None
            part.is_first = sha256 is None
            try:
                if not _is_complete(part, sha256):
                    self._download(part, url, keep_going)
                file = _inspected(part)
            except MediaError as error:
                if error.code != "media.unreachable" or part.record.validator is None:
                    part.discard()
                raise
            if file.content_type == UNKNOWN.content_type:
                _warn(url, file)
            part.remember(replace(part.record, sha256=file.sha256, dies_at=part.dies_at))
            try:
                yield file
            except StorageError as error:
                refused = error.code == "storage.refused"
                part.remember(replace(part.record, refused=refused))
                raise
            part.discard()

    @contextmanager
    def write_json(self, text: str, *, name: str, token: str) -> Iterator[SpooledFile]:
        """A result that is data and not a file, in the spool for the length of the block."""
        data = text.encode()
        with self._spool.open(name, token) as part:
            part.restart()
            self._spool.make_room(part, len(data))
            part.append(data)
            yield _spooled(part, JSON)
            part.discard()

    def _download(self, part: Part, url: str, keep_going: Callable[[], None]) -> None:
        started = self._monotonic()
        deadline = started + self._transfer_seconds
        transfer = Transfer(
            client=self._client,
            spool=self._spool,
            max_bytes=self._max_bytes,
            keep_going=keep_going,
            is_overdue=lambda: self._monotonic() > deadline,
            wait_seconds=self._wait_seconds,
        )
        if _is_resumable(part, url):
            part.rehash()
        else:
            part.restart()
        _receive_all(transfer, url, part)
        _log(url, part.size, self._monotonic() - started)


def _receive_all(transfer: Transfer, url: str, part: Part) -> None:
    """Receive, and go on at once after a cut, for as long as that brings new bytes."""
    for resumptions_left in range(MAX_RESUMPTIONS, -1, -1):
        before = part.size
        try:
            transfer.receive(url, part)
            return
        except CutError as cut:
            if part.size <= before or part.record.validator is None:
                raise
            if not resumptions_left:
                raise MediaError("media.unreachable", f"{cut}, again and again") from cut


def _is_resumable(part: Part, url: str) -> bool:
    record = part.record
    unfinished = part.size > 0 and record.sha256 is None
    return unfinished and record.validator is not None and record.url_sha256 == url_hash(url)


def _is_complete(part: Part, sha256: str | None) -> bool:
    """Whether an earlier fetch ended, and the disk still holds what it wrote."""
    expected = part.record.sha256 or sha256
    return part.size > 0 and expected is not None and part.rehash() == expected


def _inspected(part: Part) -> SpooledFile:
    with part.path.open("rb") as file:
        return _spooled(part, inspect(file, part.size))


def _spooled(part: Part, kind: FileType) -> SpooledFile:
    return SpooledFile(part.path, kind.content_type, kind.extension, part.size, part.sha256)


def _log(url: str, size_bytes: int, seconds: float) -> None:
    host, ms = httpx.URL(url).host, round(seconds * 1000)
    fields = {"event": "media.downloaded", "host": host, "bytes": size_bytes, "ms": ms}
    logger.info("downloaded %d bytes from %s in %d ms", size_bytes, host, ms, extra=fields)


def _warn(url: str, file: SpooledFile) -> None:
    host = httpx.URL(url).host
    fields = {"event": "media.unrecognised", "host": host, "bytes": file.size_bytes}
    logger.warning("a file of no known format from %s is kept as it is", host, extra=fields)
