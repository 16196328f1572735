"""Files as a media host may send them, and what is made of each: docs/broken-media.md's table.

The whole ones among them are the control group: to refuse one is worse than to keep a broken one,
because it was paid for and may be had from nowhere else.
"""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
from dataclasses import dataclass
from enum import Enum

from tests.support import media_samples as samples


class Verdict(Enum):
    """What a file came to."""

    CAUGHT = "caught"  # broken, and refused
    MISSED = "missed"  # broken, and kept
    KEPT = "kept"  # whole, and kept
    FALSE_ALARM = "false alarm"  # whole, and refused


@dataclass(frozen=True, slots=True)
class Sample:
    """One file, served with 200. `why` tells of a broken one how it can pass."""

    name: str
    data: bytes
    is_whole: bool = False
    why: str = ""

    @property
    def verdict(self) -> Verdict:
        """What is expected."""
        if self.is_whole:
            return Verdict.KEPT
        return Verdict.MISSED if self.why else Verdict.CAUGHT


def progressive_jpeg() -> bytes:
    """Several scans, each with its own header."""
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, 1, 1, 1) + b"\1\x11\0"
    scan = b"\xff\xda" + struct.pack(">H", 8) + bytes(6) + b"\x12\xff\x00\x34" * 9
    return b"\xff\xd8" + frame + scan * 4 + b"\xff\xd9"


def fragmented_mp4(fragments: int) -> bytes:
    fragment = samples.box(b"moof", bytes(40)) + samples.box(b"mdat", bytes(400))
    return samples.ftyp(b"iso5") + samples.box(b"moov", bytes(80)) + fragment * fragments


def indexed_last() -> bytes:
    """MP4 as cameras write it: the index follows the media."""
    media = samples.box(b"mdat", bytes(200))
    return samples.ftyp(b"isom") + media + samples.box(b"moov", bytes(50))


def endless_mdat() -> bytes:
    media = samples.endless_box(b"mdat", bytes(200))
    return samples.ftyp(b"isom") + samples.box(b"moov", bytes(50)) + media


def ape_tag() -> bytes:
    return b"APETAGEX" + struct.pack("<IIII", 2000, 32, 0, 0) + bytes(8)


def wav_that_lies() -> bytes:
    format_ = samples.riff_chunk(b"fmt ", bytes(16))
    return samples.riff(b"WAVE", format_, samples.riff_chunk(b"data", bytes(100), size=5000))


def zip_archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.txt"), "a" * 300)
    return file.getvalue()


NOISE = random.Random(1).randbytes(5000)
PAGE = "<!DOCTYPE html>\n<html><head><title>Sorry</title></head><body>é</body></html>\n"
XML_ERROR = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'
LYRICS = "[Verse]\nKites fly high, é\n[End]\n"
UNMARKED = "the format does not say how long it is; with Content-Length the cut is noticed"
UNREAD = "the content itself is never decoded"
NO_FORMAT = "bytes of no known format are kept and marked, a new format must not be lost"
TRAILING = "bytes behind the end of a whole file do no harm, and writers do leave such"

