"""WebM and Matroska. RFC 8794 (EBML) and RFC 9559."""

from __future__ import annotations

from core.media.inspect.view import FileType, View, broken

EBML = b"\x1a\x45\xdf\xa3"
SEGMENT = b"\x18\x53\x80\x67"
DOC_TYPE = b"\x42\x82"


def inspect_matroska(view: View) -> FileType | None:
    """An EBML header and a segment, which may be of unknown size (a live recording)."""
    if view.head(4) != EBML:
        return None
    header_size, start = _size(view, 4)
    segment = start + (header_size or 0)
    if header_size is None or view.at(segment, 4) != SEGMENT:
        raise broken("WebM without a segment")
    segment_size, content = _size(view, segment + 4)
    view.need(content + (1 if segment_size is None else segment_size), "WebM")
    webm = DOC_TYPE + b"\x84webm" in view.at(start, min(header_size, 4096))
    return FileType("video/webm", "webm") if webm else FileType("video/x-matroska", "mkv")


def _size(view: View, offset: int) -> tuple[int | None, int]:
    """A variable-length size, None if unknown, and the offset behind it."""
    first = view.number(offset, 1)
    length = 9 - first.bit_length()
    if length > 8:
        raise broken("WebM with a damaged size")
    bits = 7 * length
    value = view.number(offset, length) & ((1 << bits) - 1)
    unknown = value == (1 << bits) - 1
    return None if unknown else value, offset + length
