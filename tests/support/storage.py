"""Storage elsewhere, as far as the engine and the webhook can tell: it may be away."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import StorageError
from core.ids import new_token
from core.storage.local import LocalStorage
from core.storage.port import KeepGoing, StoredObject
from core.storage.private_urls import PrivateUrls

URLS = PrivateUrls("http://127.0.0.1:8000", ("asset-url-secret",))
SIGNED = "https://storage.test/sign"


class RemoteStorage(LocalStorage):
    """A private bucket: what is put there is copied, and every call fails with `error`, if set."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, "https://storage.test")
        self.error: StorageError | None = None
        self.puts: list[str] = []
        self.calls = 0

    def put(
        self, source: Path, path: str, content_type: str, keep_going: KeepGoing = lambda: None
    ) -> None:
        """Copy the file there."""
        self._call()
        self.puts.append(path)
        copy = source.with_name(f"{new_token()}.copy")
        shutil.copyfile(source, copy)
        super().put(copy, path, content_type)

    def size(self, path: str) -> int | None:
        """The size of the object."""
        self._call()
        return super().size(path)

    @contextmanager
    def read(self, path: str) -> Iterator[Iterator[bytes]]:
        """Its bytes."""
        self._call()
        with super().read(path) as pieces:
            yield pieces

    def url(self, path: str) -> str:
        """Our own permanent URL of it."""
        return URLS.url(path)

    def signed_url(self, path: str, signature: str, *, download: bool = False) -> str | None:  # type: ignore[override]
        """The bucket's URL of it."""
        if not URLS.verifies(path, signature):
            return None
        self._call()
        if super().size(path) is None:
            raise StorageError("storage.missing", f"there is no {path}")
        return f"{SIGNED}/{path}?token=jwt{'&download=' if download else ''}"

    def objects(self) -> Iterator[StoredObject]:
        """All objects."""
        self._call()
        return super().objects()

    def _call(self) -> None:
        self.calls += 1
        if self.error is not None:
            raise self.error


AWAY = StorageError("storage.unavailable", "storage.test: connection refused")