WHOLE = (
    Sample("PNG", samples.png(), True),
    Sample("PNG and trailing bytes", samples.png() + b"junk", True),
    Sample("JPEG", samples.jpeg(), True),
    Sample("progressive JPEG", progressive_jpeg(), True),
    Sample("JPEG with a thumbnail", samples.jpeg(thumbnail=samples.jpeg()), True),
    Sample("JPEG and padding", samples.jpeg() + bytes(500), True),
    Sample("GIF", samples.gif(), True),
    Sample("GIF and padding", samples.gif() + bytes(9), True),
    Sample("WebP", samples.webp(), True),
    Sample("AVIF", samples.heif(b"avif", b"mif1"), True),
    Sample("HEIC", samples.heif(b"heic", b"mif1"), True),
    Sample("SVG", samples.SVG, True),
    Sample("MP4", samples.mp4(), True),
    Sample("MP4, index last", indexed_last(), True),
    Sample("MP4, mdat of size 0 (to the end)", endless_mdat(), True),
    Sample("MP4, 64-bit mdat", samples.mp4() + samples.wide_box(b"mdat", bytes(99)), True),
    Sample("fragmented MP4", fragmented_mp4(3), True),
    Sample("MOV", samples.mp4(b"qt  "), True),
    Sample("WebM", samples.matroska(), True),
    Sample("WebM, live (size unknown)", samples.matroska(known_size=False), True),
    Sample("Matroska", samples.matroska(b"matroska"), True),
    Sample("AVI", samples.avi(), True),
    Sample("MP3", samples.mp3(), True),
    Sample("MP3 without a tag", samples.MP3_FRAME * 9, True),
    Sample("MP3 with ID3v1", samples.mp3() + samples.ID3V1, True),
    Sample("MP3 with an APE tag", samples.mp3() + ape_tag(), True),
    Sample("MP3 with APE and ID3v1", samples.mp3() + ape_tag() + samples.ID3V1, True),
    Sample("MP3 that counts its bytes", samples.counted_mp3(), True),
    Sample("AAC", samples.aac(), True),
    Sample("M4A", samples.mp4(b"M4A "), True),
    Sample("WAV", samples.wav(), True),
    Sample("WAV, streamed (length 0xFFFFFFFF)", samples.streamed_wav(), True),
    Sample("FLAC", samples.flac(), True),
    Sample("Ogg", samples.ogg(), True),
    Sample("PDF", samples.pdf(), True),
    Sample("ZIP", zip_archive(), True),
    Sample("JSON data", b'{"words": ["a", "b"], "code": 200}', True),
    Sample("lyrics", LYRICS.encode(), True),
    Sample("lyrics in UTF-16", LYRICS.encode("utf-16"), True),
    Sample("lyrics in Latin-1", LYRICS.encode("latin-1"), True),
)

