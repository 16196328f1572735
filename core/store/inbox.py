"""Callbacks: each is kept with its verdict, and an accepted one wakes its generation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from core.errors import CallbackError
from core.generation.model import GIVING_UP, Status
from core.ids import new_id
from core.masking import cap
from core.store.database import Database
from core.store.tables import ACCEPTED_FOR_GOOD, IS_OURS, callbacks, events, refusals
from core.store.tables import generations as g

KEPT_BODY_BYTES = 64 * 1024
STRANGERS_BODY_BYTES = 2 * 1024
#: Refused and unmatched callbacks kept in an hour, with and without a valid URL credential each.
STRANGERS_PER_HOUR = 1000
#: Callbacks with the right credential kept of one generation: KIE sends a handful, whoever learns
#: its token could send any number.
KEPT_OF_ONE = 200
#: However many callbacks come, KIE is asked about one task no more often than this.
ASKED_AT_MOST_EVERY = timedelta(seconds=2)
UNKNOWN_TASK = "task.unknown"
TOO_MANY = "callback.too_many"

# Built once: building a statement costs more than running it, and callbacks come in bursts.
Found = sa.Row[*tuple[Any, ...]]
_SAME = (
    callbacks.c.task_id == sa.bindparam("task_id"),
    callbacks.c.stage == sa.bindparam("stage"),
    callbacks.c.body_sha256 == sa.bindparam("body_sha256"),
)
_SEEN = (
    sa.exists().where(*_SAME, callbacks.c.generation_id == g.c.id, ACCEPTED_FOR_GOOD).label("seen")
)
_IS_FULL = (
    sa.select(callbacks.c.id)
    .where(
        callbacks.c.generation_id == g.c.id,
        sa.or_(callbacks.c.verdict == "accepted", callbacks.c.verdict == "duplicate"),
    )
    .offset(KEPT_OF_ONE - 1)
    .exists()
    .label("is_full")
)
_FIND = sa.select(
    *(g.c.id, g.c.task_id, g.c.status, g.c.error_code, g.c.asked_at, g.c.announced_at),
    *(_SEEN, _IS_FULL),
).where(IS_OURS)
# Nobody else changes the row until the callback is committed.
FIND_BY_ID = _FIND.where(g.c.id == sa.bindparam("generation_id")).with_for_update(of=g)
FIND_BY_TASK = _FIND.where(g.c.task_id == sa.bindparam("task_id")).with_for_update(of=g)
FIND_UNMATCHED = sa.select(callbacks.c.id).where(
    *_SAME,
    callbacks.c.verdict == "unmatched",
    callbacks.c.generation_id.is_not_distinct_from(sa.bindparam("generation_id")),
)
FIND_OWNER = sa.select(g.c.id).where(g.c.task_id == sa.bindparam("task_id"), IS_OURS)
WAKE = (
    sa.update(g)
    .where(g.c.id == sa.bindparam("of"))
    .values(
        due_at=sa.bindparam("due_at"),
        updated_at=sa.bindparam("now"),
        attempts=0,
        announced_at=sa.bindparam("now"),
        announced_state=sa.func.coalesce(sa.bindparam("claimed"), g.c.announced_state),
        candidate_task_id=sa.func.coalesce(sa.bindparam("candidate"), g.c.candidate_task_id),
    )
)
INSERT_CALLBACK = sa.insert(callbacks)
INSERT_EVENT = sa.insert(events)


class Verdict(StrEnum):
    """What became of a callback."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    UNMATCHED = "unmatched"  # of a task that we do not know, or not yet
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A callback as it came, with what was read of it. `body` and `headers` are masked."""

    body: str
    body_sha256: str  # of the original bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    task_id: str | None = None
    generation_id: str | None = None
    stage: str | None = None
    claimed_state: str | None = None


class Inbox:
    """Keeps callbacks. One that is refused changes nothing else."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def accept(self, received: Received) -> Verdict:
        """Keep a callback whose credentials are right, and wake its generation, in one commit.

        Idempotent: the same body for the same task and stage is a duplicate and wakes nobody.
        REFUSED: beyond a bound it is neither kept nor acted upon, only counted.
        """
        return self._database.run(lambda connection: self._accept(connection, received))

    def _accept(self, connection: sa.Connection, received: Received) -> Verdict:
        now = self._now()
        row = _find(connection, received)
        if row is None:
            return self._unmatched(connection, received, now)
        kept = replace(received, generation_id=row.id)
        if row.is_full:
            _count(connection, TOO_MANY, credential=True, now=now)
            return Verdict.REFUSED
        if row.seen:  # its body is there already
            _keep(connection, replace(kept, body=""), Verdict.DUPLICATE, None, now)
            return Verdict.DUPLICATE
        finding = _finding(connection, row, received)
        if finding is not None:
            return _keep_foreign(connection, kept, finding, now)
        limit = KEPT_BODY_BYTES if row.announced_at is None else STRANGERS_BODY_BYTES
        _keep(connection, kept, Verdict.ACCEPTED, None, now, limit)
        _wake(connection, row, received, now)
        _tell(connection, row.id, received, None, now)
        return Verdict.ACCEPTED

    def _unmatched(self, connection: sa.Connection, received: Received, now: datetime) -> Verdict:
        if _count(connection, UNKNOWN_TASK, credential=True, now=now) <= STRANGERS_PER_HOUR:
            seen = connection.scalar(FIND_UNMATCHED, _keys(received))
            verdict = Verdict.DUPLICATE if seen else Verdict.UNMATCHED
            _keep(connection, received, verdict, UNKNOWN_TASK, now, STRANGERS_BODY_BYTES)
        return Verdict.UNMATCHED

    def refuse(self, received: Received, why: CallbackError, *, credential: bool) -> None:
        """Keep a refused callback with its reason, or only count it beyond the hourly bound."""
        self._database.run(
            lambda connection: self._refuse(connection, received, why, credential=credential)
        )

    def _refuse(
        self,
        connection: sa.Connection,
        received: Received,
        why: CallbackError,
        *,
        credential: bool,
    ) -> None:
        now = self._now()
        if _count(connection, why.code, credential=credential, now=now) > STRANGERS_PER_HOUR:
            return
        limit = STRANGERS_BODY_BYTES
        _keep(connection, received, Verdict.REFUSED, why.code, now, limit, str(why))


