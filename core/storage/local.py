"""Permanent storage in a local folder, served by the webhook under /assets/."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from core.disk import DiskUsage, is_too_full
from core.errors import StorageError
from core.ids import new_token
from core.storage.port import KeepGoing, StoredObject

PART_SUFFIX = ".storing"
PIECE_BYTES = 1 << 20


class LocalStorage:
    """An AssetStorage in a folder."""

    def __init__(
        self,
        root: Path,
        public_base_url: str,
        disk_usage: Callable[[Path], DiskUsage] = shutil.disk_usage,
    ) -> None:
        self._root = root
        self._base_url = public_base_url
        self._disk_usage = disk_usage

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._root.absolute())

    def prepare(self) -> None:
        """Make the folder."""
        with _translated(f"cannot write to {self._root}"):
            self._root.mkdir(parents=True, exist_ok=True)

    def put(
        self, source: Path, path: str, content_type: str, keep_going: KeepGoing = lambda: None
    ) -> None:
        """Move the file into place: flushed to disk, then renamed, then the folders flushed."""
        target = self.file(path)
        with _translated(f"cannot store {path}"):
            made = _make_folders(target.parent, self._root)
            _flush(source)
            self._move(source, target)
            for folder in {target.parent, *made}:
                _flush(folder)

    def size(self, path: str) -> int | None:
        """The size of the stored file."""
        with _translated(f"cannot read {path}"):
            try:
                status = self.file(path).stat()
            except FileNotFoundError:
                return None
            return status.st_size if stat.S_ISREG(status.st_mode) else None

    @contextmanager
    def read(self, path: str) -> Iterator[Iterator[bytes]]:
        """The bytes of the stored file."""
        file = self.file(path)
        with _translated(f"cannot read {path}"):
            try:
                opened = file.open("rb")
            except FileNotFoundError:
                raise StorageError("storage.missing", f"there is no {path}") from None
            with opened:
                yield iter(lambda: opened.read(PIECE_BYTES), b"")

    def url(self, path: str) -> str:
        """Our own address of the stored file."""
        return f"{self._base_url}/assets/{quote(path)}"

    def signed_url(self, path: str, signature: str, *, download: bool = False) -> None:
        """None: everything in the folder is public."""

    def delete(self, path: str) -> None:
        """Remove the stored file."""
        with _translated(f"cannot delete {path}"):
            self.file(path).unlink(missing_ok=True)

    def objects(self) -> Iterator[StoredObject]:
        """Every file, but for those that are being written."""
        for file in self._root.rglob("*"):
            with _translated(f"cannot read {file}"), suppress(FileNotFoundError):
                status = file.stat()
                if stat.S_ISREG(status.st_mode) and file.suffix != PART_SUFFIX:
                    stored_at = datetime.fromtimestamp(status.st_mtime, UTC)
                    path = file.relative_to(self._root).as_posix()
                    yield StoredObject(path, status.st_size, stored_at)

    def check(self) -> None:
        """Write and remove a file."""
        self.prepare()
        with _translated(f"cannot write to {self._root}"):
            probe = self._root / f"check-{new_token()}{PART_SUFFIX}"
            probe.touch()
            probe.unlink()

    def sweep(self, older_than: timedelta, now: datetime) -> int:
        """Remove the half-written files that killed processes left; how many that were."""
        before = (now - older_than).timestamp()
        removed = 0
        with _translated(f"cannot sweep {self._root}"):
            for left in self._root.rglob(f"*{PART_SUFFIX}"):
                with suppress(FileNotFoundError):  # its process lives, or another one sweeps
                    if left.stat().st_mtime < before:
                        left.unlink()
                        removed += 1
        return removed

    def file(self, path: str) -> Path:
        """Where an object lies. Raises StorageError for a path that leads out of the folder."""
        file = self._root / path
        parts = Path(path).parts
        if not parts or ".." in parts or "\0" in path or not file.is_relative_to(self._root):
            raise StorageError("storage.bad_path", f"not a path of an object: {path!r}")
        return file

    def _move(self, source: Path, target: Path) -> None:
        try:
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._check_disk(source.stat().st_size)
            _copy(source, target)

    def _check_disk(self, coming: int) -> None:
        if is_too_full(self._disk_usage(self._root), coming):
            raise StorageError("storage.unavailable", f"disk full: {self._root} has no room")


def _copy(source: Path, target: Path) -> None:
    """Copy from another file system. A process that is killed here leaves its part to `sweep`."""
    part = target.with_name(f"{target.name}.{new_token()}{PART_SUFFIX}")
    try:
        shutil.copyfile(source, part)
        _flush(part)
        part.replace(target)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def _make_folders(folder: Path, root: Path) -> list[Path]:
    """Create what is missing; the folders whose entries that changed."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return [parent.parent for parent in missing if parent != root]


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError("storage.unavailable", f"{doing}: {error.strerror or error}") from error
