"""The folder where files land before they are stored: bounded, shared by processes, swept."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from core.disk import DiskUsage, is_too_full
from core.errors import LeaseLostError, MediaError
from core.media.part import Part

SAFE = re.compile(r"[A-Za-z0-9_-]+")


class Spool:
    """Part files named `{name}.{lease token}.part`, each with its record in a `.json` beside it."""

    def __init__(
        self,
        directory: Path,
        max_bytes: int,
        disk_usage: Callable[[Path], DiskUsage] = shutil.disk_usage,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._max_bytes = max_bytes
        self._disk_usage = disk_usage
        self._mutex = threading.Lock()
        self._open: set[Part] = set()

    @contextmanager
    def open(self, name: str, token: str) -> Iterator[Part]:
        """The part of a file, mine alone while it is open: a dead lease's, or a new one.

        A part that a stopped process still has open stays with that process. Raises
        LeaseLostError where another worker has this very part open.
        """
        path = self._path(name, token)
        part = self._take_over(name, path) or Part.create(path)
        if part is None:
            raise LeaseLostError
        self._open.add(part)
        try:
            yield part
        finally:
            self._open.discard(part)
            part.close()

    def make_room(self, part: Part, expected_bytes: int) -> None:
        """Set room aside for a part of that size until it is closed, or raise MediaError.

        `disk.full`: less than 1 GiB or 5 % would stay free. `spool.full`: the limit is reached.
        """
        with self._mutex:
            part.expected = expected_bytes
            coming = sum(max(0, other.expected - other.size) for other in tuple(self._open))
            try:
                self._check_disk(coming)
                self._check_limit(coming)
            except MediaError:
                part.expected = 0
                raise

    def sweep(self, older_than: timedelta, now: datetime) -> int:
        """Remove what nobody has open or touched for that long; how many parts that were."""
        before = (now - older_than).timestamp()
        old = [path for path, status in self._files() if status.st_mtime < before]
        removed = sum(_remove(path) for path in old if path.suffix == ".part")
        for path in old:
            if path.suffix == ".json" and not path.with_suffix(".part").exists():
                path.unlink(missing_ok=True)
        return removed

    def _path(self, name: str, token: str) -> Path:
        if not (SAFE.fullmatch(name) and SAFE.fullmatch(token)):
            raise ValueError(f"not a name for a spool file: {name!r}, {token!r}")
        return self._directory / f"{name}.{token}.part"

    def _take_over(self, name: str, path: Path) -> Part | None:
        """The largest part of earlier leases, under my name; the others are of no use any more."""
        earlier = [
            (status.st_size, found)
            for found, status in self._files()
            if found.suffix == ".part" and found.name.startswith(f"{name}.")
        ]
        taken = None
        for _, found in sorted(earlier, reverse=True):
            if taken is not None:
                _remove(found)
            elif taken := Part.lock(found):
                taken.rename(path)
        return taken

    def _check_disk(self, coming: int) -> None:
        usage = self._disk_usage(self._directory)
        if is_too_full(usage, coming):
            raise MediaError("disk.full", f"{usage.free} bytes free on the disk of the spool")

    def _check_limit(self, coming: int) -> None:
        present = sum(status.st_size for _, status in self._files())
        if present + coming > self._max_bytes:
            raise MediaError("spool.full", f"{present} bytes in the spool, {coming} more to come")

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        with os.scandir(self._directory) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # parts of others come and go
                    yield Path(entry.path), entry.stat()


def _remove(path: Path) -> bool:
    part = Part.lock(path)
    if part is None:
        return False
    part.discard()
    part.close()
    return True
