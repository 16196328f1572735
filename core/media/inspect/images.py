"""PNG, JPEG and GIF."""

from __future__ import annotations

from core.media.inspect.view import FileType, View, broken

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
START_OF_SCAN = 0xDA
WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}  # TEM, RSTn, SOI
TAIL = 1 << 16  # cameras and editors add that much, or less, after the end marker


def inspect_png(view: View) -> FileType | None:
    """PNG: chunks with a length each, IDAT among them, IEND at last."""
    if view.head(8) != PNG_SIGNATURE:
        return None
    offset, seen = 8, set()
    while b"IEND" not in seen:
        header = view.at(offset, 8)
        offset += 12 + int.from_bytes(header[:4], "big")
        view.need(offset, "PNG")
        seen.add(header[4:])
    if not {b"IHDR", b"IDAT"} <= seen:
        raise broken("PNG without an image")
    return FileType("image/png", "png")


def inspect_jpeg(view: View) -> FileType | None:
    """JPEG: segments up to the scan, whose data cannot hold the end marker that must follow."""
    if view.head(3) != b"\xff\xd8\xff":
        return None
    scan = _start_of_scan(view)
    start = max(scan, view.size - TAIL)
    if b"\xff\xd9" not in view.at(start, view.size - start):
        raise broken("JPEG without its end")
    return FileType("image/jpeg", "jpg")


def _start_of_scan(view: View) -> int:
    offset = 2
    while True:
        mark, kind = divmod(view.number(offset, 2), 256)
        if mark != 0xFF:
            raise broken("JPEG with a damaged header")
        if kind == 0xFF:  # fill byte
            offset += 1
        elif kind in WITHOUT_LENGTH:
            offset += 2
        else:
            offset += 2 + view.number(offset + 2, 2)
            view.need(offset, "JPEG")
            if kind == START_OF_SCAN:
                return offset


def inspect_gif(view: View) -> FileType | None:
    """GIF: ends with an empty block and the trailer, perhaps padded."""
    if view.head(6) not in (b"GIF87a", b"GIF89a"):
        return None
    if not view.tail(4096).rstrip(b"\0").endswith(b"\0;"):
        raise broken("GIF without its end")
    return FileType("image/gif", "gif")