def _keys(received: Received) -> dict[str, Any]:
    return {
        "generation_id": received.generation_id,
        "task_id": received.task_id,
        "stage": received.stage,
        "body_sha256": received.body_sha256,
    }


def _find(connection: sa.Connection, received: Received) -> Found | None:
    statement = FIND_BY_TASK if received.generation_id is None else FIND_BY_ID
    return connection.execute(statement, _keys(received)).one_or_none()


def _finding(connection: sa.Connection, row: Found, received: Received) -> str | None:
    """Why a callback with the right credentials changes nothing all the same, if so."""
    if row.task_id is not None:
        return None if row.task_id == received.task_id else "task.other"
    if connection.scalar(FIND_OWNER, {"task_id": received.task_id}) is not None:
        return "task.of_another_generation"
    return None


def _wake(connection: sa.Connection, row: Found, received: Received, now: datetime) -> None:
    """Make the generation due, where there is still something to learn."""
    given_up = row.status == Status.FAILED and row.error_code in GIVING_UP
    if row.status in (Status.SUCCESS, Status.FAILED) and not given_up:
        return
    asked_lately = row.asked_at is not None and now - row.asked_at < ASKED_AT_MOST_EVERY
    connection.execute(
        WAKE,
        {
            "of": row.id,
            "now": now,
            "due_at": row.asked_at + ASKED_AT_MOST_EVERY if asked_lately else now,
            "claimed": received.claimed_state,
            "candidate": received.task_id if row.task_id is None else None,
        },
    )


def _keep_foreign(
    connection: sa.Connection, received: Received, finding: str, now: datetime
) -> Verdict:
    """Keep a callback whose credential is right and whose task is not; it wakes nobody."""
    if _count(connection, finding, credential=True, now=now) > STRANGERS_PER_HOUR:
        return Verdict.REFUSED
    _keep(connection, received, Verdict.ACCEPTED, finding, now, STRANGERS_BODY_BYTES)
    _tell(connection, received.generation_id or "", received, finding, now)
    return Verdict.ACCEPTED


def _keep(
    connection: sa.Connection,
    received: Received,
    verdict: Verdict,
    reason: str | None,
    now: datetime,
    limit: int = KEPT_BODY_BYTES,
    detail: str | None = None,
) -> None:
    connection.execute(
        INSERT_CALLBACK,
        {
            "id": new_id(),
            "received_at": now,
            "task_id": received.task_id,
            "generation_id": received.generation_id,
            "stage": received.stage,
            "verdict": verdict,
            "reason": reason,
            "detail": detail,
            "headers": dict(received.headers),
            "body": cap(received.body, limit),
            "body_sha256": received.body_sha256,
        },
    )


def _tell(
    connection: sa.Connection,
    generation_id: str,
    received: Received,
    finding: str | None,
    now: datetime,
) -> None:
    detail = {"stage": received.stage, "task_id": received.task_id}
    name = "callback.accepted"
    if finding is not None:
        name, detail = "callback.foreign", detail | {"why": finding}
    connection.execute(
        INSERT_EVENT,
        {"generation_id": generation_id, "at": now, "name": name, "detail": detail},
    )


def _count(connection: sa.Connection, reason: str, *, credential: bool, now: datetime) -> int:
    """Count one more of this hour; how many there were of all reasons with it."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    this = sa.and_(
        refusals.c.hour == sa.literal(hour, refusals.c.hour.type),
        refusals.c.credential == credential,
    )
    counted = connection.execute(
        sa.update(refusals)
        .where(this, refusals.c.reason == reason)
        .values(count=refusals.c.count + 1)
    )
    if counted.rowcount == 0:
        connection.execute(
            sa.insert(refusals),
            {"hour": hour, "reason": reason, "credential": credential, "count": 1},
        )
    return connection.scalar(sa.select(sa.func.sum(refusals.c.count)).where(this)) or 0
