"""Which paths a bucket can hold. Pure."""

from __future__ import annotations

import re

from core.errors import StorageError

MAX_LENGTH = 1000  # Supabase answers with an error of its own to longer ones
_KEY = re.compile(r"[A-Za-z0-9_/!.*'() &$=@;:+,?-]+")


def checked(path: str) -> str:
    """The path. Raises StorageError for one that a bucket would refuse, or take for another."""
    parts = path.split("/")
    is_plain = _KEY.fullmatch(path) and len(path) <= MAX_LENGTH
    if not is_plain or not {"", ".", ".."}.isdisjoint(parts):
        raise StorageError("storage.bad_path", f"not a path of an object: {path!r}")
    return path
