"""The folder where files land before they are stored: bounded, shared by processes, swept."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from core.disk import DiskUsage, is_too_full
from core.errors import LeaseLostError, MediaError
from core.media.part import Part, Record, load_record

SAFE = re.compile(r"[A-Za-z0-9_-]+")
#: A file that dies within that time takes the room of files that live for that much longer.
IN_DANGER_SECONDS = 86_400.0


class Spool:
    """Part files named `{name}.{lease token}.part`, each with its record in a `.json` beside it."""

    def __init__(
        self,
        directory: Path,
        max_bytes: int,
        disk_usage: Callable[[Path], DiskUsage] = shutil.disk_usage,
        clock: Callable[[], float] = time.time,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._max_bytes = max_bytes
        self._disk_usage = disk_usage
        self._clock = clock
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

        `disk.full`: less than 1 GiB or 5 % would stay free. `spool.full`: the limit is reached, and
        nothing that waits here for storage gives way.
        """
        with self._mutex:
            part.expected = expected_bytes
            coming = sum(max(0, other.expected - other.size) for other in tuple(self._open))
            try:
                self._check_disk(coming)
                self._check_limit(part, coming)
            except MediaError:
                part.expected = 0
                raise

    def sweep(
        self,
        older_than: timedelta,
        now: datetime,
        wanted: Callable[[set[str]], set[str]],
    ) -> int:
        """Remove what nobody has open or touched for that long; how many parts that were.

        `wanted` says which of these files are still to be stored: they stay, for while storage is
        away nobody touches them, and the copy here may outlive KIE's.
        """
        before = (now - older_than).timestamp()
        old = [path for path, status in self._files() if status.st_mtime < before]
        parts = [path for path in old if path.suffix == ".part"]
        kept = wanted({_name(path) for path in parts}) if parts else set()
        removed = sum(_remove(path) for path in parts if _name(path) not in kept)
        for path in old:
            if path.suffix == ".json" and not path.with_suffix(".part").exists():
                path.unlink(missing_ok=True)
        return removed

    def size(self) -> int:
        """The bytes that downloads under way, and files that wait for storage, take."""
        return sum(status.st_size for _, status in self._files())

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

    def _check_limit(self, part: Part, coming: int) -> None:
        lacking = self._lacking(coming)
        if lacking > 0:
            self._make_way(part, lacking)
            lacking = self._lacking(coming)
        if lacking > 0:
            raise MediaError("spool.full", f"the spool lacks {lacking} bytes of room")

    def _lacking(self, coming: int) -> int:
        return self.size() + coming - self._max_bytes

    def _make_way(self, part: Part, lacking: int) -> None:
        """For a part, remove whole files that nobody has open, as its needs go before theirs.

        Those first that can be had again for longest; none if it would be in vain.
        """
        going: list[Part] = []
        for _, path in sorted(self._gives_way(part), reverse=True):
            if lacking > 0 and (other := Part.lock(path)):
                going.append(other)
                lacking -= other.size
        for other in going:
            if lacking <= 0:
                other.discard()
            other.close()

    def _gives_way(self, part: Part) -> Iterator[tuple[float, Path]]:
        """The whole files that give way to a part, with the time until which each can be had.

        To a part that dies within a day, all that live at least a day longer. To one that comes for
        the first time, those that storage refuses, while KIE has them for another day: they wait
        for somebody to raise a limit, and come again then; else they would fill the spool.
        """
        soon = self._clock() + IN_DANGER_SECONDS
        is_dying = part.dies_at is not None and part.dies_at <= soon
        for path, _ in self._files():
            record = load_record(path) if path.suffix == ".part" else Record()
            if record.sha256 is None or record.dies_at is None:
                continue
            outlives = is_dying and record.dies_at >= (part.dies_at or 0) + IN_DANGER_SECONDS
            if outlives or (part.is_first and record.refused and record.dies_at > soon):
                yield record.dies_at, path

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        with os.scandir(self._directory) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # parts of others come and go
                    yield Path(entry.path), entry.stat()


def _name(path: Path) -> str:
    return path.name.partition(".")[0]


def _remove(path: Path) -> bool:
    part = Part.lock(path)
    if part is None:
        return False
    part.discard()
    part.close()
    return True
