"""PNG files from rows of pixels, with valid chunks of any size to pad them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

from simulator.content import Content, Repeat

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK_OVERHEAD = 12  # length, type and CRC
_PADDING_TYPE = b"siMp"  # ancillary, private, safe to copy: every decoder skips it
_PADDING_BLOCK = 64 * 1024 - _CHUNK_OVERHEAD


def chunk(kind: bytes, data: bytes) -> bytes:
    """One PNG chunk with its length and CRC."""
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def encode(width: int, height: int, rows: Iterable[bytes], *, comment: str, size: int) -> Content:
    """A truecolour PNG of `rows` (3 bytes per pixel), padded to about `size` bytes."""
    packer = zlib.compressobj(6)
    pixels = b"".join(packer.compress(b"\0" + row) for row in rows) + packer.flush()
    head = b"".join(
        (
            _SIGNATURE,
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            chunk(b"tEXt", b"Comment\0" + comment.encode("latin-1", "replace")),
            chunk(b"IDAT", pixels),
        )
    )
    end = chunk(b"IEND", b"")
    return Content.of(head, *_padding(size - len(head) - len(end)), end)


def _padding(size: int) -> tuple[Repeat | bytes, ...]:
    """Chunks of `size` bytes together; equal ones share one CRC, so a gigabyte costs nothing."""
    if size < _CHUNK_OVERHEAD:
        return ()
    block = chunk(_PADDING_TYPE, b"\xa5" * _PADDING_BLOCK)
    blocks, rest = divmod(size, len(block))
    last = chunk(_PADDING_TYPE, bytes(rest - _CHUNK_OVERHEAD)) if rest >= _CHUNK_OVERHEAD else b""
    return Repeat(block, blocks * len(block)), last
