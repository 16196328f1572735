"""The smallest files of each format that are whole: built here, so that tests can damage them."""

from __future__ import annotations

import struct
import zlib


def png(*, data_bytes: int = 40) -> bytes:
    header = _png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    body = header + _png_chunk(b"IDAT", bytes(data_bytes)) + _png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(*, thumbnail: bytes = b"") -> bytes:
    app = b"\xff\xe0" + struct.pack(">H", 16 + len(thumbnail)) + b"JFIF\0" + bytes(9) + thumbnail
    scan = b"\xff\xda" + struct.pack(">H", 8) + bytes(6) + b"\x12\xff\x00\x34" * 20
    return b"\xff\xd8" + app + scan + b"\xff\xd9"


def gif() -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0)
    return screen + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\0;"


def riff(form: bytes, *chunks: bytes) -> bytes:
    body = form + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_chunk(kind: bytes, data: bytes, *, size: int | None = None) -> bytes:
    return kind + struct.pack("<I", len(data) if size is None else size) + data


def webp() -> bytes:
    return riff(b"WEBP", riff_chunk(b"VP8 ", bytes(30)))


def avi() -> bytes:
    return riff(b"AVI ", riff_chunk(b"LIST", b"hdrl" + bytes(60)))


def wav() -> bytes:
    return riff(b"WAVE", riff_chunk(b"fmt ", bytes(16)), riff_chunk(b"data", bytes(100)))


def streamed_wav() -> bytes:
    data = riff_chunk(b"data", bytes(100), size=0xFFFFFFFF)
    whole = riff(b"WAVE", riff_chunk(b"fmt ", bytes(16)), data)
    return whole[:4] + b"\xff" * 4 + whole[8:]


def box(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(data)) + name + data


def large_box_header(name: bytes, data_bytes: int) -> bytes:
    return struct.pack(">I", 8 + data_bytes) + name


def wide_box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 1) + name + struct.pack(">Q", 16 + len(data)) + data


def endless_box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 0) + name + data


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    return box(b"ftyp", major + bytes(4) + b"".join(compatible))


def mp4(major: bytes = b"isom", *, media_bytes: int = 200) -> bytes:
    return ftyp(major, b"mp42") + box(b"moov", bytes(50)) + box(b"mdat", bytes(media_bytes))


def heif(major: bytes, *compatible: bytes) -> bytes:
    return ftyp(major, *compatible) + box(b"meta", bytes(40)) + box(b"mdat", bytes(60))


def matroska(doc_type: bytes = b"webm", *, known_size: bool = True) -> bytes:
    content = bytes(100)
    header = b"\x42\x82" + bytes([0x80 + len(doc_type)]) + doc_type
    size = bytes([0x80 + len(content)]) if known_size else b"\x01" + b"\xff" * 7
    ebml = b"\x1a\x45\xdf\xa3" + bytes([0x80 + len(header)]) + header
    return ebml + b"\x18\x53\x80\x67" + size + content


MP3_FRAME = b"\xff\xfb\x90\x00" + bytes(413)  # MPEG 1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes
ID3V1 = b"TAG" + bytes(125)


def id3v2(size: int = 300) -> bytes:
    return b"ID3\x04\0\0" + bytes([0, 0, size >> 7, size & 127]) + bytes(size)


def mp3(*, frames: int = 20) -> bytes:
    return id3v2() + MP3_FRAME * frames


def counted_mp3(*, frames: int = 40) -> bytes:
    """With a Xing header that says how many bytes the file has."""
    count = len(MP3_FRAME) * frames
    header = b"\xff\xfb\x90\x00" + bytes(32) + b"Xing" + struct.pack(">III", 3, frames, count)
    return header.ljust(len(MP3_FRAME), b"\0") + MP3_FRAME * (frames - 1)


def aac(*, frames: int = 10) -> bytes:
    length = 100
    header = bytes([0xFF, 0xF1, 0x50, 0x80 | length >> 11, length >> 3 & 255, (length & 7) << 5, 0])
    return (header + bytes(length - 7)) * frames


def flac() -> bytes:
    return b"fLaC" + struct.pack(">I", 0x80000000 | 34) + bytes(34) + b"\xff\xf8" + bytes(80)


def ogg(codec: bytes = b"OpusHead") -> bytes:
    return _ogg_page(codec.ljust(20, b"\0"), kind=2) + _ogg_page(bytes(200), kind=4)


def _ogg_page(data: bytes, *, kind: int) -> bytes:
    return b"OggS\0" + bytes([kind]) + bytes(20) + bytes([1, len(data)]) + data


def pdf() -> bytes:
    return b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n"


SVG = b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"></svg>\n'
UNKNOWN = bytes(range(256)) * 8  # no format at all
