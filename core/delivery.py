"""The one engine: whoever brings news of a generation, this carries it on.

`advance` claims the lease, does the next step, saves what became of it, and repeats until the
generation has to wait or is done. It may die between any two lines, or run twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, assert_never

from core.errors import LeaseLostError, StepError, StorageError, StoreUnavailableError
from core.fetching import Fetcher, Provider
from core.generation.asking import (
    after_ask,
    candidate_confirmed,
    candidate_refused,
    confirms_candidate,
)
from core.generation.model import Asset, Change, Channel, Generation
from core.generation.schedule import Policy
from core.generation.steps import Ask, Rest, StoreFile, Submit, next_step
from core.generation.storing import after_fetched, after_store_failed, after_stored
from core.generation.submitting import after_no_slot, after_submit, before_submit
from core.ids import new_token
from core.kie.report import Accepted, NotNow, Report, Unknown
from core.leases import Lease, Leases
from core.media.download import SpooledFile
from core.storage.paths import object_path
from core.storage.port import AssetStorage
from core.store.generations import TaskIdResult
from core.store.store import Store
from core.telling import told

logger = logging.getLogger(__name__)

#: An unexpected error is a bug: the next one in line goes on, this one is tried again later.
AFTER_BUG = timedelta(minutes=5)
SAVE_TASK_ID_WAITS = (0.5, 1, 2, 4, 8, 15, 30, 60)  # seconds


@dataclass(slots=True)
class Turn:
    """One holder's work on one generation, as it was last saved."""

    generation: Generation
    lease: Lease
    channel: Channel


