"""What it means when Supabase Storage does not do what it was asked for. Pure.

It answers HTTP 400 for nearly everything; the true status is a string in the body.
"""

from __future__ import annotations

from core.errors import StorageError
from core.kie import lenient
from core.masking import cap, mask

WORDS_BYTES = 200
STATUSES = range(100, 600)
#: Busy, locked, too early, too many; another upload of the same object was quicker.
PASSING = (408, 409, 423, 425, 429)
NO_BUCKET = ("NoSuchBucket", "Bucket not found")
NO_OBJECT = ("NoSuchKey", "not_found")
SET_KEY = "set SUPABASE_SERVICE_ROLE_KEY to the service role key of that very project"
ADVICE = {
    401: SET_KEY,
    402: "the project's plan allows no more: see its usage in Supabase",
    403: SET_KEY,
    413: "raise the file size limit of the bucket or of the project's storage settings",
    415: "let the bucket allow this type",
}


class RefusalError(Exception):
    """An answer that is no success: the true status, the server's name for it, and its words."""

    def __init__(self, status: int, name: str, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.name = name
        self.words = words


class BucketMissingError(StorageError):
    """There is no such bucket."""


def read_refusal(http_status: int, body: bytes, key: str) -> RefusalError:
    """What an answer says, without our key, whatever it looks like."""
    try:
        told = lenient.parse(body)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return RefusalError(http_status, "", _text(body, key))
    status = str(told.get("statusCode"))
    is_status = status.isdecimal() and len(status) == 3 and int(status) in STATUSES
    name = told.get("code") or told.get("error")
    words = str(told.get("message") or name or "no words")
    return RefusalError(int(status) if is_status else http_status, str(name), _line(words, key))


def storage_error(doing: str, refusal: RefusalError) -> StorageError:
    """The error that says what was refused, why, and what to do.

    None is permanent: whoever raises a limit or corrects a key finds everything stored.
    """
    status, said = refusal.status, f"{doing}: {refusal.words} ({refusal.status})"
    if refusal.name in NO_BUCKET:
        return BucketMissingError("storage.unavailable", f"{said}; the bucket is made anew")
    if status == 404 and refusal.name in NO_OBJECT:
        return StorageError("storage.missing", said)
    if status == 404:
        who = "what answers at SUPABASE_URL is not Supabase Storage"
        return StorageError("storage.unavailable", f"{said}: {who}")
    if status in PASSING or not 400 <= status < 500:
        return StorageError("storage.unavailable", said)
    advice = ADVICE.get(status)
    return StorageError("storage.refused", f"{said}: {advice}" if advice else said)


def _text(body: bytes, key: str) -> str:
    if body.lstrip().startswith(b"<"):
        return "a web page instead of an answer"
    return _line(body[: WORDS_BYTES * 4].decode("utf-8", "replace"), key) or "no words"


def _line(text: str, key: str) -> str:
    return cap(" ".join(mask(text, (key,)).split()), WORDS_BYTES)
