"""The committed audio clip, made distinct per task by an ID3v2 tag that also pads it."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

from simulator.content import Content, Repeat

_CLIP = Path(__file__).parent / "clips" / "clip.mp3"
_TAG_HEADER = 10
_LARGEST_TAG = (1 << 28) - 1  # four bytes of seven bits each


def build(name: str, size: int) -> Content:
    """The clip with `name` as its comment, padded to about `size` bytes (256 MiB at most)."""
    comment = _frame(b"COMM", b"\0eng\0" + name.encode("latin-1", "replace"))
    clip = _clip()
    room = size - _TAG_HEADER - len(comment) - len(clip)
    padding = min(max(0, room), _LARGEST_TAG - len(comment))
    header = b"ID3\x03\0\0" + _syncsafe(len(comment) + padding)
    return Content.of(header + comment, Repeat(bytes(4096), padding), clip)


def _frame(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack(">IH", len(data), 0) + data


def _syncsafe(number: int) -> bytes:
    """Seven bits a byte, so that no tag length can look like the start of an audio frame."""
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))


@cache
def _clip() -> bytes:
    return _CLIP.read_bytes()
