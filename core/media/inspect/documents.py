"""PDF, and the texts that are no result: error pages in HTML, XML, JSON or plain words."""

from __future__ import annotations

import re

from core.media.inspect.view import FileType, View, broken

SVG_ROOT = re.compile(rb"(<\?xml.*?\?>|<!--.*?-->|<!DOCTYPE svg.*?>|\s)*<svg[\s>]", re.S | re.I)
LONGEST_MESSAGE = 1024  # bytes; subtitles and lyrics are longer, error messages shorter
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def inspect_pdf(view: View) -> FileType | None:
    """PDF: its end marker is near the end."""
    if view.head(5) != b"%PDF-":
        return None
    if b"%%EOF" not in view.tail(2048):
        raise broken("PDF without its end")
    return FileType("application/pdf", "pdf")


def refuse_text(view: View) -> None:
    """Raise MediaError for an error page or message.

    A whole SVG passes as a file of unknown type: it may well be a result, but a browser that is
    told its type runs the scripts in it. JSON never comes from a URL, so it is a message too.
    """
    head = view.head(4096).removeprefix(BYTE_ORDER_MARK)
    start = head.lstrip()[:1]
    if SVG_ROOT.match(head):
        if not view.tail(1024).rstrip().endswith(b"</svg>"):
            raise broken("SVG cut short")
    elif start == b"<" and _is_text(head):
        raise broken("an HTML or XML page")
    elif start in (b"{", b"[") and _is_text(head):
        raise broken("a JSON message")
    elif view.size <= LONGEST_MESSAGE and _is_text(head):
        raise broken("a text message")


def _is_text(head: bytes) -> bool:
    return not re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head)
