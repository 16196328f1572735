"""A file on its way into storage."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path

PIECE_BYTES = 1 << 16


class Source(FileIO):
    """A file that is read piece by piece; `before_piece` may stop its reader by raising."""

    def __init__(self, path: Path, before_piece: Callable[[], None]) -> None:
        super().__init__(path, "rb")
        self._before_piece = before_piece

    @property
    def size(self) -> int:
        """In bytes."""
        return os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        self._before_piece()
        return super().read(-1 if size is None else size)

    def pieces(self, start: int, length: int) -> Iterator[bytes]:
        """A part of the file."""
        self.seek(start)
        while length and (piece := self.read(min(length, PIECE_BYTES))):
            yield piece
            length -= len(piece)