BROKEN = (
    Sample("empty", b""),
    Sample("nothing but zeros", bytes(9000)),
    Sample("white space", b" \r\n" * 9),
    Sample("PNG, signature only", samples.png()[:8]),
    Sample("PNG, header only", samples.png()[:33]),
    Sample("PNG cut in its data", samples.png()[:60]),
    Sample("PNG cut before IEND", samples.png()[:-12]),
    Sample("PNG, chunk of length 0xFFFFFFFF", samples.png()[:33] + b"\xff" * 4 + b"IDAT"),
    Sample("PNG with a spoilt picture", samples.png().replace(bytes(9), b"x" * 9), why=UNREAD),
    Sample("two PNGs glued", samples.png() * 2, why=TRAILING),
    Sample("half a PNG and a whole one", samples.png()[:50] + samples.png()),
    Sample("JPEG, header only", samples.jpeg()[:22]),
    Sample("JPEG cut in its scan", samples.jpeg()[:-20]),
    Sample("JPEG cut before its end marker", samples.jpeg()[:-2]),
    Sample("progressive JPEG cut between scans", progressive_jpeg()[:-48]),
    Sample("JPEG cut, with a whole thumbnail", samples.jpeg(thumbnail=samples.jpeg())[:-20]),
    Sample("GIF cut before its trailer", samples.gif()[:-1]),
    Sample("WebP cut", samples.webp()[:-3]),
    Sample("WebP, header only", samples.webp()[:12]),
    Sample("AVIF cut", samples.heif(b"avif")[:-5]),
    Sample("SVG cut", samples.SVG[:-9]),
    Sample("MP4, ftyp only", samples.ftyp(b"isom", b"mp42")),
    Sample("MP4 without moov", samples.ftyp(b"isom") + samples.box(b"mdat", bytes(200))),
    Sample("MP4 with a moov beyond the end", indexed_last()[:-20]),
    Sample("MP4 cut in mdat", samples.mp4()[:-90]),
    Sample("MP4, mdat to the end, cut", endless_mdat()[:-90], why=UNMARKED),
    Sample("MP4, box of length 2^64-1", samples.ftyp(b"isom") + b"\0\0\0\1moov" + b"\xff" * 8),
    Sample("MP4, box of length 4", samples.ftyp(b"isom") + b"\0\0\0\4moov" + bytes(50)),
    Sample("fragmented MP4 cut in a fragment", fragmented_mp4(3)[:-50]),
    Sample("fragmented MP4 cut between two", fragmented_mp4(2), why=UNMARKED),
    Sample("WebM cut", samples.matroska()[:-9]),
    Sample("WebM, header of length 2^56", b"\x1a\x45\xdf\xa3\x01" + b"\x7f" * 7 + bytes(90)),
    Sample("WebM, live, cut", samples.matroska(known_size=False)[:-60], why=UNMARKED),
    Sample("AVI cut", samples.avi()[:-9]),
    Sample("ID3 tag only", samples.id3v2()),
    Sample("ID3 tag and zeros", samples.id3v2() + bytes(5000)),
    Sample("MP3 cut, bytes counted", samples.counted_mp3()[: 417 * 15]),
    Sample("MP3 cut, bytes not counted", samples.mp3()[: 417 * 9], why=UNMARKED),
    Sample("AAC cut", samples.aac()[:-250], why=UNMARKED),
    Sample("WAV cut", samples.wav()[:-50]),
    Sample("WAV whose data length lies", wav_that_lies()),
    Sample("WAV, streamed, cut", samples.streamed_wav()[:-50], why=UNMARKED),
    Sample("FLAC, metadata only", samples.flac()[:42]),
    Sample("FLAC cut in its frames", samples.flac()[:-40], why=UNMARKED),
    Sample("Ogg cut in a page", samples.ogg()[:-50]),
    Sample("Ogg, first page only", samples.ogg()[:48]),
    Sample("PDF cut", samples.pdf()[:-9]),
    Sample("ZIP cut", zip_archive()[:-30], why=NO_FORMAT),
    Sample("noise, as if encrypted", NOISE, why=NO_FORMAT),
    Sample("lyrics cut", LYRICS.encode()[:9], why=UNMARKED),
    Sample("JSON data cut", b'{"words": ["a", "b', why="it is kept as the text that it still is"),
    Sample("HTML page", PAGE.encode()),
    Sample("HTML page with a byte order mark", PAGE.encode("utf-8-sig")),
    Sample("HTML page in UTF-16", PAGE.encode("utf-16")),
    Sample("HTML page in Latin-1", PAGE.encode("latin-1")),
    Sample("HTML page behind comments", b"<!-- x -->\n" * 40 + PAGE.encode()),
    Sample("HTML page packed by gzip", gzip.compress(PAGE.encode(), mtime=0), why=NO_FORMAT),
    Sample("XML error of a bucket", XML_ERROR),
    Sample("JSON error", b'{"code": 404, "msg": "file not found"}'),
    Sample("JSON error with a byte order mark", b'\xef\xbb\xbf{"error": "expired"}'),
    Sample("text error", b"403 Forbidden\n"),
)
CORPUS = WHOLE + BROKEN


def table(found: dict[str, Verdict]) -> str:
    """The table for the documentation, with its totals."""
    lines = ["| file | verdict |", "|---|---|"]
    for sample in CORPUS:
        verdict = found[sample.name].value
        lines.append(f"| {sample.name} | {verdict}{sample.why and f': {sample.why}'} |")
    totals = {verdict: list(found.values()).count(verdict) for verdict in Verdict}
    caught, missed = totals[Verdict.CAUGHT], totals[Verdict.MISSED]
    lines += [
        "",
        f"{len(CORPUS)} files. Of {caught + missed} broken ones {caught} were caught and {missed}"
        f" missed; of {len(WHOLE)} whole ones {totals[Verdict.KEPT]} were kept, with"
        f" {totals[Verdict.FALSE_ALARM]} false alarms.",
    ]
    return "\n".join(lines)
