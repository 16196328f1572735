"""Where an object goes: a name made of its content, so that a repeat writes the same object."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
NOBODY = "_"
_OURS = re.compile(
    r"[a-z0-9_.-]+/[a-z]+/([A-Za-z0-9-]{1,128})_([0-9]{1,9})_[0-9a-f]{12}\.[a-z0-9]{1,16}"
)


class Owner(NamedTuple):
    """Whose an object is."""

    generation_id: str
    position: int


def object_path(
    *,
    user_id: str | None,
    kind: str | None,
    generation_id: str,
    position: int,
    sha256: str,
    extension: str,
) -> str:
    """`{user}/{kind}/{id}_{position}_{first 12 of sha256}.{extension}`.

    Every character is safe in URLs, file systems and object stores.
    """
    name = f"{generation_id}_{position}_{sha256[:12]}.{extension}"
    return f"{user_folder(user_id)}/{kind or 'other'}/{name}"


def owner_of(path: str) -> Owner | None:
    """The file that an object of this path belongs to; None: not a path that we give."""
    found = _OURS.fullmatch(path)
    return Owner(found[1], int(found[2])) if found else None


def user_folder(user_id: str | None) -> str:
    """A folder of this user's own: no two users share one, also where case does not count.

    Names that are not plain get a hash after a dot, which no plain name holds.
    """
    if not user_id:
        return NOBODY
    if PLAIN.fullmatch(user_id):
        return user_id
    readable = re.sub(r"[^a-z0-9_-]+", "-", user_id.lower()).strip("-")[:40]
    digest = hashlib.sha256(user_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{readable or 'user'}.{digest[:16]}"
