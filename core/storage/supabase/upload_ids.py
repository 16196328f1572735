"""The uploads that were begun and not finished, remembered on the disk of this machine."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from core.ids import new_token

#: Supabase forgets an upload after that long.
LIFE = timedelta(hours=24)


class UploadIds:
    """A small file for each, named after what is uploaded and where to.

    What cannot be kept or read is forgotten: then the upload only begins anew.
    """

    def __init__(self, folder: Path, place: str) -> None:
        self._folder = folder
        self._place = place

    def recall(self, path: str) -> str | None:
        """The upload of that object, as it was remembered."""
        with suppress(OSError, UnicodeDecodeError):
            return self._file(path).read_text("ascii")
        return None

    def remember(self, path: str, upload_id: str) -> None:
        """Keep it, in place of an earlier one."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = self._folder / f"{new_token()}.new"
            draft.write_text(upload_id, "ascii")
            draft.replace(self._file(path))

    def forget(self, path: str) -> None:
        """No-op where nothing is remembered."""
        with suppress(OSError):
            self._file(path).unlink()

    def sweep(self, now: datetime) -> int:
        """Forget what Supabase has forgotten too; how many that were."""
        before = (now - LIFE).timestamp()
        removed = 0
        with suppress(OSError):  # no folder yet, or another process sweeps
            for file in self._folder.iterdir():
                if file.stat().st_mtime < before:
                    file.unlink()
                    removed += 1
        return removed

    def _file(self, path: str) -> Path:
        name = hashlib.sha256(f"{self._place}/{path}".encode()).hexdigest()
        return self._folder / name[:32]
