"""One file on its way in: its bytes so far, their hash, and what is needed to go on later."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Literal

from core.errors import MediaError

BLOCK_BYTES = 1 << 20
LARGE_BYTES = 4 << 20
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is kept beside a part, so that another process can go on with it."""

    url_sha256: str | None = None
    validator: str | None = None  # a strong ETag or Last-Modified, for If-Range
    sha256: str | None = None  # of the whole file; only a complete part has it
    dies_at: float | None = None  # Unix time from which on the file cannot be had again
    refused: bool = False  # storage answered, and did not take it


class Part:
    """A part file, locked for as long as it is open; made by `Spool.open`."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path = path
        self.size = os.fstat(file.fileno()).st_size
        self.expected = 0  # bytes it will have, as far as known
        self.dies_at: float | None = None  # as in the record that it will have once complete
        self.is_first = False  # of a file that was never here as a whole
        self._file = file
        self._hash = hashlib.sha256()
        self._saved = self.record = load_record(path)

    @classmethod
    def create(cls, path: Path) -> Part | None:
        """Open a new part; None if there is one of that name."""
        return cls._locked(path, "x+b")

    @classmethod
    def lock(cls, path: Path) -> Part | None:
        """Open a part that nobody has open; None if somebody has, or if it is gone."""
        return cls._locked(path, "r+b")

    @classmethod
    def _locked(cls, path: Path, mode: Literal["x+b", "r+b"]) -> Part | None:
        try:
            file = path.open(mode, buffering=0)
        except (FileNotFoundError, FileExistsError):
            return None
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            raise _disk_full() from error
        if _lock(file, path):
            return cls(path, file)
        file.close()
        return None

    @property
    def sha256(self) -> str:
        """Hash of the bytes appended since the start, `restart` or `rehash`."""
        return self._hash.hexdigest()

    def append(self, data: bytes) -> None:
        """Write and hash. A full disk removes the part: MediaError `disk.full`."""
        try:
            written = self._file.write(data)
            while written < len(data):
                written += self._file.write(data[written:])
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            self.discard()
            raise _disk_full() from error
        self.size += len(data)
        self._hash.update(data)

    def restart(self) -> None:
        """Forget all bytes, and first the record of them."""
        self._forget()
        self._file.seek(0)
        self._file.truncate()
        self.size = 0
        self._hash = hashlib.sha256()

    def rehash(self) -> str:
        """Hash what is there, and go on after it."""
        self._hash = hashlib.sha256()
        self._file.seek(0)
        while block := self._file.read(BLOCK_BYTES):
            self._hash.update(block)
        return self.sha256

    def remember(self, record: Record) -> None:
        """Keep a record beside the part: at once for a large part, for a small one at `close`.

        A crash before that costs a small download, the file for every record would cost more.
        """
        self.record = record
        if max(self.size, self.expected) >= LARGE_BYTES:
            self._save()

    def rename(self, path: Path) -> None:
        """Move both, touched anew; a crash between the two only costs the record."""
        if self._saved != Record():
            _sidecar(self.path).replace(_sidecar(path))
        self.path.replace(path)
        os.utime(path)
        self.path = path

    def discard(self) -> None:
        """Remove part and record, as far as they are still there."""
        self.path.unlink(missing_ok=True)
        self._forget()

    def close(self) -> None:
        """Release the lock."""
        self._save()
        self._file.close()

    def _save(self) -> None:
        if self.record != self._saved:
            with suppress(OSError):  # without its record a part is only downloaded again
                _sidecar(self.path).write_text(json.dumps(asdict(self.record)))
            self._saved = self.record

    def _forget(self) -> None:
        if self._saved != Record():
            _sidecar(self.path).unlink(missing_ok=True)
        self._saved = self.record = Record()


def _disk_full() -> MediaError:
    return MediaError("disk.full", "the disk of the spool ran full")


def _sidecar(path: Path) -> Path:
    return path.with_suffix(".json")


def load_record(path: Path) -> Record:
    """The record beside a part; an empty one where there is none."""
    try:
        return Record(**json.loads(_sidecar(path).read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return Record()  # absent or torn: the part starts over


def _lock(file: FileIO, path: Path) -> bool:
    """Lock without waiting; False too if the path names another file by now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False
