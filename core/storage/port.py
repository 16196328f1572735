"""What permanent storage must be able to do."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class AssetStorage(Protocol):
    """Objects by `/`-separated path. Every method raises StorageError where storage is away."""

    def put(self, source: Path, path: str, content_type: str) -> None:
        """Store a file under a path, replacing what was there; the source may be moved away.

        All or nothing, and durable: after an exception or a power cut no partial object is seen.
        """
        ...

    def size(self, path: str) -> int | None:
        """How many bytes the object has; None: there is no such object."""
        ...

    def url(self, path: str) -> str:
        """The permanent URL of the object."""
        ...

    def delete(self, path: str) -> None:
        """Remove the object. No-op where there is none."""
        ...

    def check(self) -> None:
        """Raise StorageError unless an object could be stored now."""
        ...
