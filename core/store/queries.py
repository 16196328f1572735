"""The read side: what the API, the diagnosis and the dashboard ask of the database."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.generation.model import Generation
from core.store.database import Database
from core.store.listing import Cursor, Filter, select_newest
from core.store.rows import UNREADABLE, load_generations
from core.store.tables import callbacks, events, processes
from core.store.tables import generations as g

logger = logging.getLogger(__name__)

SHOWN = 50  # callbacks and events shown of one generation, the newest
SEARCHED = 20_000  # generations looked through for words in one go, the newest
EXPORTED_AT_ONCE = 1000
EVERYTHING = Filter()

Record = Mapping[str, Any]

_WITH_IDS = (
    sa.select(g).where(g.c.id.in_(sa.bindparam("ids", expanding=True))).order_by(g.c.id.desc())
)


@dataclass(frozen=True, slots=True)
class Page:
    """Some generations, newest first; `next_cursor` continues after the last one."""

    items: list[Generation]
    next_cursor: Cursor | None
    looked_back_to: datetime | None = None  # where a search for words stopped before the end


class Queries:
    """Reads that block no writer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_id(self, generation_id: str) -> Generation | None:
        """The generation of this id."""
        return self._one(g.c.id == generation_id)

    def by_task(self, task_id: str) -> Generation | None:
        """The generation of KIE's task of this id."""
        return self._one(g.c.task_id == task_id)

    def _one(self, condition: sa.ColumnElement[bool]) -> Generation | None:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(g).where(condition)).mappings().all()
            return next(iter(load_generations(connection, rows)), None)

    def page(
        self, filter: Filter = EVERYTHING, *, before: Cursor | None = None, limit: int = 50
    ) -> Page:
        """A page of generations, newest first.

        Words are searched for in the newest `SEARCHED` only, from the cursor on: the page may be
        short, or empty, and go on all the same.
        """
        with self._database.read() as connection:
            found = connection.execute(_select_keys(filter, before, limit + 1)).all()
            horizon = None if len(found) > limit else _horizon(connection, filter, before)
            items = readable(connection, [row.id for row in found[:limit]])
        if len(found) > limit:
            return Page(items, Cursor(*found[limit - 1]))
        return Page(items, horizon, horizon.created_at if horizon else None)

    def export(
        self, filter: Filter, columns: Sequence[str], *, limit: int
    ) -> Iterator[list[sa.RowMapping]]:
        """Columns of up to `limit` generations, newest first, in pieces; `id` is always among them.

        Each piece is a transaction of its own, so that a slow reader holds none open. Words are
        searched for as far back as the first page does.
        """
        cursor = None
        chosen = [g.c.created_at, g.c.id, *(g.c[name] for name in columns)]
        with self._database.read() as connection:
            horizon = _horizon(connection, filter, None)
        if horizon is not None:
            filter = replace(filter, since=horizon.created_at)
        while limit > 0:
            query = select_newest(filter, cursor, *dict.fromkeys(chosen))
            query = query.where(*_has_words(filter, g.c.prompt)).limit(min(limit, EXPORTED_AT_ONCE))
            with self._database.read() as connection:
                rows = connection.execute(query).mappings().all()
            if not rows:
                return
            yield list(rows)
            limit -= len(rows)
            cursor = Cursor(rows[-1]["created_at"], rows[-1]["id"])

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


def _select_keys(filter: Filter, before: Cursor | None, limit: int) -> sa.Select[datetime, str]:
    """Where the generations of a page are."""
    keys = g.c.created_at, g.c.id
    if not filter.words:
        return select_newest(filter, before, *keys).limit(limit)
    searched = select_newest(filter, before, *keys, g.c.prompt).limit(SEARCHED).subquery()
    return (
        sa.select(searched.c.created_at, searched.c.id)
        .where(*_has_words(filter, searched.c.prompt))
        .order_by(searched.c.created_at.desc(), searched.c.id.desc())
        .limit(limit)
    )


def _has_words(filter: Filter, prompt: sa.ColumnElement[str]) -> list[sa.ColumnElement[bool]]:
    return [prompt.icontains(word, autoescape=True) for word in filter.words]


def _horizon(connection: sa.Connection, filter: Filter, before: Cursor | None) -> Cursor | None:
    """The last generation that a search for words looks at; None where it looks at all."""
    if not filter.words:
        return None
    last = select_newest(filter, before, g.c.created_at, g.c.id).offset(SEARCHED - 1).limit(1)
    row = connection.execute(last).one_or_none()
    return Cursor(*row) if row else None


def readable(connection: sa.Connection, ids: Sequence[str]) -> list[Generation]:
    """These generations in this order; one that cannot be read is left out, and logged."""
    try:
        found = connection.execute(_WITH_IDS, {"ids": list(ids)}).mappings().all()
        by_id = {generation.id: generation for generation in load_generations(connection, found)}
        return [by_id[one] for one in ids if one in by_id]
    except UNREADABLE:
        if len(ids) > 1:
            return [each for one in ids for each in readable(connection, [one])]
        extra = {"event": "row.odd", "generation": ids[0]}
        logger.exception("a row that cannot be read is left out", extra=extra)
        return []
