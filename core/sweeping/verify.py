"""Re-reads stored files, and compares what comes with what was stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

from core.errors import StorageError
from core.storage.port import AssetStorage
from core.store.files import FileRow
from core.sweeping.judging import Harm
from core.sweeping.repair import Harmed

#: Reading waits for the network; more would only crowd out deliveries.
READERS = 4
AT_ONCE = 64


class Read(NamedTuple):
    """What reading one file gave."""

    size_bytes: int
    harmed: Harmed | None = None


def verify(files: Iterable[FileRow], storages: Sequence[AssetStorage]) -> Iterator[Read]:
    """Each file read once, some at a time, in order.

    Raises StorageError where storage is away: that says nothing about the files.
    """
    remaining = iter(files)
    pool = ThreadPoolExecutor(READERS, thread_name_prefix="verify")
    try:
        while some := list(islice(remaining, AT_ONCE)):
            yield from pool.map(lambda file: _read(file, storages), some)
    finally:
        pool.shutdown(cancel_futures=True)


def _read(file: FileRow, storages: Sequence[AssetStorage]) -> Read:
    """Well if one of the storages has it as it was stored."""
    path, size_bytes = file.path or "", 0
    harm, why = Harm.MISSING, "storage does not have it"
    for storage in storages:
        try:
            size_bytes, sha256 = _digest(storage, path)
        except StorageError as error:
            if error.code == "storage.unavailable":
                raise
            if error.code != "storage.missing":
                harm, why = Harm.UNREADABLE, str(error)
            continue
        if (file.size_bytes or size_bytes, file.sha256 or sha256) == (size_bytes, sha256):
            return Read(size_bytes)
        harm = Harm.DIFFERS
        why = f"{size_bytes:,} bytes with SHA-256 {sha256} came, not what was stored"
    return Read(size_bytes, Harmed(file, path, harm, why))


def _digest(storage: AssetStorage, path: str) -> tuple[int, str]:
    size_bytes, digest = 0, hashlib.sha256()
    with storage.read(path) as pieces:
        for piece in pieces:
            size_bytes += len(piece)
            digest.update(piece)
    return size_bytes, digest.hexdigest()
