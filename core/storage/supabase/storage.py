"""AssetStorage in a bucket of Supabase Storage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
from storage3 import SyncStorageClient
from storage3.types import BaseBucket, SearchV2Options

from core.deadline import time_limit
from core.errors import ConfigError, StorageError
from core.storage.port import KeepGoing, StoredObject
from core.storage.private_urls import PrivateUrls
from core.storage.supabase.http import FILE, outage_told
from core.storage.supabase.keys import checked
from core.storage.supabase.refusals import BucketMissingError, RefusalError, storage_error
from core.storage.supabase.resumable import ResumableUploads
from core.storage.supabase.source import Source
from core.storage.supabase.upload_ids import UploadIds

RESUMABLE_ABOVE_BYTES = 6 << 20
ASK_SECONDS = 10.0
CHECK_SECONDS = 10.0
UPLOAD_SECONDS = 600.0  # of a file in one piece
TRANSFER_SECONDS = 3600.0  # of any file; then its next try goes on
SIGNED_SECONDS = 600
PAGE_OBJECTS = 1000
YEAR_SECONDS = "31536000"  # a path holds its file's hash, so what is there never changes

#: The connection broke, or the other end stopped reading, after some of the file was sent.
CUT = (
    *(httpx.WriteTimeout, httpx.WriteError, httpx.ReadTimeout, httpx.ReadError),
    httpx.RemoteProtocolError,
)


class SupabaseStorage:
    """An AssetStorage in a bucket. Many threads may use one."""

    def __init__(
        self,
        client: SyncStorageClient,
        http: httpx.Client,
        *,
        place: str,
        bucket: str,
        is_public: bool,
        private_urls: PrivateUrls | None,  # a private bucket needs them
        uploads: ResumableUploads,
        upload_ids: UploadIds,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._http = http
        self._place = place
        self._bucket = bucket
        self._objects = client.from_(bucket)
        self._is_public = is_public
        self._private_urls = private_urls
        self._uploads = uploads
        self._upload_ids = upload_ids
        self._monotonic = monotonic

    @property
    def place(self) -> str:
        """The bucket and its project."""
        return self._place

    def prepare(self) -> None:
        """Make the bucket, or see that the one that is there is as the settings say."""
        try:
            self.check()
        except StorageError as error:
            if error.code != "storage.refused":
                raise
            raise ConfigError(str(error)) from error

    def put(
        self, source: Path, path: str, content_type: str, keep_going: KeepGoing = lambda: None
    ) -> None:
        """Upload the file: small ones at once, others in chunks, going on where a try was cut."""
        key = checked(path)
        check_time = self._time_check(f"cannot store {path}")

        def before_piece() -> None:
            keep_going()
            check_time()

        try:
            self._put(source, key, content_type, before_piece)
        except BucketMissingError:  # it is there by now
            self._put(source, key, content_type, before_piece)

    def size(self, path: str) -> int | None:
        """The size that storage tells."""
        key = checked(path)
        try:
            with self._asking(f"cannot look at {path}"):
                return _bytes(self._objects.info(key)["size"])
        except StorageError as error:
            if error.code == "storage.missing":
                return None
            raise

    @contextmanager
    def read(self, path: str) -> Iterator[Iterator[bytes]]:
        """The bytes of the object."""
        doing = f"cannot read {path}"
        url = f"/object/{self._bucket}/{quote(checked(path))}"
        request = self._http.build_request("GET", url, extensions=FILE)
        with self._asking(doing):
            response = self._http.send(request, stream=True)
        with closing(response):
            yield self._pieces(response, doing)

    def url(self, path: str) -> str:
        """The bucket's own URL of the object, or ours where the bucket is private."""
        if self._is_public or self._private_urls is None:
            return self._objects.get_public_url(path)
        return self._private_urls.url(path)

    def signed_url(self, path: str, signature: str, *, download: bool = False) -> str | None:
        """A URL of the bucket, made for whoever has the one of ours."""
        if self._private_urls is None or not self._private_urls.verifies(path, signature):
            return None
        key = checked(path)
        if self._is_public:
            return self._objects.get_public_url(key, {"download": download})
        with self._asking(f"cannot sign a URL of {path}"):
            signed = self._objects.create_signed_url(key, SIGNED_SECONDS, {"download": download})
            url = signed["signedURL"] or ""
            if not url.startswith(str(self._http.base_url)):
                raise ValueError("a URL of another server")
            return url

    def delete(self, path: str) -> None:
        """Remove the object."""
        key = checked(path)
        with self._asking(f"cannot delete {path}"):
            self._objects.remove([key])

    def objects(self) -> Iterator[StoredObject]:
        """Every object, by path."""
        self.check()  # a bucket that is missing lists as an empty one
        options: SearchV2Options = {"limit": PAGE_OBJECTS}
        seen: set[str] = set()
        while True:
            with self._asking(f"cannot list {self._place}"):
                page = self._objects.list_v2(options)
                found = [
                    StoredObject(
                        item.name, _bytes(item.metadata["size"]), item.updated_at.astimezone(UTC)
                    )
                    for item in page.objects
                    if item.metadata is not None
                ]
            yield from found
            if not page.hasNext:
                return
            if page.nextCursor in seen or page.nextCursor is None:
                raise StorageError("storage.unavailable", "the list of objects does not go on")
            seen.add(page.nextCursor)
            options["cursor"] = page.nextCursor

    def check(self) -> None:
        """See that the bucket is there, and public or private as it should be; or make it."""
        doing = f"cannot use {self._place}"
        with _told(doing), time_limit(CHECK_SECONDS):
            bucket = self._found() or self._made()
        if bucket.public != self._is_public:
            raise StorageError("storage.refused", f"{doing}: {_other_kind(bucket.public)}")

    def sweep(self, older_than: timedelta, now: datetime) -> int:
        """Forget uploads that can no longer be gone on with; Supabase removes them itself."""
        return self._upload_ids.sweep(now)

    def _put(self, source: Path, key: str, content_type: str, before_piece: KeepGoing) -> None:
        with self._asking(f"cannot store {key}"), Source(source, before_piece) as file:
            if file.size > RESUMABLE_ABOVE_BYTES:
                self._upload_in_chunks(file, key, content_type)
            else:
                self._upload(file, key, content_type)

    def _upload(self, file: Source, key: str, content_type: str) -> None:
        try:
            with time_limit(UPLOAD_SECONDS):
                self._objects.upload(
                    key,
                    file,
                    {"content-type": content_type, "cache-control": YEAR_SECONDS, "upsert": "true"},
                )
        except CUT:
            # Whoever refuses a file may stop reading and never be heard. An upload in chunks is
            # announced before a byte is sent, so that the refusal comes, or else the file goes.
            self._upload_in_chunks(file, key, content_type)

    def _upload_in_chunks(self, file: Source, key: str, content_type: str) -> None:
        metadata = {
            "bucketName": self._bucket,
            "objectName": key,
            "contentType": content_type,
            "cacheControl": YEAR_SECONDS,
        }
        self._uploads.send(file, key, metadata)

    def _pieces(self, response: httpx.Response, doing: str) -> Iterator[bytes]:
        check_time = self._time_check(doing)
        pieces = response.iter_raw()
        while True:
            with outage_told(doing), time_limit(ASK_SECONDS):
                piece = next(pieces, None)
            if piece is None:
                return
            check_time()
            yield piece

    def _time_check(self, doing: str) -> Callable[[], None]:
        """What to call between two pieces; raises StorageError once a transfer takes too long."""
        ends_at = self._monotonic() + TRANSFER_SECONDS

        def check_time() -> None:
            if self._monotonic() > ends_at:
                took = f"{doing}: not done in {TRANSFER_SECONDS / 60:.0f} minutes"
                raise StorageError("storage.unavailable", took)

        return check_time

    def _found(self) -> BaseBucket | None:
        try:
            return self._client.get_bucket(self._bucket)
        except RefusalError as refusal:
            if isinstance(storage_error("", refusal), BucketMissingError):
                return None
            raise

    def _made(self) -> BaseBucket:
        try:
            self._client.create_bucket(self._bucket, options={"public": self._is_public})
        except RefusalError as refusal:
            if refusal.status != 409:  # another process was quicker
                raise
        return self._client.get_bucket(self._bucket)

    @contextmanager
    def _asking(self, doing: str) -> Iterator[None]:
        """For one question. A bucket that is missing is made anew, for the next try."""
        try:
            with _told(doing), time_limit(ASK_SECONDS):
                yield
        except BucketMissingError:
            self.check()
            raise


@contextmanager
def _told(doing: str) -> Iterator[None]:
    """Refusals and outages as StorageError."""
    with outage_told(doing):
        try:
            yield
        except RefusalError as refusal:
            raise storage_error(doing, refusal) from refusal


def _bytes(size: object) -> int:
    """A size that storage told. Raises ValueError for what is none."""
    if type(size) is not int or size < 0:
        raise ValueError(f"a size of {size!r}")
    return size


def _other_kind(is_public: bool) -> str:
    found, wanted = ("public", "false") if is_public else ("private", "true")
    return (
        f"it is {found}, and SUPABASE_BUCKET_PUBLIC={wanted}; change that setting, change the"
        " bucket in Supabase, or name another one in SUPABASE_BUCKET"
    )
