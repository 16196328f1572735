"""MP3 and AAC: files without a container, frame after frame, perhaps between tags."""

from __future__ import annotations

from collections.abc import Callable

from core.media.inspect.view import FileType, View, broken

MP3 = FileType("audio/mpeg", "mp3")
AAC = FileType("audio/aac", "aac")
SAMPLE_BYTES = 1 << 16  # looked at from either end
CHAIN = 3  # frames in a row that cannot be chance
LONGEST_FRAME = 8192

# kbit/s by bitrate index, for MPEG 1 layers I, II, III, then MPEG 2 layer I, layers II and III
KBITS = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
HERTZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}

COUNT_AT = (36, 21, 13)  # behind the side information, whose size depends on the format

FrameLength = Callable[[bytes, int], int]  # of the frame that starts there, 0 if none does


def inspect_frames(view: View) -> FileType | None:
    """MP3 or AAC, by a chain of frames at both ends.

    A last frame that is cut is let pass, encoders leave such; an MP3 that counts its own bytes
    (Xing, Info) must have them.
    """
    start = _after_id3(view)
    end = _before_tags(view)
    head = view.at(start, min(SAMPLE_BYTES, max(0, end - start)))
    for file_type, frame_length in ((MP3, mp3_frame), (AAC, aac_frame)):
        first = _first_frame(head, frame_length, anywhere=start > 0)
        if first is None:
            continue
        _check_tail(view, start + first, end, frame_length)
        if file_type is MP3:
            _check_own_count(view, start + first, end, head[first : first + 256])
        return file_type
    if start > 0:
        raise broken("no audio after the ID3 tag")
    return None


def mp3_frame(data: bytes, at: int) -> int:
    """Length of the MPEG audio frame that starts there, 0 if none does."""
    if len(data) < at + 4 or data[at] != 0xFF or data[at + 1] < 0xE0:
        return 0
    version, layer = data[at + 1] >> 3 & 3, 4 - (data[at + 1] >> 1 & 3)
    rate, bitrate, padding = data[at + 2] >> 2 & 3, data[at + 2] >> 4, data[at + 2] >> 1 & 1
    if version == 1 or layer == 4 or rate == 3 or bitrate in (0, 15):
        return 0
    bits = KBITS[(1 if version == 3 else 2, layer)][bitrate] * 1000
    hertz = HERTZ[version][rate]
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    return (72 if layer == 3 and version != 3 else 144) * bits // hertz + padding


def aac_frame(data: bytes, at: int) -> int:
    """Length of the ADTS frame that starts there, 0 if none does."""
    if len(data) < at + 7 or data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
        return 0
    length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    return length if length > 7 else 0


def _after_id3(view: View) -> int:
    offset = 0
    while (head := view.at(offset, 10))[:3] == b"ID3" and len(head) == 10:
        footer = 10 if head[5] & 0x10 else 0
        offset += 10 + footer + sum(byte << 7 * (3 - n) for n, byte in enumerate(head[6:10]))
        view.need(offset + 1, "ID3 tag")
    return offset


def _before_tags(view: View) -> int:
    end = view.size
    if end >= 128 and view.at(end - 128, 3) == b"TAG":
        end -= 128
    footer = view.at(max(0, end - 32), 32)
    if footer[:8] == b"APETAGEX" and len(footer) == 32:
        end -= int.from_bytes(footer[12:16], "little") + (32 if footer[23] & 0x80 else 0)
    return max(0, end)


def _first_frame(head: bytes, frame_length: FrameLength, *, anywhere: bool) -> int | None:
    """Where the first chain of frames starts; without a tag before it, only at the very start."""
    at = 0
    while at != -1:
        if _is_chain(head, at, frame_length):
            return at
        at = head.find(b"\xff", at + 1) if anywhere else -1
    return None


def _is_chain(data: bytes, at: int, frame_length: FrameLength) -> bool:
    """Whether frames follow each other from there, up to the end of a very short file."""
    for count in range(CHAIN):
        length = frame_length(data, at)
        if length == 0:
            return count > 0 and at == len(data)
        at += length
    return at <= len(data)


def _check_tail(view: View, first: int, end: int, frame_length: FrameLength) -> None:
    start = max(first, end - SAMPLE_BYTES)
    if _first_frame(view.at(start, end - start), frame_length, anywhere=True) is None:
        raise broken("audio damaged towards its end")


def _check_own_count(view: View, first: int, end: int, frame: bytes) -> None:
    """The byte count of a Xing or Info header, which counts from its own frame on."""
    at = next((at for at in COUNT_AT if frame[at : at + 4] in (b"Xing", b"Info")), len(frame))
    flags = int.from_bytes(frame[at + 4 : at + 8], "big")
    if not flags & 2:
        return
    field = at + (12 if flags & 1 else 8)
    count = int.from_bytes(frame[field : field + 4], "big")
    if first + count > end + LONGEST_FRAME:
        raise broken(f"MP3 cut short: {end - first} of {count} bytes")
