"""The write side of `generations`: adding, leasing, saving what a transition changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa

from core.creating import CreateError
from core.errors import AppError, LeaseLostError, StoreUnavailableError
from core.generation.model import GIVING_UP, Change, Event, Generation, Status
from core.store.database import Database
from core.store.matching import match_unmatched
from core.store.rollup import mark_stale
from core.store.rows import (
    asset_columns,
    changed_columns,
    load_generations,
    to_columns,
)
from core.store.tables import IS_OURS, assets, callbacks, events
from core.store.tables import generations as g
from core.store.types import UtcDateTime

INSERT_EVENT = sa.insert(events)
INSERT_ASSET = sa.insert(assets)
UPDATE_ASSET = (
    sa.update(assets)
    .where(
        assets.c.generation_id == sa.bindparam("of"),
        assets.c.position == sa.bindparam("at_position"),
    )
    .values(
        {column.name: sa.bindparam(column.name) for column in assets.c if not column.primary_key}
    )
)

GAVE_UP = sa.and_(g.c.status == Status.FAILED, g.c.error_code.in_(sorted(GIVING_UP)))
#: Final states are final, except that giving up may turn into success.
MAY_BECOME = {
    Status.QUEUED: g.c.status == Status.QUEUED,
    Status.GENERATING: g.c.status.in_([Status.QUEUED, Status.GENERATING]),
    Status.SUCCESS: sa.or_(g.c.status != Status.FAILED, GAVE_UP),
    Status.FAILED: g.c.status != Status.SUCCESS,
}

#: Only then may a submission begin: a rescue or a callback may name the task of a held row.
NO_TASK_KNOWN = (g.c.task_id.is_(None), g.c.candidate_task_id.is_(None))


#: What PostgreSQL says of a user who has to be a UUID, be there, and be known. Nothing else that we
#: insert is bound by types or keys that are not ours.
OF_ADOPTED_USERS = ("22001", "22003", "22P02", "23502", "23503")


class IdempotencyConflictError(AppError):
    """The same Idempotency-Key came with another request."""


class HeldError(AppError):
    """A worker holds the lease of a generation that somebody else wants to change."""


HELD = "a worker is on it right now: try again in a minute"


class TaskKnownError(AppError):
    """A task of a generation became known just when it was to be submitted."""


class ImpossibleChangeError(AppError):
    """A transition would change a final state: a defect, and nothing is saved."""


class TaskIdResult(StrEnum):
    """What became of a task id that KIE told us."""

    SAVED = "saved"
    ROW_HAS_OTHER = "the row has another task id"
    TAKEN = "another generation has this task id"


class Generations:
    """Adds, saves and deletes generations. Every change but `save_task_id` is fenced by a token."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def add(self, generation: Generation, *, by: str | None = None) -> tuple[Generation, bool]:
        """Save a new generation; with an Idempotency-Key seen before, give the first one instead.

        The flag says whether it is new; `by` is the operator whose act it is, for the timeline.
        Raises IdempotencyConflictError where the key came with another request, and CreateError
        where an adopted table takes no such user.
        """
        return self._added(generation, lambda connection: self._add(connection, generation, by))

    def add_rescued(self, generation: Generation, *, by: str) -> tuple[Generation, bool]:
        """Save a generation of a task that KIE made for somebody else, and its callbacks with it.

        Where a row of ours has that task, give that row. The flag says whether it is new. Raises
        CreateError as `add` does.
        """
        return self._added(
            generation, lambda connection: self._add_rescued(connection, generation, by)
        )

    def _added(
        self,
        generation: Generation,
        add: Callable[[sa.Connection], tuple[Generation, bool]],
    ) -> tuple[Generation, bool]:
        try:
            return self._database.run(add)
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in OF_ADOPTED_USERS:
                raise
            why = "the table of generations, which was there before, takes no such userId"
            raise CreateError("user.refused", why) from error
        except StoreUnavailableError:
            if not self.is_known(generation.id):
                raise
            return generation, True  # only the answer to the commit was lost

    def is_known(self, generation_id: str) -> bool:
        """Whether there is such a generation, and it was not deleted."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(g.c.id).where(g.c.id == generation_id)) is not None

    def _add(
        self, connection: sa.Connection, generation: Generation, by: str | None
    ) -> tuple[Generation, bool]:
        key = generation.idempotency_key
        if key is not None and (known := _first(connection, g.c.idempotency_key == key)):
            if known.request_sha256 != generation.request_sha256:
                raise IdempotencyConflictError("this Idempotency-Key was used with another request")
            return known, False
        connection.execute(sa.insert(g), to_columns(generation))
        detail = {"model": generation.model, "kind": generation.kind}
        if by is not None:
            detail["by"] = by
        _tell(connection, generation.id, [Event("generation.created", detail)], self._now())
        return generation, True

    def _add_rescued(
        self, connection: sa.Connection, generation: Generation, by: str
    ) -> tuple[Generation, bool]:
        task_id, now = generation.task_id or "", self._now()
        if known := _first(connection, g.c.task_id == task_id, IS_OURS):
            return known, False
        connection.execute(sa.insert(g), to_columns(generation))
        detail = {"by": by, "task_id": task_id, "model": generation.model}
        _tell(connection, generation.id, [Event("generation.rescued", detail)], now)
        match_unmatched(connection, generation.id, task_id, now)
        return generation, True

    def load(self, generation_id: str) -> Generation:
        """The generation as it is now; LeaseLostError if it was deleted."""
        with self._database.read() as connection:
            found = connection.execute(sa.select(g).where(g.c.id == generation_id)).mappings()
            for generation in load_generations(connection, found.all()):
                return generation
        raise LeaseLostError

    def save(self, token: str, before: Generation, change: Change) -> None:
        """Save what changed, if the lease is still ours; otherwise LeaseLostError, nothing saved.

        `due_at` stays: a wake-up that comes meanwhile is seen by `release`. A change that marks a
        submission is saved only while no task is known, whoever told it: TaskKnownError otherwise.
        """
        self._database.run(
            lambda connection: self._save(connection, token, before, change, lets_go=False)
        )

    def release(self, token: str, before: Generation, change: Change) -> bool:
        """Save what changed and let go, unless a wake-up came since the claim.

        True: let go. False: saved, the wake-up is consumed and the lease still held: look again.
        """
        return not self._database.run(
            lambda connection: self._save(connection, token, before, change, lets_go=True)
        )

    def _save(
        self,
        connection: sa.Connection,
        token: str,
        before: Generation,
        change: Change,
        *,
        lets_go: bool,
    ) -> bool:
        """Whether the lease is still held afterwards."""
        now = self._now()
        after = change.generation
        changed = changed_columns(before, after) | {"updated_at": now}
        keys: dict[str, Any] = {"of": after.id, "mine": token}
        submits = changed.get("submit_started_at") is not None
        statement = _update(tuple(changed), after.status, lets_go=lets_go, submits=submits)
        if lets_go:
            keys["next_due_at"] = after.due_at
        if "candidate_task_id" in changed:
            keys["candidate_before"] = before.candidate_task_id
        row = connection.execute(statement, changed | keys).one_or_none()
        if row is None:
            raise _why_not_saved(connection, before, after, token, submits=submits)
        _save_assets(connection, before, after)
        _tell(connection, after.id, change.events, now)
        return row.lease_token is not None

    def save_task_id(self, generation_id: str, token: str, task_id: str) -> TaskIdResult:
        """Save KIE's task id where the row has none yet, lease or not: it must not be lost.

        An earlier callback of that task is matched. A conflict is kept as an event with both ids.
        """
        return self._database.run(
            lambda connection: self._save_task_id(connection, generation_id, token, task_id)
        )

    def _save_task_id(
        self, connection: sa.Connection, generation_id: str, token: str, task_id: str
    ) -> TaskIdResult:
        now = self._now()
        row = connection.execute(
            sa.select(g.c.task_id, g.c.candidate_task_id)
            .where(g.c.id == generation_id)
            .with_for_update()
        ).one_or_none()
        if row is None or row.task_id == task_id:  # deleted meanwhile, or known already
            return TaskIdResult.SAVED
        known = row.task_id or row.candidate_task_id
        if known not in (None, task_id):
            detail = {"row": known, "told": task_id, "why": TaskIdResult.ROW_HAS_OTHER.value}
            _tell(connection, generation_id, [Event("task_id.conflict", detail)], now)
        if row.task_id is not None:
            return TaskIdResult.ROW_HAS_OTHER
        if connection.scalar(sa.select(g.c.id).where(g.c.task_id == task_id, IS_OURS)) is not None:
            detail = {"told": task_id, "why": TaskIdResult.TAKEN.value}
            _tell(connection, generation_id, [Event("task_id.conflict", detail)], now)
            return TaskIdResult.TAKEN
        mine = g.c.lease_token == token
        connection.execute(
            sa.update(g)
            .where(g.c.id == generation_id, g.c.task_id.is_(None))
            .values(
                task_id=task_id,
                candidate_task_id=None,
                submitted_at=sa.func.coalesce(g.c.submitted_at, sa.literal(now, g.c.due_at.type)),
                due_at=sa.case((mine, g.c.due_at), else_=sa.literal(now, g.c.due_at.type)),
                updated_at=now,
            )
        )
        match_unmatched(connection, generation_id, task_id, now)
        return TaskIdResult.SAVED

    def wake(self, generation_id: str, *, asked_before: datetime | None = None) -> bool:
        """Make a generation due now; a holder of its lease will look again before it lets go.

        `asked_before`: only if nobody holds it and KIE was not asked about it since. Whether it
        is due now.
        """
        now = self._now()
        statement = sa.update(g).where(g.c.id == generation_id)
        if asked_before is not None:
            long_ago = sa.or_(g.c.asked_at.is_(None), g.c.asked_at <= asked_before)
            statement = statement.where(g.c.lease_until.is_(None), long_ago)
        earlier = sa.case((g.c.due_at < now, g.c.due_at), else_=sa.literal(now, UtcDateTime))
        woken = statement.values(due_at=earlier)
        return self._database.run(lambda connection: connection.execute(woken).rowcount == 1)

    def act(self, generation_id: str, decide: Callable[[Generation], Change]) -> Generation:
        """Apply an operator's decision; the generation afterwards. What `decide` raises is raised.

        HeldError where a worker is on it, unless the decision only wakes it; KeyError where there
        is no such generation.
        """
        return self._database.run(lambda connection: self._act(connection, generation_id, decide))

    def _act(
        self,
        connection: sa.Connection,
        generation_id: str,
        decide: Callable[[Generation], Change],
    ) -> Generation:
        chosen = sa.select(g).where(g.c.id == generation_id, IS_OURS).with_for_update()
        rows = connection.execute(chosen).mappings().all()
        if not rows:
            raise KeyError(generation_id)
        (before,) = load_generations(connection, rows)
        now = self._now()
        is_held = before.is_held(now)
        if before.lease_token is not None and not is_held:  # what a dead worker left is due
            before = before.evolve(due_at=before.due_at or now)
        after, news = decide(before)
        changed = changed_columns(before, after)
        if is_held:
            if changed:
                raise HeldError(HELD)
        else:
            crashes = before.crashes + (before.lease_token is not None)  # as a take-over counts
            changed |= {"lease_token": None, "lease_until": None, "crashes": crashes}
        connection.execute(
            sa.update(g)
            .where(g.c.id == generation_id, MAY_BECOME[after.status])
            .values(**changed, due_at=after.due_at, updated_at=now)
        )
        _tell(connection, generation_id, news, now)
        return after

    def tell(self, generation_id: str, event: Event) -> None:
        """Add to the timeline, and leave the generation as it is, due or not.

        HeldError where a worker is on it, who may be deleting it; KeyError where there is no such
        generation.
        """
        self._database.run(lambda connection: self._tell_only(connection, generation_id, event))

    def _tell_only(self, connection: sa.Connection, generation_id: str, event: Event) -> None:
        chosen = sa.select(g.c.lease_until).where(g.c.id == generation_id, IS_OURS)
        row = connection.execute(chosen.with_for_update()).one_or_none()
        now = self._now()
        if row is None:
            raise KeyError(generation_id)
        if row.lease_until is not None and row.lease_until >= now:
            raise HeldError(HELD)
        _tell(connection, generation_id, [event], now)

    def delete(self, generation_id: str, token: str) -> None:
        """Delete a generation and all that belongs to it, if the lease is ours."""
        self._database.run(lambda connection: self._delete(connection, generation_id, token))

    def _delete(self, connection: sa.Connection, generation_id: str, token: str) -> None:
        mine = sa.delete(g).where(g.c.id == generation_id, g.c.lease_token == token)
        deleted = connection.execute(mine.returning(g.c.task_id, g.c.created_at)).one_or_none()
        if deleted is None:
            raise LeaseLostError
        mark_stale(connection, deleted.created_at)
        about_it = callbacks.c.generation_id == generation_id
        if deleted.task_id is not None:
            about_it |= callbacks.c.task_id == deleted.task_id
        connection.execute(sa.delete(callbacks).where(about_it))


def _first(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> Generation | None:
    found = connection.execute(sa.select(g).where(*conditions)).mappings()
    return next(iter(load_generations(connection, found.all())), None)


@cache
def _update(columns: tuple[str, ...], status: Status, *, lets_go: bool, submits: bool) -> sa.Update:
    """The fenced update of these columns; built once for each set of them that transitions change.

    One that lets go keeps the lease, and consumes the wake-up, where `due_at` has been set since
    the claim. `attempts` then stays as the news left it.
    """
    woken = g.c.due_at.is_not(None)
    next_due_at = sa.bindparam("next_due_at", type_=UtcDateTime)
    values: dict[str, Any] = {name: sa.bindparam(name, type_=g.c[name].type) for name in columns}
    if "candidate_task_id" in values:  # a callback may have brought another one meanwhile
        seen = g.c.candidate_task_id.is_not_distinct_from(sa.bindparam("candidate_before"))
        values["candidate_task_id"] = sa.case(
            (seen, values["candidate_task_id"]), else_=g.c.candidate_task_id
        )
    if lets_go:
        values["lease_token"] = sa.case((woken, g.c.lease_token), else_=sa.null())
        values["lease_until"] = sa.case((woken, g.c.lease_until), else_=sa.null())
        values["due_at"] = sa.case((woken, sa.null()), else_=next_due_at)
        if "attempts" in values:
            values["attempts"] = sa.case((woken, g.c.attempts), else_=values["attempts"])
    return (
        sa.update(g)
        .where(
            g.c.id == sa.bindparam("of"),
            g.c.lease_token == sa.bindparam("mine"),
            MAY_BECOME[status],
            *(NO_TASK_KNOWN if submits else ()),
        )
        .values(values)
        .returning(g.c.lease_token)
    )


def _why_not_saved(
    connection: sa.Connection, before: Generation, after: Generation, token: str, *, submits: bool
) -> AppError:
    told = sa.select(g.c.lease_token, g.c.task_id, g.c.candidate_task_id)
    row = connection.execute(told.where(g.c.id == after.id)).one_or_none()
    if row is None or row.lease_token != token:
        return LeaseLostError()
    if submits and (row.task_id or row.candidate_task_id) is not None:
        return TaskKnownError("its task is known: it must not be paid twice")
    return ImpossibleChangeError(f"from {before.status} to {after.status} ({after.error_code})")


def _save_assets(connection: sa.Connection, before: Generation, after: Generation) -> None:
    known = {asset.position: asset for asset in before.assets}
    for asset in after.assets:
        if asset.position not in known:
            connection.execute(INSERT_ASSET, {"generation_id": after.id, **asset_columns(asset)})
        elif asset != known[asset.position]:
            values = asset_columns(asset)
            keys = {"of": after.id, "at_position": values.pop("position")}
            connection.execute(UPDATE_ASSET, values | keys)


def _tell(
    connection: sa.Connection, generation_id: str, news: Iterable[Event], at: datetime
) -> None:
    rows = [
        {"generation_id": generation_id, "at": at, "name": event.name, "detail": event.detail}
        for event in news
        if event.kept
    ]
    if rows:
        connection.execute(INSERT_EVENT, rows)
