"""What is wrong with one object or file, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.ids import made_at
from core.storage.paths import owner_of
from core.sweeping.catalog import Listed
from core.sweeping.judging import Verdict

#: Younger objects are left alone: whoever puts them may not have told the database all.
OLD_ENOUGH = timedelta(days=1)
FETCH_AGAIN = "run it again with --repair: KIE may still have the file"
FROM_BACKUP = "put it back under the same path from a backup of the storage: KIE has it no more"
TOO_YOUNG = "nothing yet: it is less than a day old"
DELETE_SUPERSEDED = "run it again with --repair: it will be deleted"
LOOK_AT_UNKNOWN = (
    "see whether DATABASE_URL and the storage belong together, and whether an older backup of the"
    " database was restored: these may be the only copies. If not, --delete-unknown COUNT deletes"
    " all such objects"
)
DATABASE_IS_OLDER = (
    "keep it: the database is older than these files: was a backup restored? Run rescue first"
)
_WHY = {
    Verdict.SUPERSEDED: "its generation stored other bytes for this file",
    Verdict.UNKNOWN: "the database has no such generation",
}
_REMEDIES = {Verdict.SUPERSEDED: DELETE_SUPERSEDED, Verdict.UNKNOWN: LOOK_AT_UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong. `repaired`: what was done about it."""

    what: str
    path: str
    generation_id: str
    why: str
    remedy: str
    repaired: str | None = None

    def as_json(self) -> Mapping[str, str | None]:
        """For programs."""
        return {
            "what": self.what,
            "path": self.path,
            "generationId": self.generation_id,
            "why": self.why,
            "remedy": None if self.repaired else self.remedy,
            "repaired": self.repaired,
        }

    def __str__(self) -> str:
        after = f"repaired: {self.repaired}" if self.repaired else f"to do: {self.remedy}"
        return (
            f"{self.what:<10}  {self.path}\n"
            f"{'':<12}generation {self.generation_id}: {self.why}\n"
            f"{'':<12}{after}"
        )


def of_object(
    listed: Listed, verdict: Verdict, obstacle: str | None, *, deleted: bool = False
) -> Finding:
    """An object without a row, whose name is one that we give."""
    owner = owner_of(listed.object.path)
    return Finding(
        what=verdict,
        path=listed.object.path,
        generation_id=owner.generation_id if owner else "",
        why=f"{_WHY[verdict]}; {listed.object.size_bytes:,} bytes",
        remedy=obstacle or _REMEDIES[verdict],
        repaired="deleted" if deleted else None,
    )


def obstacle_to_deletion(
    listed: Listed, verdict: Verdict, now: datetime, newest: datetime | None
) -> str | None:
    """Why an object must stay for now; None: it may go, if that is wanted.

    `newest`: when the newest generation was created that the database has.
    """
    if now - listed.object.stored_at <= OLD_ENOUGH:
        return TOO_YOUNG
    owner = owner_of(listed.object.path)
    made = (made_at(owner.generation_id) if owner else None) or listed.object.stored_at
    if verdict is Verdict.UNKNOWN and (newest is None or made > newest):
        return DATABASE_IS_OLDER
    return None
