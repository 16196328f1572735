from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import pytest

from simulator import mp3, mp4, picture
from simulator.content import Content, Repeat


def data_of(content: Content) -> bytes:
    return b"".join(content.read())


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(kind + body)
        yield kind, body
        at += 12 + length


def mp4_boxes(data: bytes) -> list[tuple[bytes, int]]:
    boxes, at = [], 0
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        boxes.append((kind, length))
        at += length
    return boxes


def test_parts_read_in_pieces_are_the_whole() -> None:
    content = Content.of(b"head", Repeat(b"abc", 8), b"", b"tail")
    pieces = [b"".join(content.read(at, at + 3)) for at in range(0, content.length, 3)]
    assert b"".join(pieces) == b"headabcabcabtail"


def test_reading_past_the_end_stops_there() -> None:
    assert b"".join(Content.of(b"abc").read(1, 99)) == b"bc"


def test_a_gigabyte_can_be_read_anywhere_without_being_made() -> None:
    content = mp4.build("task/1.mp4", 1 << 30)
    assert len(b"".join(content.read(content.length - 5))) == 5


@pytest.mark.parametrize(
    ("ratio", "size"), [("1:1", (768, 768)), ("16:9", (1024, 576)), ("auto", (768, 768))]
)
def test_a_picture_has_the_asked_ratio(ratio: str, size: tuple[int, int]) -> None:
    assert picture.dimensions(ratio) == size


def test_a_picture_is_a_valid_png_of_plausible_size() -> None:
    data = data_of(picture.build("task/1.png", "a red kite", "16:9", 0))
    chunks = list(png_chunks(data))
    pixels = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    assert len(pixels) == 576 * (1 + 1024 * 3)
    assert 100_000 < len(data) < 300_000


def test_pictures_differ_by_task_and_stay_the_same_for_one() -> None:
    one, other = (picture.build(f"{n}/1.png", "a kite", "1:1", 0) for n in "ab")
    picture.build.cache_clear()
    assert data_of(one) == data_of(picture.build("a/1.png", "a kite", "1:1", 0))
    assert data_of(one) != data_of(other)


def test_a_padded_picture_is_as_long_as_asked_and_still_ends_well() -> None:
    data = data_of(picture.build("task/1.png", "a kite", "1:1", 1_000_000))
    assert len(data) == 1_000_000
    assert [kind for kind, _ in png_chunks(data)][-1] == b"IEND"


@pytest.mark.parametrize("size", [0, 3_000_000])
def test_the_boxes_of_a_video_sum_to_its_length_with_moov_first(size: int) -> None:
    data = data_of(mp4.build("task/1.mp4", size))
    kinds = [kind for kind, _ in mp4_boxes(data)]
    assert sum(length for _, length in mp4_boxes(data)) == len(data)
    assert kinds.index(b"moov") < kinds.index(b"mdat")
    assert size in (0, len(data))


def test_videos_differ_by_task() -> None:
    assert data_of(mp4.build("a/1.mp4", 0)) != data_of(mp4.build("b/1.mp4", 0))


@pytest.mark.parametrize("size", [0, 500_000])
def test_audio_frames_follow_a_tag_that_names_the_task(size: int) -> None:
    data = data_of(mp3.build("task/1.mp3", size))
    tag_length = int.from_bytes(bytes(data[6:10]), "big")
    tag_length = sum((tag_length >> (8 * n) & 0x7F) << (7 * n) for n in range(4))
    assert data.startswith(b"ID3\x03\0\0") and b"task/1.mp3" in data[: 10 + tag_length]
    assert data[10 + tag_length : 12 + tag_length] == b"\xff\xfb"
    assert size in (0, len(data))


def test_audio_is_padded_no_further_than_a_tag_can_be() -> None:
    assert mp3.build("task/1.mp3", 1 << 30).length < (1 << 28) + 100_000
