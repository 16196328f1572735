"""What permanent storage must be able to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

#: Called between two pieces of long work; stops it by raising LeaseLostError.
KeepGoing = Callable[[], None]


class StoredObject(NamedTuple):
    """An object as storage lists it."""

    path: str
    size_bytes: int
    stored_at: datetime


class AssetStorage(Protocol):
    """Objects by `/`-separated path. Every method raises StorageError where storage is away."""

    @property
    def place(self) -> str:
        """Where the objects are, for people; no secret."""
        ...

    def prepare(self) -> None:
        """Make the folder or bucket if there is none. Raises ConfigError where it cannot serve."""
        ...

    def put(
        self, source: Path, path: str, content_type: str, keep_going: KeepGoing = lambda: None
    ) -> None:
        """Store a file under a path, replacing what was there; the source may be moved away.

        All or nothing, and durable: after an exception or a power cut no partial object is seen.
        """
        ...

    def size(self, path: str) -> int | None:
        """How many bytes the object has; None: there is no such object."""
        ...

    def read(self, path: str) -> AbstractContextManager[Iterator[bytes]]:
        """The bytes of an object, in pieces. Raises StorageError `storage.missing`."""
        ...

    def url(self, path: str) -> str:
        """The permanent URL of the object."""
        ...

    def signed_url(self, path: str, signature: str, *, download: bool = False) -> str | None:
        """A URL that opens a private object for ten minutes, for who shows its `?sig=`.

        `download`: a browser saves it, and does not show it. Raises StorageError `storage.missing`.
        None: not the signature that `url` gave for this path, or nothing here is private.
        """
        ...

    def delete(self, path: str) -> None:
        """Remove the object. No-op where there is none."""
        ...

    def objects(self) -> Iterator[StoredObject]:
        """Every object, in any order, read in pages as they are asked for."""
        ...

    def check(self) -> None:
        """Raise StorageError unless an object could be stored now."""
        ...

    def sweep(self, older_than: timedelta, now: datetime) -> int:
        """Remove what interrupted puts left behind; how much that was."""
        ...
