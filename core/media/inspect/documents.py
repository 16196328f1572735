"""PDF and texts, and the texts that are no result: error pages and messages."""

from __future__ import annotations

import codecs
import json
import re

from core.media.inspect.view import FileType, View, broken

TEXT = FileType("text/plain", "txt")
JSON = FileType("application/json", "json")

# Possessive: what was read is not tried in another way, of which there are exponentially many.
PROLOG = rb"(?>\s|<\?.*?\?>|<!--.*?-->)*+"
SVG = re.compile(PROLOG + rb"(?:<!DOCTYPE svg.*?>\s*)?<svg[\s>]", re.S | re.I)
PAGE = re.compile(
    PROLOG
    + rb"<(?:!DOCTYPE html|(?:html|head|body|title|meta|script|style|h[1-6]|p|pre|div|center"
    + rb"|(?:\w+:)?(?:Error|Errors|ErrorResponse|Fault|Envelope))[\s/>])",
    re.S | re.I,
)
MESSAGES = (
    "access denied|bad gateway|bad request|blocked|error|error code:? ?[0-9]+|expired"
    "|file not found|forbidden|gateway time-?out|gone|internal error|internal server error"
    "|invalid signature|link expired|no healthy upstream|not found|page not found"
    "|rate limit exceeded|request has expired|request time-?out|service unavailable"
    "|too many requests|unauthorized|upstream connect error.*"
)
MESSAGE = re.compile(rf"(http/[0-9.]+ )?([0-9]{{3}}\W*)?({MESSAGES})\W*".encode(), re.S | re.I)
LONGEST_MESSAGE = 1024  # bytes
LONGEST_ERROR = 1 << 16  # bytes of JSON that are read; messages are shorter
#: What a message in JSON says, in lower case, and what may stand beside it and is no data.
SAYS_ERROR = frozenset({"code", "detail", "error", "errors", "message", "msg", "statuscode"})
BESIDE_ERROR = SAYS_ERROR | {
    *("details", "error_code", "error_description", "reason", "title", "type", "name"),
    *("ok", "success", "status", "status_code", "instance", "path", "resource"),
    *("hostid", "requestid", "request_id", "trace_id", "timestamp"),
}


def inspect_pdf(view: View) -> FileType | None:
    """PDF: its end marker is near the end."""
    if view.head(5) != b"%PDF-":
        return None
    if b"%%EOF" not in view.tail(2048):
        raise broken("PDF without its end")
    return FileType("application/pdf", "pdf")


def inspect_text(view: View) -> FileType | None:
    """Text in UTF-8, JSON among it. Raises MediaError for an error page or message.

    A whole SVG is left unknown: it may well be a result, but a browser that is told its type runs
    the scripts in it.
    """
    head = view.head(4096).removeprefix(codecs.BOM_UTF8)
    if PAGE.match(_unmarked(head)):  # in whatever encoding: markup is ASCII in all but UTF-16
        raise broken("an HTML or XML page")
    if not _is_text(head):
        return None
    if SVG.match(head):
        _check_svg(view)
        return None
    if view.size <= LONGEST_MESSAGE and (not head.strip() or MESSAGE.fullmatch(head.strip())):
        raise broken("a text message")
    return JSON if _is_json(view, head) else TEXT


def _unmarked(head: bytes) -> bytes:
    """UTF-16 as UTF-8, where a mark says so; all else as it is."""
    is_utf_16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return head.decode("utf-16", "replace").encode() if is_utf_16 else head


def _is_text(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return not re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head)


def _check_svg(view: View) -> None:
    if not view.tail(1024).rstrip().endswith(b"</svg>"):
        raise broken("SVG cut short")


def _is_json(view: View, head: bytes) -> bool:
    """An object or a list. Raises MediaError for an object that is an error message."""
    ends = head.lstrip()[:1] + view.tail(1024).rstrip()[-1:]
    if ends not in (b"{}", b"[]"):
        return False
    if view.size > LONGEST_ERROR:
        return True
    try:
        value = json.loads(view.head(view.size).decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False  # lyrics may begin and end with [a heading]
    if isinstance(value, dict) and _says_error(value):
        raise broken("a JSON message")
    return True


def _says_error(message: dict[str, object]) -> bool:
    """Whether all that it holds is what went wrong."""
    said = {name.lower() for name, value in message.items() if value not in (None, "", [], {})}
    return bool(said & SAYS_ERROR) and said <= BESIDE_ERROR
