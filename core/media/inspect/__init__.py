"""What is this file really? Told by its first bytes and by whether its container is whole.

Only headers are read, never the content: the cost does not grow with the file.
"""

from __future__ import annotations

from typing import BinaryIO

from core.media.inspect.boxes import inspect_boxes
from core.media.inspect.documents import JSON, inspect_pdf, inspect_text
from core.media.inspect.frames import inspect_frames
from core.media.inspect.images import inspect_gif, inspect_jpeg, inspect_png
from core.media.inspect.matroska import inspect_matroska
from core.media.inspect.riff import inspect_riff
from core.media.inspect.view import FileType, Inspector, View, broken
from core.media.inspect.xiph import inspect_flac, inspect_ogg

__all__ = ["JSON", "UNKNOWN", "FileType", "inspect"]

#: Every known format has more, before its first byte of content.
SHORTEST_BYTES = 12
BEGINNINGS = (
    *(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"GIF87a", b"RIFF", b"\x1aE\xdf\xa3"),
    *(b"fLaC", b"OggS", b"ID3", b"%PDF-"),
)
UNKNOWN = FileType("application/octet-stream", "bin")
INSPECTORS: tuple[Inspector, ...] = (
    inspect_png,
    inspect_jpeg,
    inspect_gif,
    inspect_riff,
    inspect_boxes,
    inspect_matroska,
    inspect_flac,
    inspect_ogg,
    inspect_pdf,
    inspect_frames,
    inspect_text,
)


def inspect(file: BinaryIO, size: int) -> FileType:
    """The type of a seekable file of `size` bytes.

    Bytes of no known format are UNKNOWN: a new format must not be lost. Raises MediaError
    `media.broken` for an empty or damaged file and for an error page or message.
    """
    if size == 0:
        raise broken("empty")
    view = View(file, size)
    _check_beginning(view)
    for inspector in INSPECTORS:
        if file_type := inspector(view):
            return file_type
    if not view.head(4096).strip(b"\0") and not view.tail(4096).strip(b"\0"):
        raise broken("nothing but zeros")
    if size < SHORTEST_BYTES:
        raise broken("too short to be anything")
    return UNKNOWN


def _check_beginning(view: View) -> None:
    """A file that ends within what it begins with could pass for text, or for a new format."""
    head = view.head(SHORTEST_BYTES)
    if any(beginning.startswith(head) and beginning != head for beginning in BEGINNINGS):
        raise broken("cut within its first bytes")
