"""The read side: what the API, the diagnosis and the dashboard ask of the database."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.generation.model import Generation, Status
from core.store.database import Database
from core.store.rows import UNREADABLE, load_generations
from core.store.tables import callbacks, events, generations, processes

logger = logging.getLogger(__name__)

SHOWN = 50  # callbacks and events shown of one generation, the newest

Record = Mapping[str, Any]

_WITH_IDS = (
    sa.select(generations)
    .where(generations.c.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(generations.c.id.desc())
)


@dataclass(frozen=True, slots=True)
class Page:
    """Some generations, newest first; `next_cursor` continues after the last one."""

    items: list[Generation]
    next_cursor: str | None


class Queries:
    """Reads that block no writer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_id(self, generation_id: str) -> Generation | None:
        """The generation of this id."""
        return self._one(generations.c.id == generation_id)

    def by_task(self, task_id: str) -> Generation | None:
        """The generation of KIE's task of this id."""
        return self._one(generations.c.task_id == task_id)

    def _one(self, condition: sa.ColumnElement[bool]) -> Generation | None:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(generations).where(condition)).mappings().all()
            return next(iter(load_generations(connection, rows)), None)

    def page(
        self,
        *,
        status: Status | None = None,
        user_id: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Page:
        """A page of generations before an id (keyset: ids sort by creation)."""
        query = sa.select(generations).order_by(generations.c.id.desc()).limit(limit + 1)
        if status is not None:
            query = query.where(generations.c.status == status)
        if user_id is not None:
            query = query.where(generations.c.user_id == user_id)
        if before is not None:
            query = query.where(generations.c.id < before)
        with self._database.read() as connection:
            ids = connection.scalars(query.with_only_columns(generations.c.id)).all()
            items = _readable(connection, ids[:limit])
        return Page(items, ids[limit - 1] if len(ids) > limit else None)

    def callbacks_of(self, generation: Generation) -> list[Record]:
        """The newest callbacks that named this generation or its task, oldest first.

        Refused ones have a limit of their own: a stranger's must not hide KIE's.
        """
        about_it = callbacks.c.generation_id == generation.id
        if generation.task_id is not None:
            about_it |= callbacks.c.task_id == generation.task_id
        newest = sa.select(callbacks).where(about_it).order_by(callbacks.c.id.desc())
        refused = callbacks.c.verdict == "refused"
        found = [*self._newest(newest.where(~refused)), *self._newest(newest.where(refused))]
        return sorted(found, key=lambda row: str(row["id"]))

    def events_of(self, generation: Generation) -> list[Record]:
        """The newest lines of the timeline, oldest first."""
        about_it = events.c.generation_id == generation.id
        return self._newest(sa.select(events).where(about_it).order_by(events.c.id.desc()))

    def _newest(self, query: sa.Select[*tuple[Any, ...]]) -> list[Record]:
        with self._database.read() as connection:
            rows = connection.execute(query.limit(SHOWN)).mappings().all()
        return [dict(row) for row in reversed(rows)]

    def beat_at(self, process: str) -> datetime | None:
        """When a process last said that it lives."""
        with self._database.read() as connection:
            return connection.scalar(
                sa.select(processes.c.beat_at).where(processes.c.name == process)
            )


def _readable(connection: sa.Connection, ids: Sequence[str]) -> list[Generation]:
    """These generations in this order; one that cannot be read is left out, and logged."""
    try:
        found = connection.execute(_WITH_IDS, {"ids": list(ids)}).mappings().all()
        return load_generations(connection, found)
    except UNREADABLE:
        if len(ids) > 1:
            return [each for one in ids for each in _readable(connection, [one])]
        extra = {"event": "row.odd", "generation": ids[0]}
        logger.exception("a row that cannot be read is left out", extra=extra)
        return []
