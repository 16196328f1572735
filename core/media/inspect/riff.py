"""RIFF: WebP, WAV and AVI."""

from __future__ import annotations

from core.media.inspect.view import FileType, View, broken

TYPES = {
    b"WEBP": FileType("image/webp", "webp"),
    b"WAVE": FileType("audio/wav", "wav"),
    b"AVI ": FileType("video/x-msvideo", "avi"),
}
UNTIL_THE_END = (0, 0xFFFFFFFF)  # by a writer that could not go back to fill in the size


def inspect_riff(view: View) -> FileType | None:
    """A RIFF file: its size is in its header. RF64 is WAV beyond 4 GiB."""
    head = view.head(12)
    file_type = TYPES.get(head[8:12])
    if head[:4] not in (b"RIFF", b"RF64") or file_type is None:
        return None
    size = int.from_bytes(head[4:8], "little")
    if size not in UNTIL_THE_END:
        view.need(8 + size, file_type.extension.upper())
    if file_type.extension == "wav":
        _check_wav(view)
    elif view.size <= 20:
        raise broken(f"{file_type.extension.upper()} without content")
    return file_type


def _check_wav(view: View) -> None:
    """Walk up to the samples; their chunk must be whole unless its size was never filled in."""
    offset, seen = 12, set()
    while True:
        kind, length = view.at(offset, 4), view.number(offset + 4, 4, little=True)
        if kind == b"data":
            break
        seen.add(kind)
        offset += 8 + length + length % 2
    if b"fmt " not in seen:
        raise broken("WAV without a format")
    if length not in UNTIL_THE_END:
        view.need(offset + 8 + length, "WAV")
    elif view.size <= offset + 8:
        raise broken("WAV without samples")
