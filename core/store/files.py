"""The files of generations, as bookkeeping reads them: all that are stored, and those of some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from core.store.database import Database
from core.store.listing import Cursor, Filter, select_newest
from core.store.tables import assets as a
from core.store.tables import generations as g

AT_ONCE = 500  # generations in one transaction

_COLUMNS = (
    *(a.c.generation_id, a.c.position, a.c.path, a.c.url),
    *(a.c.size_bytes, a.c.sha256, a.c.stored_at, a.c.error_code),
)
_IDS: sa.BindParameter[str] = sa.bindparam("ids", expanding=True)
_STORED = (
    sa.select(*_COLUMNS)
    .join(g, g.c.id == a.c.generation_id)
    .where(g.c.id.in_(_IDS), a.c.stored_at.is_not(None), g.c.delete_requested_at.is_(None))
    .order_by(g.c.created_at.desc(), g.c.id.desc(), a.c.position)
)
_ANY = sa.select(*_COLUMNS).where(a.c.generation_id.in_(_IDS))
_KNOWN = sa.select(g.c.id).where(g.c.id.in_(_IDS))


class FileRow(NamedTuple):
    """One file of a generation. Of an adopted one only the URL may be known."""

    generation_id: str
    position: int
    path: str | None
    url: str | None
    size_bytes: int | None
    sha256: str | None
    stored_at: datetime | None
    error_code: str | None

    @property
    def is_wanted(self) -> bool:
        """Whether it is still to be stored."""
        return self.stored_at is None and self.error_code is None


class Files:
    """Reads that block no writer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stored(self, *, since: datetime | None = None) -> Iterator[FileRow]:
        """Every stored file, those of the newest generations first; none that is being deleted.

        Read in pages, each a transaction of its own. `since`: of generations created then or later.
        """
        filter, before = Filter(since=since), None
        while True:
            keys = select_newest(filter, before, g.c.created_at, g.c.id).limit(AT_ONCE)
            with self._database.read() as connection:
                found = connection.execute(keys).all()
                ids = {"ids": [key.id for key in found]}
                rows = connection.execute(_STORED, ids).all() if found else []
            yield from (FileRow(*row) for row in rows)
            if len(found) < AT_ONCE:
                return
            before = Cursor(*found[-1])

    def newest(self) -> datetime | None:
        """When the newest generation was created; None: there is none."""
        with self._database.read() as connection:
            row = connection.execute(select_newest(Filter(), None, g.c.created_at).limit(1)).first()
        return row.created_at if row else None

    def of(self, generation_ids: Iterable[str]) -> dict[str, list[FileRow]]:
        """The files, stored or not, of those of these generations that there are."""
        chosen = sorted(set(generation_ids))
        files: dict[str, list[FileRow]] = {}
        for start in range(0, len(chosen), AT_ONCE):
            ids = {"ids": chosen[start : start + AT_ONCE]}
            with self._database.read() as connection:
                files |= {known: [] for known in connection.scalars(_KNOWN, ids)}
                for row in connection.execute(_ANY, ids):
                    files.setdefault(row.generation_id, []).append(FileRow(*row))
        return files
