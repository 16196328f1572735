"""What inspectors share: a bounded look into a file, and the two things they can say about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from core.errors import MediaError

# The chunks of a 2 GiB PNG are fewer; a file made to keep us busy has more.
MAX_READS = 500_000


@dataclass(frozen=True, slots=True)
class FileType:
    """What a file is."""

    content_type: str
    extension: str


class View:
    """Reads a few bytes here and there of a file that may be very large."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.size = size
        self._file = file
        self._reads_left = MAX_READS

    def at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from an offset; fewer only at the end of the file."""
        self._reads_left -= 1
        if self._reads_left < 0:
            raise broken("too many parts")
        if offset >= self.size:
            return b""  # beyond what a file can have, seek itself fails
        self._file.seek(offset)
        return self._file.read(count)

    def head(self, count: int) -> bytes:
        """The first bytes."""
        return self.at(0, count)

    def tail(self, count: int) -> bytes:
        """The last bytes."""
        return self.at(max(0, self.size - count), count)

    def number(self, offset: int, count: int, *, little: bool = False) -> int:
        """An unsigned number of `count` bytes. Raises MediaError if the file ends before it."""
        data = self.at(offset, count)
        if len(data) < count:
            raise broken("cut short")
        return int.from_bytes(data, "little" if little else "big")

    def need(self, end: int, what: str) -> None:
        """Raise MediaError unless the file reaches up to `end`."""
        if end > self.size:
            raise broken(f"{what} cut short: {self.size} of {end} bytes")


Inspector = Callable[[View], FileType | None]  # None: not my format


def broken(reason: str) -> MediaError:
    """The error for a file that is not what a result should be."""
    return MediaError("media.broken", reason)