class Delivery:
    """Carries generations on. One per process; all its threads share it."""

    def __init__(
        self,
        *,
        store: Store,
        leases: Leases,
        kie: Provider,
        fetcher: Fetcher,
        storage: AssetStorage,
        policy: Policy,
        callback_url: Callable[[str], str | None],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._leases = leases
        self._kie = kie
        self._fetcher = fetcher
        self._storage = storage
        self._policy = policy
        self._callback_url = callback_url
        self._monotonic = monotonic
        self._sleep = sleep

    def advance(self, generation_id: str, channel: Channel) -> Generation | None:
        """Carry a generation on, if it is due and nobody else works on it; None where not."""
        claimed = self._store.claims.claim(generation_id, new_token())
        return self.run(claimed, channel) if claimed else None

    def run(self, claimed: Generation, channel: Channel) -> Generation | None:
        """Carry a claimed generation on until it has to wait; None where it was handed back.

        Never raises: an unexpected error is logged and the generation tried again later.
        """
        token = claimed.lease_token or ""
        with self._leases.hold(claimed.id, token) as lease:
            try:
                return self._work(Turn(claimed, lease, channel))
            except LeaseLostError:
                logger.info("lease ended", extra=_context(claimed, event="lease.ended"))
                self._hand_back(claimed.id, token, timedelta())
            except StoreUnavailableError as error:
                logger.warning("%s", error, extra=_context(claimed, event="store.unavailable"))
                self._hand_back(claimed.id, token, timedelta(seconds=1))
            except Exception:
                logger.exception("a step failed", extra=_context(claimed, event="step.bug"))
                self._hand_back(claimed.id, token, AFTER_BUG)
        return None

    def _hand_back(self, generation_id: str, token: str, after: timedelta) -> None:
        with suppress(StoreUnavailableError):  # else the lease dies by itself, and is taken over
            self._store.claims.hand_back(generation_id, token, after=after)

    def _work(self, turn: Turn) -> Generation:
        while True:
            started = self._monotonic()
            change = self._step(turn)
            due_at = change.generation.due_at
            goes_on = due_at is not None and due_at <= self._store.now()
            if goes_on:
                self._save(turn, change, started)
            elif self._let_go(turn, change, started):
                return turn.generation

    def _step(self, turn: Turn) -> Change:
        step = next_step(turn.generation, self._store.now(), self._policy)
        match step:
            case Submit():
                return self._submit(turn)
            case Ask(task_id):
                return self._ask(turn, task_id)
            case StoreFile(asset):
                return self._store_file(turn, asset)
            case Rest(change):
                return change
            case _:
                assert_never(step)

    def _save(self, turn: Turn, change: Change, started: float | None = None) -> None:
        self._store.generations.save(turn.lease.token, turn.generation, change)
        turn.generation = change.generation
        self._log(change, started)

    def _let_go(self, turn: Turn, change: Change, started: float) -> bool:
        released = self._store.generations.release(turn.lease.token, turn.generation, change)
        turn.generation = change.generation
        self._log(change, started)
        if not released:  # news came in the meantime
            turn.generation = self._store.generations.load(turn.generation.id)
        return released

    # submit

    def _submit(self, turn: Turn) -> Change:
        free_at = self._store.grants.grant(turn.generation.id)
        if free_at is not None:
            return after_no_slot(turn.generation, free_at)
        turn.lease.keep_going()
        self._save(turn, before_submit(turn.generation, self._store.now()))
        generation = turn.generation
        answer = self._kie.create(
            generation.family,
            generation.model,
            generation.input,
            self._callback_url(generation.id),
        )
        if isinstance(answer, NotNow) and answer.code == "kie.rate_limited":
            self._store.grants.close_window()
        if isinstance(answer, Accepted):
            return self._accepted(turn, answer)
        return after_submit(generation, answer, self._store.now(), self._policy)

    def _accepted(self, turn: Turn, answer: Accepted) -> Change:
        saved = self._save_task_id(turn, answer.task_id)
        now = self._store.now()
        if saved is TaskIdResult.ROW_HAS_OTHER:
            turn.generation = self._store.generations.load(turn.generation.id)
            return Change(turn.generation.evolve(due_at=now))
        if saved is TaskIdResult.TAKEN:
            why = Unknown("KIE named a task that another generation has")
            return after_submit(turn.generation, why, now, self._policy)
        return after_submit(turn.generation, answer, now, self._policy)

    def _save_task_id(self, turn: Turn, task_id: str) -> TaskIdResult:
        """Save it, however long the database is away: what was paid for hangs on this one write."""
        for wait in SAVE_TASK_ID_WAITS:
            try:
                return self._store.generations.save_task_id(
                    turn.generation.id, turn.lease.token, task_id
                )
            except StoreUnavailableError as error:
                extra = _context(turn.generation, event="submit.not_saved", accepted_task=task_id)
                logger.error("KIE made a task that cannot be saved yet: %s", error, extra=extra)
                self._sleep(wait)
        return self._store.generations.save_task_id(turn.generation.id, turn.lease.token, task_id)

    # ask

    def _ask(self, turn: Turn, task_id: str) -> Change:
        answer = self._kie.ask(turn.generation.family, task_id)
        now = self._store.now()
        if isinstance(answer, Report) and turn.generation.task_id is None:
            refused = self._adopt(turn, answer)
            if refused is not None:
                return candidate_refused(turn.generation, refused, now)
        return after_ask(turn.generation, answer, turn.channel, now, self._policy)

    def _adopt(self, turn: Turn, report: Report) -> str | None:
        """Take the task id that a callback brought, now that KIE knows it; or why not."""
        if not confirms_candidate(turn.generation, report):
            return "KIE's record of it names another callback address"
        saved = self._save_task_id(turn, report.task_id)
        if saved is not TaskIdResult.SAVED:
            return saved.value
        now = self._store.now()
        self._save(turn, candidate_confirmed(turn.generation, report.task_id, now))
        return None

    # store

    def _store_file(self, turn: Turn, asset: Asset) -> Change:
        try:
            url = self._stored_url(asset) or self._fetch_and_put(turn, asset)
        except LeaseLostError:
            raise
        except StepError as error:
            now = self._store.now()
            return after_store_failed(turn.generation, asset.position, error, now, self._policy)
        return after_stored(turn.generation, asset.position, url, self._store.now())

    def _stored_url(self, asset: Asset) -> str | None:
        """Where the file is, if an earlier try put it there and died before it could say so."""
        if asset.path is None or self._storage.size(asset.path) != asset.size_bytes:
            return None
        return self._storage.url(asset.path)

    def _fetch_and_put(self, turn: Turn, asset: Asset) -> str:
        with self._fetcher.fetched(turn.generation, asset, turn.lease) as file:
            placed = _placed(turn.generation, asset, file)
            path = placed.path or ""
            self._save(turn, after_fetched(turn.generation, placed))  # proves the lease as well
            self._storage.put(file.path, path, file.content_type)
            stored = self._storage.size(path)
            if stored != file.size_bytes:
                why = f"storage shows {stored} bytes of {file.size_bytes} at {path}"
                raise StorageError("storage.unavailable", why)
            return self._storage.url(path)

    def _log(self, change: Change, started: float | None) -> None:
        for event in change.events:
            sentence, fields = told(event.name, event.detail)
            if started is not None:
                fields["ms"] = round((self._monotonic() - started) * 1000)
            logger.info(sentence, extra=_context(change.generation, event=event.name, **fields))


def _placed(generation: Generation, asset: Asset, file: SpooledFile) -> Asset:
    path = object_path(
        user_id=generation.user_id,
        kind=generation.kind,
        generation_id=generation.id,
        position=asset.position,
        sha256=file.sha256,
        extension=file.extension,
    )
    return replace(
        asset,
        path=path,
        content_type=file.content_type,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
    )


def _context(generation: Generation, **fields: Any) -> dict[str, Any]:
    return {"generation": generation.id, "task": generation.task_id, **fields}
