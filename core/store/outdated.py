"""What is too old to be of use: the questions that find it, oldest first, some rows at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from core.store.generations import GAVE_UP
from core.store.tables import (
    HISTORY_UNCHECKED,
    IS_AT_REST,
    IS_NOT_EMPTIED,
    IS_OURS,
    IS_STRANGE,
    assets,
    callbacks,
    refusals,
)
from core.store.tables import generations as g
from core.store.types import UtcDateTime

#: Rows in one transaction: others wait for it on SQLite, and a server gives up on a long one.
BATCH = 200
BEFORE = sa.bindparam("before", type_=UtcDateTime)
STRANGE_BEFORE = sa.bindparam("strange_before", type_=UtcDateTime)
AFTER_AT = sa.bindparam("after_at", type_=UtcDateTime)
AFTER_ID: sa.BindParameter[str] = sa.bindparam("after_id")

Query = sa.Select[*tuple[Any, ...]]


class Place(NamedTuple):
    """The last row of those that have been looked at."""

    at: datetime
    id: str


#: Before the first row: all ids are UUIDs.
START = Place(datetime.min.replace(tzinfo=UTC), "00000000-0000-0000-0000-000000000000")

_GAVE_UP_LATELY = sa.and_(sa.func.coalesce(GAVE_UP, sa.false()), g.c.created_at >= STRANGE_BEFORE)
_IS_OVER = sa.and_(IS_AT_REST, g.c.updated_at < BEFORE, ~_GAVE_UP_LATELY)
_LACKS_FILE = sa.exists().where(assets.c.generation_id == g.c.id, assets.c.stored_at.is_(None))
_IS_NEEDED = ~sa.and_(_IS_OVER, ~_LACKS_FILE)

_BY_ID = g.c.id == callbacks.c.generation_id
_BY_TASK = sa.and_(g.c.task_id == callbacks.c.task_id, IS_OURS)
_HAS_OWNER = sa.or_(sa.exists().where(_BY_ID), sa.exists().where(_BY_TASK))


def _oldest(at: sa.Column[datetime], key: sa.Column[str], *columns: sa.ColumnElement[Any]) -> Query:
    """`id`, `at` and these columns of the next rows after a place."""
    return (
        sa.select(key.label("id"), at.label("at"), *columns)
        .where(at >= AFTER_AT, sa.or_(at > AFTER_AT, key > AFTER_ID))
        .order_by(at, key)
        .limit(BATCH)
    )


#: Generations whose history is no longer needed, unless `lacks_file`.
ENDED = _oldest(g.c.updated_at, g.c.id, _LACKS_FILE.label("lacks_file")).where(
    _IS_OVER, HISTORY_UNCHECKED
)
#: Callbacks that were refused, or of which nobody knows the task.
STRANGE = _oldest(callbacks.c.received_at, callbacks.c.id).where(
    IS_STRANGE, callbacks.c.received_at < STRANGE_BEFORE
)
#: All others that no generation needs; the row itself `stays` where it tells that KIE called.
ANSWERED = _oldest(
    callbacks.c.received_at,
    callbacks.c.id,
    sa.and_(callbacks.c.verdict == "accepted", _HAS_OWNER).label("stays"),
).where(
    IS_NOT_EMPTIED,
    ~sa.func.coalesce(IS_STRANGE, sa.false()),
    callbacks.c.received_at < BEFORE,
    ~sa.exists().where(_BY_ID, _IS_NEEDED),
    ~sa.exists().where(_BY_TASK, _IS_NEEDED),
    sa.or_(_HAS_OWNER, callbacks.c.received_at < STRANGE_BEFORE),
)
#: Counts of refused callbacks.
COUNTED = refusals.c.hour < sa.bindparam("counts_before", type_=UtcDateTime)
