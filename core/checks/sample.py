"""A small file of ours in permanent storage, for as long as the checks last."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path

from core.errors import StorageError
from core.ids import new_token
from core.storage.port import AssetStorage


class Sample:
    """One file, under a path of its own, of a type that results have too."""

    def __init__(self, storage: AssetStorage) -> None:
        token = new_token()
        self._storage = storage
        self._may_be_there = False
        self.path = f"check-{token}.json"  # in no folder, which would stay
        self.content = json.dumps({"writtenBy": "python -m core doctor", "token": token}).encode()

    def write(self) -> None:
        """Put it into storage."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / self.path
            source.write_bytes(self.content)
            self._may_be_there = True
            self._storage.put(source, self.path, "application/json")

    def read(self) -> bytes:
        """What storage has under its path, as far as it could be the same."""
        found = bytearray()
        with self._storage.read(self.path) as pieces:
            for piece in pieces:
                found += piece
                if len(found) > len(self.content):
                    break
        return bytes(found)

    def delete(self) -> None:
        """Take it out of storage."""
        self._storage.delete(self.path)
        self._may_be_there = False

    def close(self) -> None:
        """Leave nothing behind, as far as storage lets us."""
        if self._may_be_there:
            with suppress(StorageError):
                self.delete()
