"""Bytes of a known length that need not be in memory: what the media host streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Repeat:
    """`block` over and over, `length` bytes in all."""

    block: bytes
    length: int

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` to `stop`, of which the latter is not included."""
        phase = start % len(self.block)
        wanted = stop - start
        copies = -(-(phase + wanted) // len(self.block))
        return (self.block * copies)[phase : phase + wanted]


@dataclass(frozen=True)
class Content:
    """Several parts, one after the other."""

    parts: Sequence[Repeat]

    @classmethod
    def of(cls, *parts: bytes | Repeat) -> Content:
        """Join plain bytes and repeated blocks; empty ones are left out."""
        made = [Repeat(part, len(part)) if isinstance(part, bytes) else part for part in parts]
        return cls([part for part in made if part.length])

    @cached_property
    def length(self) -> int:
        """Bytes in all."""
        return sum(part.length for part in self.parts)

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Chunks of at most 64 KiB from `start` up to `stop`, or to the end."""
        end = self.length if stop is None else min(stop, self.length)
        ends = accumulate(part.length for part in self.parts)
        for part, part_end in zip(self.parts, ends, strict=True):
            offset = part_end - part.length
            for at in range(max(start, offset), min(end, part_end), CHUNK):
                upto = min(at + CHUNK, end, part_end)
                yield part.read(at - offset, upto - offset)
