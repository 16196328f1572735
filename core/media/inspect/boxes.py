"""ISO base media files: MP4, MOV, M4A, 3GP, AVIF and HEIC. ISO/IEC 14496-12, section 4.2."""

from __future__ import annotations

import re

from core.media.inspect.view import FileType, View, broken

MP4 = FileType("video/mp4", "mp4")
HEIF = FileType("image/heif", "heif")
MOV = FileType("video/quicktime", "mov")
BRANDS = {
    b"avif": FileType("image/avif", "avif"),
    b"avis": FileType("image/avif", "avif"),
    b"heic": FileType("image/heic", "heic"),
    b"heix": FileType("image/heic", "heic"),
    b"M4A ": FileType("audio/mp4", "m4a"),
    b"M4B ": FileType("audio/mp4", "m4a"),
    b"qt  ": MOV,
    b"3gp": FileType("video/3gpp", "3gp"),
}
FIRST = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")  # QuickTime needs no ftyp
NAME = re.compile(rb"[ -~\xa9]{4}")


def inspect_boxes(view: View) -> FileType | None:
    """A file of boxes that fill it to the end; it needs an index (moov, meta) and its media."""
    head = view.head(64)
    if head[4:8] not in FIRST:
        return None
    file_type = _type_of(head) if head[4:8] == b"ftyp" else MOV
    names = _walk(view)
    index = b"meta" if file_type.content_type.startswith("image/") else b"moov"
    if index not in names and not (index == b"moov" and b"moof" in names):
        raise broken(f"{file_type.extension.upper()} without {index.decode()}")
    if b"mdat" not in names and index == b"moov":
        raise broken(f"{file_type.extension.upper()} without media data")
    return file_type


def _type_of(head: bytes) -> FileType:
    """By the major brand, then by the compatible ones."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    major, *compatible = [head[8:12], *(head[at : at + 4] for at in range(16, end, 4))]
    if major in (b"mif1", b"msf1"):  # says "an image"; which one, the others say
        return next((BRANDS[brand] for brand in compatible if brand in BRANDS), HEIF)
    return BRANDS.get(major) or BRANDS.get(major[:3]) or MP4


def _walk(view: View) -> set[bytes]:
    """Names of the top-level boxes. Raises MediaError where the last one is cut."""
    offset, names = 0, set[bytes]()
    while offset < view.size:
        header = view.at(offset, 16)
        if not NAME.fullmatch(header[4:8]):
            if {b"moov", b"mdat"} <= names:
                break  # padding that some writers leave
            raise broken("MP4 with a damaged box")
        offset += _length(header, view.size - offset)
        names.add(header[4:8])
        view.need(offset, "MP4")
    return names


def _length(header: bytes, rest: int) -> int:
    length = int.from_bytes(header[:4], "big")
    if length == 0:
        return rest
    if length == 1:
        length = int.from_bytes(header[8:16], "big")
    if length < 8:
        raise broken("MP4 with a damaged box")
    return length
