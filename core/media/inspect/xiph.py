"""FLAC (RFC 9639) and Ogg (RFC 3533)."""

from __future__ import annotations

from core.media.inspect.view import FileType, View, broken

LONGEST_PAGE = 65_307
OGG_CODECS = {b"\x80theora": FileType("video/ogg", "ogv")}


def inspect_flac(view: View) -> FileType | None:
    """FLAC: metadata blocks with a length each, then frames."""
    if view.head(4) != b"fLaC":
        return None
    offset, last = 4, 0
    while not last:
        header = view.number(offset, 4)
        last, length = header >> 31, header & 0xFFFFFF
        offset += 4 + length
    if view.number(offset, 2) >> 1 != 0xFFF8 >> 1:
        raise broken("FLAC without frames")
    return FileType("audio/flac", "flac")


def inspect_ogg(view: View) -> FileType | None:
    """Ogg: pages with a length each, of which the last one must be whole."""
    if view.head(4) != b"OggS":
        return None
    window = view.tail(2 * LONGEST_PAGE)
    offset = view.size - len(window) + window.rfind(b"OggS\0")
    segments = view.number(offset + 26, 1)
    table = view.at(offset + 27, segments)
    view.need(offset + 27 + segments + sum(table), "Ogg")
    if offset == 0:
        raise broken("Ogg without content")
    first_packet = view.at(28, 16)
    for codec, file_type in OGG_CODECS.items():
        if first_packet.startswith(codec):
            return file_type
    return FileType("audio/ogg", "ogg")
