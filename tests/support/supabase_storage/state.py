"""What the double holds: buckets, objects with their bodies on disk, uploads under way."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any

from tests.support.supabase_storage.wire import RefusedError, refused

KEY = re.compile(r"[A-Za-z0-9_/!.*'() &$=@;:+,?-]+")
BUCKET_NAME = re.compile(r"[A-Za-z0-9_!.*'() &$=@;:+,?-]{1,100}")
LONG_KEY = 1024


@dataclass
class Bucket:
    """A bucket and its limits."""

    id: str
    public: bool = False
    file_size_limit: int | None = None
    allowed_mime_types: list[str] | None = None

    def shown(self) -> dict[str, Any]:
        """As the server shows it."""
        times = {"created_at": moment(), "updated_at": moment()}
        return {"name": self.id, "owner": "", **vars(self), **times}


@dataclass(frozen=True)
class Object:
    """A whole object."""

    file: Path
    size: int
    content_type: str
    cache_control: str
    version: str
    id: str
    stored_at: str

    @property
    def content(self) -> bytes:
        """Its bytes."""
        return self.file.read_bytes()


@dataclass
class Upload:
    """A resumable upload under way."""

    bucket: str
    key: str
    length: int
    content_type: str
    cache_control: str
    file: Path
    offset: int = 0
    is_finished: bool = False


@dataclass
class State:
    """All of it. Tests look at it and change it."""

    folder: Path
    buckets: dict[str, Bucket] = field(default_factory=dict)
    objects: dict[tuple[str, str], Object] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)

    def new_file(self) -> Path:
        """A file for bytes that come in."""
        return self.folder / uuid.uuid4().hex

    def bucket(self, name: str) -> Bucket:
        """The bucket of that name. Raises RefusedError."""
        if name not in self.buckets:
            raise refused(404, "Bucket not found", "Bucket not found", "NoSuchBucket")
        return self.buckets[name]

    def object(self, bucket: str, key: str) -> Object:
        """The object under a key. Raises RefusedError."""
        self.bucket(bucket)
        if (bucket, key) not in self.objects:
            raise refused(404, "not_found", "Object not found", "NoSuchKey")
        return self.objects[bucket, key]

    def commit(self, bucket: str, key: str, file: Path, content_type: str, cache: str) -> Object:
        """Make an object of a whole file."""
        with self.lock:
            before = self.objects.get((bucket, key))
            stored = Object(
                file=file,
                size=file.stat().st_size,
                content_type=content_type,
                cache_control=cache,
                version=uuid.uuid4().hex,
                id=before.id if before else str(uuid.uuid4()),
                stored_at=moment(),
            )
            self.objects[bucket, key] = stored
        if before:
            before.file.unlink()
        return stored

    def remove(self, bucket: str, key: str) -> Object | None:
        """Remove an object."""
        removed = self.objects.pop((bucket, key), None)
        if removed:
            removed.file.unlink()
        return removed


def moment() -> str:
    """Now, as the server writes times."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def check_key(key: str) -> None:
    """Raises RefusedError for a key that the server does not take."""
    if len(key) > LONG_KEY:
        raise refused(500, "Internal", "Internal Server Error", "InternalError", http=500)
    if not KEY.fullmatch(key):
        raise refused(400, "InvalidKey", f"Invalid key: {key}", "InvalidKey")


def too_large() -> RefusedError:
    """More bytes than the bucket, or the server, takes."""
    message = "The object exceeded the maximum allowed size"
    return refused(413, "Payload too large", message, "EntityTooLarge")


def check_type(bucket: Bucket, content_type: str) -> None:
    """Raises RefusedError for a type that the bucket does not take."""
    allowed = bucket.allowed_mime_types
    if allowed is not None and content_type.split(";")[0] not in allowed:
        message = f"mime type {content_type} is not supported"
        raise refused(415, "invalid_mime_type", message, "InvalidMimeType")
