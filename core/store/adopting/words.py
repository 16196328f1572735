"""The words of earlier systems, and what they mean to us."""

from __future__ import annotations

from collections.abc import Iterable

from core.store.adopting import reading
from core.store.adopting.old_table import Columns

#: In small letters. Anything else is taken as still under way.
_SUCCESS = ("completed", "complete", "success", "successful", "succeeded", "done", "finished")
_FAILED = ("failed", "fail", "failure", "error", "rejected", "refunded", "expired", "timeout")
_CANCELLED = ("cancelled", "canceled", "aborted")
_QUEUED = ("queued", "pending", "waiting", "queuing", "created", "submitted", "new")

#: Names under which KIE goes in the column `provider`; `upstream` is what one release wrote.
_OUR_NAME = "'^(kie([._]?(ai|market|veo))?|upstream)?$'"

#: What rows of ours do not say any more, as other programs may still expect.
PAST = tuple(
    word
    for word in (*_SUCCESS, *_CANCELLED, *_QUEUED, "error", "processing")
    if word not in ("success", "queued", "new", "created")
)

KINDS = {
    "image": ("image", "photo", "picture", "product"),
    "video": ("video",),
    "audio": ("audio", "music", "sound", "speech", "tts", "voice"),
    "text": ("text",),
}


def is_our_row(columns: Columns) -> str:
    """What is true of the rows of KIE's: all, where no provider is named, but fal's."""
    return f"({_is_called_ours(columns)} AND NOT {_has_fals_id(columns)})"


def is_fals_row(columns: Columns) -> str:
    """What is true of rows of fal's that have no other provider's name than KIE's, by default."""
    return f"({_is_called_ours(columns)} AND {_has_fals_id(columns)})"


def _is_called_ours(columns: Columns) -> str:
    if "provider" not in columns:
        return "true"
    return f"(provider IS NULL OR lower(btrim(provider)) ~ {_OUR_NAME})"


def _has_fals_id(columns: Columns) -> str:
    request, task = (reading.text(columns, name) for name in ("fal_request_id", "task_id"))
    return f"({request} IS NOT NULL AND {task} IS NULL)"


def state(word: str) -> str:
    """A status as success, failed, cancelled, queued or generating."""
    return f"""CASE
        WHEN lower({word}) IN ({listed(_SUCCESS)}) THEN 'success'
        WHEN lower({word}) IN ({listed(_FAILED)}) THEN 'failed'
        WHEN lower({word}) IN ({listed(_CANCELLED)}) THEN 'cancelled'
        WHEN {word} IS NULL OR lower({word}) IN ({listed(_QUEUED)}) THEN 'queued'
        ELSE 'generating'
    END"""


def kind(columns: Columns, name: str) -> str:
    """What a column says was made, as one of our kinds."""
    word = reading.text(columns, name)
    cases = (f"WHEN lower({word}) IN ({listed(old)}) THEN '{new}'" for new, old in KINDS.items())
    return f"CASE {' '.join(cases)} END"


def listed(words: Iterable[str]) -> str:
    """Words as the inside of an SQL list."""
    return ", ".join(f"'{word}'" for word in words)
