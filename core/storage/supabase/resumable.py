"""Uploads in chunks that go on where they were cut (TUS)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx
from tusclient.client import TusClient
from tusclient.uploader import Uploader

from core.deadline import time_limit
from core.storage.supabase.refusals import NO_BUCKET, RefusalError
from core.storage.supabase.source import Source
from core.storage.supabase.upload_ids import UploadIds

ENDPOINT = "/upload/resumable"
CHUNK_BYTES = 6 << 20  # Supabase takes no other size but for the last one
CHUNK_SECONDS = 600.0
ANSWER_SECONDS = 30.0
MAX_CUTS = 5  # then the next try goes on, and others have their turn
CONFLICT = 409  # the server is at another offset
GONE = (404, 410)
UNKNOWN = (400, *GONE)  # of an id that we remember

_ID = re.compile(r"[A-Za-z0-9_.=-]{1,4000}")


class ResumableUploads:
    """Sends files to the upload endpoint. Many threads may use one."""

    def __init__(self, http: httpx.Client, ids: UploadIds) -> None:
        self._http = http
        self._ids = ids

    def send(self, source: Source, path: str, metadata: dict[str, str]) -> None:
        """Upload a file, or what is missing of it since an earlier try.

        Raises RefusalError and httpx's errors; what was sent until then is not sent again.
        """
        upload = _Upload(self._http, source, metadata)
        known = self._ids.recall(path)
        try:
            if known is None or not upload.takes_up(known):
                self._ids.remember(path, upload.begin())
            upload.go_on()
        except RefusalError as refusal:
            if refusal.status not in GONE or refusal.name in NO_BUCKET:
                raise
            self._ids.forget(path)
            words = f"the upload is not known there any more and begins anew ({refusal.words})"
            raise RefusalError(CONFLICT, "", words) from refusal
        self._ids.forget(path)


class _Upload(Uploader):  # type: ignore[misc]
    """tuspy's protocol over our client: its own requests know no time limit."""

    def __init__(self, http: httpx.Client, source: Source, metadata: dict[str, str]) -> None:
        self._http = http
        self._source = source
        super().__init__(
            file_stream=source,
            client=TusClient(ENDPOINT, {"x-upsert": "true"}),
            chunk_size=CHUNK_BYTES,
            metadata=metadata,
        )

    def takes_up(self, upload_id: str) -> bool:
        """Go on with an earlier upload; False where the server knows it no more."""
        if not _ID.fullmatch(upload_id):
            return False
        self.url = f"{ENDPOINT}/{upload_id}"
        try:
            self.offset = self.get_offset()
        except RefusalError as refusal:
            if refusal.status not in UNKNOWN:
                raise
            return False
        except (KeyError, ValueError):
            return False
        return True

    def begin(self) -> str:
        """Start a new upload; its id."""
        self.url, self.offset = self.create_url(), 0
        return self.url.rpartition("/")[2]

    def go_on(self) -> None:
        """Send what is missing; after a cut at once, for as long as something gets through."""
        for _ in range(MAX_CUTS):
            before = self.offset
            try:
                self.upload()
                return
            except httpx.TransportError as error:
                cut: Exception = error
            except RefusalError as refusal:
                if refusal.status != CONFLICT:
                    raise
                cut = refusal
            believed, self.offset = self.offset, self.get_offset()
            if before == believed == self.offset:
                break
        raise cut

    def create_url(self) -> str:
        """Announce the file. Its own bytes stay here, so a refusal can always be read."""
        try:
            with time_limit(ANSWER_SECONDS):
                answer = self._http.post(ENDPOINT, headers=self.get_url_creation_headers())
        except RefusalError as refusal:
            if refusal.status == 404:
                raise RefusalError(404, NO_BUCKET[0], refusal.words) from refusal
            raise
        # Only the id is taken: our key goes nowhere but to SUPABASE_URL.
        upload_id = urlsplit(answer.headers["location"]).path.rpartition("/")[2]
        if not _ID.fullmatch(upload_id):
            raise ValueError("no id of an upload")
        return f"{ENDPOINT}/{upload_id}"

    def get_offset(self) -> int:
        """How much the server has."""
        with time_limit(ANSWER_SECONDS):
            answer = self._http.head(self.url, headers=self.get_headers())
        if int(answer.headers["upload-length"]) != self.stop_at:
            raise RefusalError(GONE[0], "", "the upload is one of a file of another size")
        return self._within(answer, 0)

    def upload_chunk(self) -> None:
        """Send the next chunk."""
        length = self.get_request_length()
        headers = {
            **self.get_headers(),
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(length),
            "Upload-Offset": str(self.offset),
        }
        with time_limit(CHUNK_SECONDS):
            pieces = self._source.pieces(self.offset, length)
            answer = self._http.patch(self.url, content=pieces, headers=headers)
        self.offset = self._within(answer, self.offset + 1)

    def _within(self, answer: httpx.Response, least: int) -> int:
        offset = int(answer.headers["upload-offset"])
        if not least <= offset <= self.stop_at:
            raise ValueError(f"an offset of {offset}")
        return offset
