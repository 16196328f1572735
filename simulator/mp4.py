"""The committed video clip, made distinct per task and padded with boxes that players skip."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

from simulator.content import Content, Repeat

_CLIP = Path(__file__).parent / "clips" / "clip.mp4"
_BOX_OVERHEAD = 8
_NAMESPACE = bytes.fromhex("6b69652073696d756c61746f72000001")  # says whose `uuid` box this is


def box(kind: bytes, data: bytes) -> bytes:
    """One MP4 box with its length."""
    return struct.pack(">I", _BOX_OVERHEAD + len(data)) + kind + data


def build(name: str, size: int) -> Content:
    """The clip with `name` in a `uuid` box, padded to about `size` bytes.

    Boxes go to the end: the sample offsets in `moov` stay true.
    """
    head = _clip() + box(b"uuid", _NAMESPACE + name.encode())
    room = size - len(head) - _BOX_OVERHEAD
    if room < 0:
        return Content.of(head)
    free = struct.pack(">I", _BOX_OVERHEAD + room) + b"free"
    return Content.of(head, free, Repeat(_filler(name), room))


def _filler(name: str) -> bytes:
    return name.encode().ljust(64, b".") * 64


@cache
def _clip() -> bytes:
    return _CLIP.read_bytes()
