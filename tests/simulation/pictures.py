"""Pictures that cost nothing to draw: the smallest PNG, its name among its bytes."""

from __future__ import annotations

import struct
import zlib

from simulator.content import Content


def build(name: str, prompt: str, ratio: str, size: int) -> Content:
    """In place of `simulator.picture.build`."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    data = _chunk(b"IDAT", zlib.compress(b"\0\0"))
    words = _chunk(b"tEXt", b"Title\0" + name.encode())
    return Content.of(b"\x89PNG\r\n\x1a\n" + header + words + data + _chunk(b"IEND", b""))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
