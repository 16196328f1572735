"""The read side: what the API, the diagnosis and the dashboard ask of the database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from core.generation.model import Generation
from core.store.database import Database
from core.store.listing import (
    NEWEST,
    Cursor,
    Filter,
    has_words,
    select_newer,
    select_newest,
    select_times,
)
from core.store.rows import UNREADABLE, load_generations
from core.store.tables import IS_OURS, callbacks, events, processes
from core.store.tables import generations as g

logger = logging.getLogger(__name__)

SHOWN = 50  # callbacks and events shown of one generation, the newest
SEARCHED = 10_000  # generations looked through for words in one go, the newest
EXPORTED_AT_ONCE = 1000
LONGEST_TEXT = 1000  # characters of a text in an export
EVERYTHING = Filter()

Record = Mapping[str, Any]
T = TypeVar("T")

_HAS_ID = g.c.id.in_(sa.bindparam("ids", expanding=True))
_WITH_IDS = sa.select(g).where(_HAS_ID)


@dataclass(frozen=True, slots=True)
class Page:
    """Some generations, newest first; `next_cursor` continues after the last one."""

    items: list[Generation]
    next_cursor: Cursor | None
    looked_back_to: datetime | None = None  # where a search for words stopped before the end


class Queries:
    """Reads that block no writer."""

    def __init__(self, database: Database, *, searched: int = SEARCHED) -> None:
        self._database = database
        self._searched = searched

    def by_id(self, generation_id: str) -> Generation | None:
        """The generation of this id."""
        return self._one(g.c.id == generation_id)

    def by_ids(self, generation_ids: Iterable[str]) -> dict[str, Generation]:
        """The generations of these ids, by id; those that cannot be read are left out."""
        with self._database.read() as connection:
            found = readable(connection, sorted(generation_ids))
        return {generation.id: generation for generation in found}

    def by_task(self, task_id: str) -> Generation | None:
        """The generation of KIE's task of this id."""
        return self._one(g.c.task_id == task_id)

    def _one(self, condition: sa.ColumnElement[bool]) -> Generation | None:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(g).where(condition, IS_OURS)).mappings().all()
            return next(iter(load_generations(connection, rows)), None)

    def page(
        self, filter: Filter = EVERYTHING, *, before: Cursor | None = None, limit: int = 50
    ) -> Page:
        """A page of generations, newest first.

        Words are searched for in the newest `searched` only, from the cursor on: the page may be
        short, or empty, and go on all the same.
        """
        with self._database.read() as connection:
            horizon = self._horizon(connection, filter, before)
            found = connection.execute(_select_keys(filter, horizon, before, limit + 1)).all()
            items = readable(connection, [row.id for row in found[:limit]])
        if len(found) > limit:
            return Page(items, Cursor(*found[limit - 1]))
        return Page(items, Cursor(horizon, "") if horizon else None, horizon)

    def newer(self, filter: Filter, than: Cursor, *, limit: int) -> list[Cursor]:
        """Where the next newer generations are, the nearest first; words are not looked at."""
        with self._database.read() as connection:
            rows = connection.execute(select_newer(filter, than, limit)).all()
        return [Cursor(*row) for row in rows]

    def export(
        self, filter: Filter, columns: Sequence[str], *, limit: int
    ) -> Iterator[list[sa.RowMapping]]:
        """Columns of up to `limit` generations, newest first, in pieces; `id` is always among them.

        Each piece is a transaction of its own, so that a slow reader holds none open. Words are
        searched for as far back as the first page does. Texts are cut at `LONGEST_TEXT`. A row that
        cannot be read is left out.
        """
        with self._database.read() as connection:
            horizon = self._horizon(connection, filter, None)
        before = None
        while limit > 0:
            query = _select_keys(filter, horizon, before, min(limit, EXPORTED_AT_ONCE))
            with self._database.read() as connection:
                keys = connection.execute(query).all()
                rows = _read_columns(connection, columns, [key.id for key in keys])
            if not keys:
                return
            yield rows
            limit -= len(keys)
            before = Cursor(*keys[-1])

    def export_ends(self, filter: Filter, *, limit: int) -> datetime | None:
        """When the last generation was created that `export` looks at; None: it looks at all."""
        with self._database.read() as connection:
            if filter.words:
                return self._horizon(connection, filter, None)
            last = select_times(filter, None, after_first=limit - 1, limit=2)
            found = connection.scalars(last).all()
            return found[0] if len(found) == 2 else None

    def _horizon(
        self, connection: sa.Connection, filter: Filter, before: Cursor | None
    ) -> datetime | None:
        """How far back a search for words looks from here; None: to the end."""
        if not filter.words:
            return None
        last = select_times(filter, before, after_first=self._searched - 1, limit=1)
        return connection.scalar(last)

    def callbacks_of(self, generation: Generation) -> list[Record]:
        """The newest callbacks that named this generation or its task, oldest first.

        Refused ones have a limit of their own: a stranger's must not hide KIE's.
        """
        return self.callbacks_naming(generation.id, generation.task_id)

    def callbacks_naming(self, generation_id: str, task_id: str | None) -> list[Record]:
        """The same for ids of which there may be no generation."""
        about_it = callbacks.c.generation_id == generation_id
        if task_id is not None:
            about_it |= callbacks.c.task_id == task_id
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


def _select_keys(
    filter: Filter, since: datetime | None, before: Cursor | None, limit: int
) -> sa.Select[*tuple[Any, ...]]:
    """Where the generations of a page are, as far back as `since`."""
    query = select_newest(filter, before, g.c.created_at, g.c.id).where(*has_words(filter))
    return (
        query.limit(limit) if since is None else query.where(g.c.created_at >= since).limit(limit)
    )


def _read_columns(
    connection: sa.Connection, columns: Sequence[str], ids: Sequence[str]
) -> list[sa.RowMapping]:
    chosen = (_short(g.c[name]) for name in dict.fromkeys(("id", *columns)))
    query = sa.select(*chosen).where(_HAS_ID).order_by(*NEWEST)
    return _without_odd(
        lambda some: connection.execute(query, {"ids": list(some)}).mappings().all(), ids
    )


def _short(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    if not isinstance(column.type, sa.Text):
        return column
    return sa.func.substr(column, 1, LONGEST_TEXT).label(column.name)


def readable(connection: sa.Connection, ids: Sequence[str]) -> list[Generation]:
    """These generations in this order; one that cannot be read is left out, and logged."""

    def read(some: Sequence[str]) -> Sequence[Generation]:
        rows = connection.execute(_WITH_IDS, {"ids": list(some)}).mappings().all()
        return load_generations(connection, rows)

    by_id = {generation.id: generation for generation in _without_odd(read, ids)}
    return [by_id[one] for one in ids if one in by_id]


def _without_odd(read: Callable[[Sequence[str]], Sequence[T]], ids: Sequence[str]) -> list[T]:
    """What `read` gives of these, but for those that it cannot read."""
    try:
        return list(read(ids))
    except UNREADABLE:
        if len(ids) == 1:
            extra = {"event": "row.odd", "generation": ids[0]}
            logger.exception("a row that cannot be read is left out", extra=extra)
            return []
    middle = len(ids) // 2
    return [*_without_odd(read, ids[:middle]), *_without_odd(read, ids[middle:])]
