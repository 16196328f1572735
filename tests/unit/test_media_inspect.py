"""What a file really is: whole files of each format, and each way to be damaged."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from core.errors import MediaError
from core.media.inspect import UNKNOWN, FileType, inspect
from tests.support import media_samples as samples


def inspected(data: bytes) -> FileType:
    return inspect(io.BytesIO(data), len(data))


WHOLE = {
    "png": (samples.png(), "image/png", "png"),
    "png and trailing bytes": (samples.png() + b"junk", "image/png", "png"),
    "jpeg": (samples.jpeg(), "image/jpeg", "jpg"),
    "jpeg with fill bytes": (b"\xff\xd8\xff" + samples.jpeg()[2:], "image/jpeg", "jpg"),
    "jpeg and trailing bytes": (samples.jpeg() + bytes(1000), "image/jpeg", "jpg"),
    "gif": (samples.gif(), "image/gif", "gif"),
    "gif and padding": (samples.gif() + bytes(20), "image/gif", "gif"),
    "webp": (samples.webp(), "image/webp", "webp"),
    "avi": (samples.avi(), "video/x-msvideo", "avi"),
    "wav": (samples.wav(), "audio/wav", "wav"),
    "wav written to a pipe": (samples.streamed_wav(), "audio/wav", "wav"),
    "mp4": (samples.mp4(), "video/mp4", "mp4"),
    "mp4 of an unknown brand": (samples.mp4(b"zzzz"), "video/mp4", "mp4"),
    "mp4 and padding": (samples.mp4() + bytes(32), "video/mp4", "mp4"),
    "mp4 with a 64-bit box": (
        samples.ftyp(b"isom") + samples.box(b"moov") + samples.wide_box(b"mdat", bytes(99)),
        "video/mp4",
        "mp4",
    ),
    "mp4 with a box to the end": (
        samples.ftyp(b"isom") + samples.box(b"moov") + samples.endless_box(b"mdat", bytes(99)),
        "video/mp4",
        "mp4",
    ),
    "fragmented mp4": (
        samples.ftyp(b"iso5") + samples.box(b"moof", bytes(9)) + samples.box(b"mdat", bytes(9)),
        "video/mp4",
        "mp4",
    ),
    "mov": (samples.mp4(b"qt  "), "video/quicktime", "mov"),
    "mov without ftyp": (samples.mp4()[20:], "video/quicktime", "mov"),
    "m4a": (samples.mp4(b"M4A "), "audio/mp4", "m4a"),
    "3gp": (samples.mp4(b"3gp5"), "video/3gpp", "3gp"),
    "avif": (samples.heif(b"avif", b"mif1"), "image/avif", "avif"),
    "avif by compatible brand": (samples.heif(b"mif1", b"avif"), "image/avif", "avif"),
    "heic": (samples.heif(b"heic", b"mif1"), "image/heic", "heic"),
    "heif": (samples.heif(b"mif1", b"mif1"), "image/heif", "heif"),
    "webm": (samples.matroska(), "video/webm", "webm"),
    "live webm": (samples.matroska(known_size=False), "video/webm", "webm"),
    "mkv": (samples.matroska(b"matroska"), "video/x-matroska", "mkv"),
    "mp3": (samples.mp3(), "audio/mpeg", "mp3"),
    "mp3 without a tag": (samples.MP3_FRAME * 20, "audio/mpeg", "mp3"),
    "mp3 of one frame": (samples.MP3_FRAME, "audio/mpeg", "mp3"),
    "mp3 with both tags": (samples.mp3() + samples.ID3V1, "audio/mpeg", "mp3"),
    "mp3 with a cut last frame": (samples.mp3()[:-100], "audio/mpeg", "mp3"),
    "mp3 with a gap after its tag": (
        samples.id3v2() + bytes(500) + samples.MP3_FRAME * 9,
        "audio/mpeg",
        "mp3",
    ),
    "mp3 that counts its bytes": (samples.counted_mp3(), "audio/mpeg", "mp3"),
    "aac": (samples.aac(), "audio/aac", "aac"),
    "flac": (samples.flac(), "audio/flac", "flac"),
    "ogg": (samples.ogg(), "audio/ogg", "ogg"),
    "ogg video": (samples.ogg(b"\x80theora"), "video/ogg", "ogv"),
    "pdf": (samples.pdf(), "application/pdf", "pdf"),
    "json": (b'{"code": 200, "data": {"words": ["a"]}}', "application/json", "json"),
    "json with an error that is none": (
        b'{"error": null, "text": "hello"}',
        "application/json",
        "json",
    ),
    "long json": (b"[" + b"1, " * 90_000 + b"1]", "application/json", "json"),
    "lyrics with headings": (b"[Verse]\nKites fly\n[End]", "text/plain", "txt"),
    "long lyrics": ("Drachen über dem Meer\n".encode() * 400, "text/plain", "txt"),
    "text that is cut inside a character where we look": (
        b"a" * 4095 + "ü".encode(),
        "text/plain",
        "txt",
    ),
    "short subtitles": (b"1\n00:00:01,000 --> 00:00:02,000\nHello\n", "text/plain", "txt"),
    "text about an error": (b"Error of my ways\nForbidden love", "text/plain", "txt"),
    "xml that is data": (b'<?xml version="1.0"?><tt><body/></tt>', "text/plain", "txt"),
    "json that is cut": (b'{"words": ["a", "b', "text/plain", "txt"),
}

BROKEN = {
    "empty": b"",
    "png cut in its data": samples.png()[:60],
    "png cut before its end": samples.png()[:-12],
    "png cut in its end": samples.png()[:-2],
    "png without data": samples.png()[:33] + samples.png()[-12:],
    "jpeg cut in its scan": samples.jpeg()[:-30],
    "jpeg cut behind its thumbnail": samples.jpeg(thumbnail=samples.jpeg())[:-30],
    "jpeg cut in its header": samples.jpeg()[:10],
    "jpeg with a damaged header": b"\xff\xd8\xff\xe0\x00\x02" + bytes(20),
    "gif cut": samples.gif()[:-1],
    "webp cut": samples.webp()[:-3],
    "webp without content": samples.riff(b"WEBP"),
    "avi cut": samples.avi()[:-9],
    "wav cut": samples.wav()[:-50],
    "wav cut in its header": samples.wav()[:20],
    "wav without a format": samples.riff(b"WAVE", samples.riff_chunk(b"data", bytes(9))),
    "wav with a data chunk too long": samples.riff(
        b"WAVE", samples.riff_chunk(b"fmt ", bytes(16)), samples.riff_chunk(b"data", b"", size=99)
    ),
    "wav of no samples": samples.streamed_wav()[:-100],
    "mp4 cut in its media": samples.mp4()[:-1],
    "mp4 cut before its index": samples.ftyp(b"isom") + samples.box(b"mdat", bytes(90)),
    "mp4 without media": samples.ftyp(b"isom") + samples.box(b"moov", bytes(50)),
    "mp4 of an impossible size": samples.ftyp(b"isom") + b"\0\0\0\x05moov" + bytes(9),
    "mp4 with zeros for boxes": samples.ftyp(b"isom") + bytes(90),
    "mov cut": samples.mp4(b"qt  ")[:-9],
    "avif without meta": samples.ftyp(b"avif") + samples.box(b"mdat", bytes(50)),
    "avif cut": samples.heif(b"avif")[:-5],
    "webm cut": samples.matroska()[:-1],
    "webm cut in its header": samples.matroska()[:8],
    "live webm without content": samples.matroska(known_size=False)[:-100],
    "webm without a segment": samples.matroska()[:12] + bytes(50),
    "mp3 cut in its tag": samples.id3v2()[:-5],
    "mp3 without audio": samples.id3v2() + bytes(5000),
    "mp3 that counts more bytes": samples.counted_mp3()[: 417 * 15],
    "mp3 with a hole at its end": samples.mp3() + bytes(70_000),
    "flac cut in its metadata": samples.flac()[:20],
    "flac without frames": samples.flac()[:42],
    "ogg cut": samples.ogg()[:-1],
    "ogg cut in a page header": samples.ogg()[: 48 + 20],
    "ogg of one page": samples.ogg()[:48],
    "pdf cut": samples.pdf()[:-10],
    "svg cut": samples.SVG[:-10],
    "html page": b"<!DOCTYPE html><html><body>Sign in</body></html>" * 99,
    "html page with a mark": b"\xef\xbb\xbf\n <html>" + b" " * 9000,
    "html page with an svg": b"<html><svg></svg></html>",
    "html fragment": b"<center><h1>403</h1></center>",
    "xml error without a head": b"<Error><Code>NoSuchKey</Code></Error>",
    "xml error": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "json error": b'{"code": 404, "msg": "not found"}',
    "json error of a bucket": b'{"statusCode": "404", "error": "not_found", "message": "Object"}',
    "json error of a framework": b'{"detail": "Not Found"}',
    "json error with empty data": b'{"Code": 401, "msg": "no", "data": null, "requestId": "1"}',
    "text error": b"error code: 1020",
    "not found": b"404 page not found\n",
    "forbidden": b"Forbidden",
    "access denied": b"Access Denied.",
    "status line": b"HTTP/1.1 502 Bad Gateway",
    "proxy error": b"upstream connect error or disconnect/reset before headers. reset reason: x",
    "white space": b" \r\n",
    "zeros": bytes(20_000),
}

STRANGE = {
    "no known format": samples.UNKNOWN,
    "svg, which a browser would run": samples.SVG,
    "text of another encoding": "Drachen über dem Meer".encode("latin-1"),
    "text in words of two bytes": "Drachen".encode("utf-16"),
    "binary that starts like a page": b"<" + samples.UNKNOWN,
    "sync word and no frames": b"\xff\xfb\x90\x00" + samples.UNKNOWN,
}


@pytest.mark.parametrize("case", WHOLE)
def test_a_whole_file_is_recognised(case: str) -> None:
    data, content_type, extension = WHOLE[case]
    assert inspected(data) == FileType(content_type, extension)


@pytest.mark.parametrize("case", BROKEN)
def test_a_damaged_file_is_refused(case: str) -> None:
    with pytest.raises(MediaError) as caught:
        inspected(BROKEN[case])
    assert (caught.value.code, caught.value.permanent) == ("media.broken", False)


@pytest.mark.parametrize("case", STRANGE)
def test_an_unknown_file_is_kept_as_unknown(case: str) -> None:
    assert inspected(STRANGE[case]) == FileType("application/octet-stream", "bin")


@pytest.mark.parametrize("case", WHOLE)
def test_no_beginning_of_a_file_crashes_an_inspector(case: str) -> None:
    data = WHOLE[case][0]
    for size in range(min(len(data), 700)):
        try:
            inspected(data[:size])
        except MediaError as error:
            assert error.code == "media.broken"


LARGE = {
    "mp4": (samples.mp4(media_bytes=0)[:-8] + samples.large_box_header(b"mdat", 1 << 30), b""),
    "mp3": (samples.mp3(frames=200), samples.MP3_FRAME * 200),
}


class CountingFile(io.FileIO):
    """A file that knows how much of it was read."""

    bytes_read = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.bytes_read += len(data)
        return data


@pytest.mark.parametrize("case", LARGE)
def test_a_gigabyte_costs_no_more_than_its_headers(tmp_path: Path, case: str) -> None:
    head, tail = LARGE[case]
    path = tmp_path / "large"
    path.write_bytes(head)
    os.truncate(path, len(head) + (1 << 30))  # a hole, so that no disk is needed
    with path.open("ab") as file:
        file.write(tail)
    with CountingFile(path) as file:
        assert inspect(file, path.stat().st_size) is not UNKNOWN
        assert file.bytes_read < 1 << 20


def test_a_file_of_endless_parts_is_given_up() -> None:
    data = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0tEXt\0\0\0\0" * 500_001
    with pytest.raises(MediaError, match="too many parts"):
        inspected(data)


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp", "mp4", "mp3", "pdf"])
@pytest.mark.parametrize("size", [1, 2])
def test_a_file_cut_within_its_first_bytes_is_broken(kind: str, size: int) -> None:
    with pytest.raises(MediaError) as caught:
        inspected(WHOLE[kind][0][:size])
    assert caught.value.code == "media.broken"


def test_a_short_text_is_a_text() -> None:
    assert inspected(b"Yes.").content_type == "text/plain"


@pytest.mark.parametrize("size", range(12, 32))
def test_a_tag_without_its_end_is_no_tag(size: int) -> None:
    assert inspected((b"APETAGEX" + b"\x01" * 24)[:size]).content_type != "audio/mpeg"
