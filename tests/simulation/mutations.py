"""Engines that are broken on purpose, each as somebody tired could have written it.

Every one gives a context manager that puts the wrong code in the place of the right one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import sqlalchemy as sa

from core import delivery
from core.delivery import Delivery
from core.errors import StorageError, StoreUnavailableError
from core.generation import asking, steps, submitting
from core.generation.model import Change, Status
from core.generation.storing import after_store_failed
from core.ids import new_token
from core.kie.credentials import Credential
from core.media.guard import GuardedBackend
from core.store import claims, generations, inbox
from core.store.claims import Claims
from core.store.inbox import Inbox, Verdict
from core.store.tables import generations as g

Mutation = AbstractContextManager[Any]

# I1


def unknown_outcomes_are_sent_again() -> Mutation:
    """An answer that says nothing counts as a refusal."""

    def cleared(generation: Any, why: str, now: Any, policy: Any) -> Change:
        due_at = now + timedelta(seconds=5)
        return Change(generation.evolve(submit_started_at=None, due_at=due_at))

    return mock.patch.object(submitting, "submission_unknown", cleared)


def nobody_looks_whether_it_was_sent() -> Mutation:
    """What a dead process has begun to submit is submitted."""

    def cleared(generation: Any, why: str, now: Any, policy: Any) -> Change:
        return Change(generation.evolve(submit_started_at=None, due_at=now))

    return mock.patch.object(steps, "submission_unknown", cleared)


# I2


def only_what_was_announced_is_delivered() -> Mutation:
    """The poller leaves to the web what no callback has spoken of."""
    claim_next = Claims.claim_next

    def announced(self: Claims, lane: Any, token: str, *, announced_only: bool = False) -> Any:
        return claim_next(self, lane, token, announced_only=True)

    return mock.patch.object(Claims, "claim_next", announced)


def storage_has_one_chance() -> Mutation:
    """The first error of storage fails the generation."""

    def failed(generation: Any, position: int, error: Any, now: Any, policy: Any) -> Change:
        if not isinstance(error, StorageError):
            return after_store_failed(generation, position, error, now, policy)
        return Change(
            generation.evolve(
                status=Status.FAILED, error_code=error.code, error=str(error), due_at=None
            )
        )

    return mock.patch("core.delivery.after_store_failed", failed)


# I3


def put_before_it_is_known() -> Mutation:
    """Every try puts the file under a name of its own, and tells the database afterwards."""

    def fetch_and_put(self: Any, turn: Any, asset: Any) -> str:
        with self._fetcher.fetched(turn.generation, asset, turn.lease) as file:
            placed = delivery._placed(turn.generation, asset, file)
            path = f"{new_token()}/{placed.path}"
            self._put(file, path, turn.lease.keep_going)
            turn.save(Change(turn.generation.with_asset(replace(placed, path=path))))
            return str(self._storage.url(path))

    return mock.patch.object(Delivery, "_fetch_and_put", fetch_and_put)


def errors_of_storage_are_logged_only() -> Mutation:
    """What could not be put counts as stored."""
    put = Delivery._put

    def tried(self: Any, file: Any, path: str, keep_going: Any) -> None:
        with suppress(StorageError):
            put(self, file, path, keep_going)

    return mock.patch.object(Delivery, "_put", tried)


# I4


def callbacks_are_acknowledged_unkept() -> Mutation:
    """KIE is told that all is well, whether or not the callback was committed."""
    accept = Inbox.accept

    def accepted(self: Inbox, received: Any) -> Verdict:
        try:
            return accept(self, received)
        except StoreUnavailableError:
            return Verdict.ACCEPTED

    return mock.patch.object(Inbox, "accept", accepted)


# I5


@contextmanager
def whoever_comes_late_may_write() -> Iterator[None]:
    """A save takes the lease instead of proving it, and any state may follow any other."""
    save = generations.Generations._save

    def unfenced(
        self: Any, connection: Any, token: str, before: Any, change: Any, *, lets_go: bool
    ) -> bool:
        connection.execute(sa.update(g).where(g.c.id == before.id).values(lease_token=token))
        return save(self, connection, token, before, change, lets_go=lets_go)

    generations._update.cache_clear()
    anything = dict.fromkeys(Status, sa.true())
    with (
        mock.patch.dict(generations.MAY_BECOME, anything),
        mock.patch.object(generations.Generations, "_save", unfenced),
    ):
        yield
    generations._update.cache_clear()


# I6


@contextmanager
def callbacks_are_believed() -> Iterator[None]:
    """A callback that says `fail` fails the generation."""
    wake = inbox._wake

    def believe(connection: Any, row: Any, received: Any, now: Any) -> None:
        wake(connection, row, received, now)
        if received.claimed_state == "fail":
            failed = {"status": "failed", "error_code": "provider.failed", "due_at": None}
            connection.execute(sa.update(g).where(g.c.id == row.id).values(failed))

    with mock.patch.object(inbox, "_wake", believe):
        yield


def every_credential_opens() -> Mutation:
    """The token in the URL is read and never checked."""

    def opened(query: Any, secrets: Any, other_keys: Any) -> Credential:
        return Credential(query.get("generation"))

    return mock.patch("webhook.callback.check_credential", opened)


# I7


def the_window_is_a_second() -> Mutation:
    """Twenty creates in a second, where ten are meant."""
    return mock.patch("core.store.grants.WINDOW", timedelta(seconds=1))


# I8


def every_address_is_public() -> Mutation:
    """Nobody looks at addresses."""
    return mock.patch("core.media.guard.is_public", lambda address: True)


def names_are_looked_up_twice() -> Mutation:
    """The address that is checked is not the one that is called."""

    def connect_tcp(self: Any, host: str, port: int, *more: Any) -> Any:
        self._checked(host, port)
        return self._connector.connect_tcp(host, port, *more)

    return mock.patch.object(GuardedBackend, "connect_tcp", connect_tcp)


# I9


def credits_are_added_up() -> Mutation:
    """Each answer that names the price is charged."""
    told = asking._told

    def added(generation: Any, report: Any, now: Any) -> Any:
        sum_ = (generation.credits_consumed or Decimal(0)) + (report.credits_consumed or 0)
        return told(generation, report, now).evolve(credits_consumed=sum_ or None)

    return mock.patch.object(asking, "_told", added)


# I10


@contextmanager
def dead_leases_stay() -> Iterator[None]:
    """Nobody takes over what a dead process held."""

    def without_dead(queues: Any) -> Any:
        return {
            lane: tuple(claims._take_first(queue[1:]) for queue in both)
            for lane, both in queues.items()
        }

    with (
        mock.patch.dict(claims.TAKE_FIRST, without_dead(claims.QUEUES)),
        mock.patch.dict(claims.TAKE_FIRST_ANNOUNCED, without_dead(claims.ANNOUNCED_QUEUES)),
    ):
        yield


@contextmanager
def what_is_handed_back_is_forgotten() -> Iterator[None]:
    """Let go of, and never due again."""

    def let_go(self: Any, generation_id: str, token: str, *, after: Any) -> None:
        mine = sa.update(g).where(g.c.id == generation_id, g.c.lease_token == token)
        freed = mine.values(lease_token=None, lease_until=None)
        self._database.run(lambda connection: connection.execute(freed))

    with mock.patch.object(Claims, "hand_back", let_go):
        yield
