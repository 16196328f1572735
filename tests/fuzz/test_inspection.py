"""Whatever bytes a media host sends: a type or `media.broken`, after few reads, soon."""

from __future__ import annotations

import io
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import MediaError
from core.media.inspect import FileType, inspect
from core.media.inspect.view import MAX_READS
from tests.fuzz.documents import of_size
from tests.support import media_samples as samples
from tests.unit.test_media_inspect import WHOLE

SIZE = 4 << 20
VALID = [data for data, _, _ in WHOLE.values()]
LENGTHS = (0, 1, 7, 8, 15, 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 63, (1 << 64) - 1)
STARTS = (
    *(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\xff\xff\xff\xffWAVE", b"RF64"),
    *(b"\0\0\0\x18ftypisom", b"\0\0\0\x01mdat", b"\x1a\x45\xdf\xa3", b"fLaC", b"OggS\0", b"%PDF-"),
    *(b"ID3\x04\0\0\x7f\x7f\x7f\x7f", b"\xff\xfb\x90\0", b"\xff\xf1\x50\x80", b"<?xml", b"<svg"),
    *(b'{"error":', b"[", b"\xef\xbb\xbf<!--", b"HTTP/1.1 "),
)


@contextmanager
def on_disk(data: bytes) -> Iterator[BinaryIO]:
    """A real file: unlike one in memory it cannot be read from any number on."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        yield file  # type: ignore[misc]


def judged(data: bytes) -> FileType | None:
    """The type; None for a file that is refused."""
    with on_disk(data) as file:
        try:
            return inspect(file, len(data))
        except MediaError as error:
            assert error.code == "media.broken"
            assert len(str(error)) < 200
            return None


def put(data: bytes, at: int, new: bytes) -> bytes:
    at %= len(data) + 1
    return data[:at] + new + data[at + len(new) :]


numbers = st.sampled_from(
    [struct.pack(">Q", n) for n in LENGTHS]
    + [struct.pack(f"{order}I", n) for n in LENGTHS if n >> 32 == 0 for order in "<>"]
)
changes = st.lists(st.tuples(st.integers(0, 600), numbers | st.binary(max_size=9)), max_size=5)


@given(st.sampled_from(STARTS), st.binary(max_size=400))
def test_any_bytes_are_judged(start: bytes, rest: bytes) -> None:
    judged(rest)
    judged(start + rest)


@given(st.sampled_from(VALID), changes, st.integers(0, 600))
def test_any_damage_to_a_whole_file_is_judged(
    data: bytes, made: list[tuple[int, bytes]], lost: int
) -> None:
    for at, new in made:
        data = put(data, at, new)
    judged(data[: len(data) - lost % len(data)])


@given(st.sampled_from(VALID), st.sampled_from(VALID), st.integers(0, 600))
def test_two_files_glued_at_any_place_are_judged(one: bytes, other: bytes, at: int) -> None:
    judged(one[:at] + other)


def ebml(size: bytes) -> bytes:
    return b"\x1a\x45\xdf\xa3" + size + bytes(40)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_length_that_lies_is_no_more_than_a_broken_file(length: int) -> None:
    wide = struct.pack(">I", 1) + b"mdat" + struct.pack(">Q", length)
    narrow = struct.pack(">I", min(length, (1 << 32) - 1))
    size = struct.pack(">Q", length & (1 << 56) - 1 | 1 << 56)
    for data in (
        samples.ftyp(b"isom") + wide,
        samples.ftyp(b"isom") + narrow + b"moov",
        b"\x89PNG\r\n\x1a\n" + narrow + b"IHDR",
        b"RIFF" + narrow[::-1] + b"WAVEfmt " + narrow[::-1],
        b"fLaC" + narrow,
        ebml(size),
    ):
        judged(data)


TIRING = {
    "boxes of eight bytes": (samples.ftyp(b"isom"), b"\0\0\0\x08free", b""),
    "box in box": (b"", b"\0\0\1\0moov", b""),
    "PNG chunks of nothing": (b"\x89PNG\r\n\x1a\n", b"\0\0\0\0tEXt\0\0\0\0", b""),
    "JPEG segments of nothing": (b"\xff\xd8", b"\xff\xe0\0\2", b""),
    "JPEG segments of length 0": (b"\xff\xd8", b"\xff\xe0\0\0", b""),
    "JPEG fill bytes": (b"\xff\xd8", b"\xff", b""),
    "WAV chunks of nothing": (b"RIFF\0\0\0\0WAVE", b"junk\0\0\0\0", b""),
    "ID3 tags": (b"", b"ID3\4\0\0\0\0\0\0", b""),
    "FLAC blocks": (b"fLaC", b"\0\0\0\0", b""),
    "Ogg pages": (b"", b"OggS\0\0", b""),
    "sync bytes": (samples.id3v2(), b"\xff", b""),
    "half frames": (samples.id3v2(), b"\xff\xfb\x90", b""),
    "brackets": (b"", b"[", b"]"),
    "digits": (b"[", b"9", b"]"),
    "spaces": (b"", b" ", b""),
}


class CountingFile(io.BytesIO):
    """A file that knows how often and how much of it was read."""

    reads = 0
    bytes_read = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.reads += 1
        self.bytes_read += len(data)
        return data


@pytest.mark.parametrize("shape", TIRING)
def test_a_file_made_to_tire_us_is_judged_soon(shape: str) -> None:
    file = CountingFile(of_size(*TIRING[shape], SIZE))
    started = time.process_time()
    try:
        inspect(file, SIZE)
    except MediaError as error:
        assert error.code == "media.broken"
    assert time.process_time() - started < 10
    assert file.reads <= MAX_READS + 100
    assert file.bytes_read < 4 * SIZE


PROLOGS = ("<??>", "<!---->", "<!--", "<?", " ", "<!DOCTYPE svg>", "<!DOCTYPE svg", "> ", "\n<?x?>")


@pytest.mark.parametrize("unit", PROLOGS)
@pytest.mark.parametrize("start", ["", "<!--x-->", "<?xml?>", "<!DOCTYPE svg "])
def test_a_text_can_be_read_in_one_way_only(unit: str, start: str) -> None:
    """Where it can be read in many, trying them all has no end."""
    judged((start + unit * 4096)[:4096].encode())
