"""Lists of generations, newest first: what is filtered by, and where a page goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

import sqlalchemy as sa

from core.generation.model import Channel, Status
from core.store.sql import as_text, unindexed
from core.store.tables import IS_OPEN, IS_OURS
from core.store.tables import generations as g

NEWEST = (g.c.created_at.desc(), g.c.id.desc())
OLDEST = (g.c.created_at, g.c.id)
_TIME = "%Y%m%dT%H%M%S%f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which generations; what is None filters nothing."""

    status: Status | None = None
    is_open: bool = False  # queued or generating
    kind: str | None = None
    model: str | None = None
    user_id: str | None = None
    delivered_via: Channel | None = None
    error_code: str | None = None
    since: datetime | None = None  # created then or later
    until: datetime | None = None  # created before
    words: tuple[str, ...] = ()  # all of them in the prompt, in any case

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """What is true of the rows, but for the words, which no index finds."""
        equal: dict[sa.ColumnElement[Any], str | None] = {
            g.c.kind: self.kind,
            g.c.model: self.model,
            as_text(g.c.user_id): self.user_id,
            g.c.delivered_via: self.delivered_via,
            g.c.error_code: self.error_code,
        }
        wanted = {column: value for column, value in equal.items() if value is not None}
        # A code is rarer than a status: its index must not lose against that of the status.
        status = g.c.status if self.error_code is None else unindexed(g.c.status)
        found = [] if self.status is None else [status == self.status]
        if self.is_open or self.status in (Status.QUEUED, Status.GENERATING):
            # Few are open, and they have an index: it must not lose against that of a busy user.
            found += [IS_OPEN, *(unindexed(column) == value for column, value in wanted.items())]
        else:
            found += [column == value for column, value in wanted.items()]
        if self.since is not None:
            found.append(g.c.created_at >= self.since)
        if self.until is not None:
            found.append(g.c.created_at < self.until)
        return found


class Cursor(NamedTuple):
    """The last generation of a page; the next page begins after it."""

    created_at: datetime
    id: str

    def __str__(self) -> str:
        return f"{self.created_at.astimezone(UTC):{_TIME}}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `str` gave; ValueError for anything else."""
        moment, dash, generation_id = text.partition("-")
        if not dash or len(generation_id) > 128:
            raise ValueError("not a cursor")
        return cls(datetime.strptime(moment, _TIME).replace(tzinfo=UTC), generation_id)

    def after(self) -> sa.ColumnElement[bool]:
        """What is true of all that follow; the first half of it is what an index can use."""
        return sa.and_(
            g.c.created_at <= self.created_at,
            sa.or_(g.c.created_at < self.created_at, g.c.id < self.id),
        )

    def after_oldest(self) -> sa.ColumnElement[bool]:
        """The same in a list that begins with the oldest."""
        return sa.and_(
            g.c.created_at >= self.created_at,
            sa.or_(g.c.created_at > self.created_at, g.c.id > self.id),
        )


def select_newest(
    filter: Filter, before: Cursor | None, *columns: sa.ColumnElement[Any]
) -> sa.Select[*tuple[Any, ...]]:
    """These columns of what a filter lets through, newest first; its words are not looked at."""
    query = sa.select(*columns).where(IS_OURS, *filter.conditions()).order_by(*NEWEST)
    return query if before is None else query.where(before.after())


def select_newer(filter: Filter, than: Cursor, limit: int) -> sa.Select[datetime, str]:
    """The cursors of the next newer ones, the nearest first; the words are not looked at."""
    return (
        sa.select(g.c.created_at, g.c.id)
        .where(IS_OURS, *filter.conditions(), than.after_oldest())
        .order_by(*OLDEST)
        .limit(limit)
    )


def select_times(
    filter: Filter, before: Cursor | None, *, after_first: int, limit: int
) -> sa.Select[datetime]:
    """When those after the first so many were created, whoever made them: an index tells it."""
    query = sa.select(g.c.created_at).where(*filter.conditions())
    if before is not None:
        query = query.where(before.after())
    return query.order_by(g.c.created_at.desc()).offset(after_first).limit(limit)


def has_words(filter: Filter) -> list[sa.ColumnElement[bool]]:
    """What is true of the prompts that a search finds."""
    return [
        sa.or_(*(g.c.prompt.icontains(one, autoescape=True) for one in _spellings(word)))
        for word in filter.words
    ]


def _spellings(word: str) -> set[str]:
    """A word in its usual cases: SQLite knows those of ASCII letters only."""
    return {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
