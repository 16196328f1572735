"""What an object is to the database, and a stored file to storage. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from core.storage.paths import owner_of
from core.store.files import FileRow

#: Fewer missing files may have gone missing one by one, however large a share they are.
FEW = 24


class Verdict(StrEnum):
    """What an object is to the database."""

    EXPECTED = "expected"  # its row says so, or is not settled yet
    FOREIGN = "foreign"  # its name is not one that we give: somebody else's, or adopted
    SUPERSEDED = "superseded"  # other bytes were stored for its file
    UNKNOWN = "unknown"  # its generation is not in the database


class Harm(StrEnum):
    """What is wrong with a stored file."""

    MISSING = "missing"
    DIFFERS = "differs"
    UNREADABLE = "unreadable"  # it is there, and storage does not give it


def judge_object(path: str, known: Mapping[str, Sequence[FileRow]]) -> Verdict:
    """What an object is, by the files of the generations that there are.

    A delivery under way is none of our business: it names the path in its row, then puts the
    object. So only a row that is stored, which no delivery changes any more, can leave one behind.
    """
    owner = owner_of(path)
    if owner is None:
        return Verdict.FOREIGN
    if owner.generation_id not in known:
        return Verdict.UNKNOWN
    for file in known[owner.generation_id]:
        if file.position == owner.position and file.stored_at is not None:
            return Verdict.EXPECTED if file.path in (None, path) else Verdict.SUPERSEDED
    return Verdict.EXPECTED


def judge_file(file: FileRow, sizes: Collection[int]) -> Harm | None:
    """What is wrong with a stored file of which objects of these sizes are there."""
    if not sizes:
        return Harm.MISSING
    return None if file.size_bytes is None or file.size_bytes in sizes else Harm.DIFFERS


def looks_unmounted(missing: int, compared: int) -> bool:
    """Whether so many files are missing that it is rather the wrong storage, or an empty one."""
    return missing >= FEW and missing * 2 > compared
