"""The one engine: whoever brings news of a generation, this carries it on.

`advance` claims the lease, does the next step, saves what became of it, and repeats until the
generation has to wait or is done. It may die between any two lines, or run twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from core.errors import LeaseLostError, StepError, StorageError, StoreUnavailableError
from core.fetching import Fetcher, Provider
from core.generation.asking import (
    after_ask,
    candidate_confirmed,
    candidate_refused,
    confirms_candidate,
)
from core.generation.deleting import deletion_begun, deletion_put_off
from core.generation.model import Asset, Change, Channel, Generation
from core.generation.schedule import Policy
from core.generation.steps import Ask, Delete, Rest, StoreFile, Submit, next_step
from core.generation.storing import (
    after_fetched,
    after_store_failed,
    after_stored,
    restored,
)
from core.ids import new_token
from core.kie.report import Report
from core.leases import Lease, Leases
from core.media.download import SpooledFile
from core.storage.paths import object_path
from core.storage.port import AssetStorage, KeepGoing
from core.store.generations import HeldError, TaskIdResult
from core.store.store import Store
from core.submission import Submission
from core.turn import Turn, context

logger = logging.getLogger(__name__)

#: An unexpected error is a bug: the next one in line goes on, this one is tried again later.
AFTER_BUG = timedelta(minutes=5)
AFTER_OUTAGE = timedelta(seconds=1)


class Delivery:
    """Carries generations on. One per process; all its threads share it."""

    def __init__(
        self,
        *,
        store: Store,
        leases: Leases,
        kie: Provider,
        submission: Submission,
        fetcher: Fetcher,
        storage: AssetStorage,
        storages: Callable[[], tuple[AssetStorage, ...]],
        policy: Policy,
    ) -> None:
        self._store = store
        self._leases = leases
        self._kie = kie
        self._submission = submission
        self._fetcher = fetcher
        self._storage = storage
        self._storages = storages
        self._policy = policy

    def advance(self, generation_id: str, channel: Channel) -> Generation | None:
        """Carry a generation on, if it is due and nobody else works on it; None where not."""
        claimed = self._store.claims.claim(generation_id, new_token())
        return self.run(claimed, channel) if claimed else None

    def restore(self, generation: Generation, position: int) -> None:
        """Put a stored file that went missing back under its path, from where it came.

        The same bytes or none: raises StepError where they cannot be had or put. The generation
        stays as it is; its timeline tells. Where it was deleted meanwhile (KeyError), or may be
        about to be (HeldError), the file goes again.
        """
        asset = generation.asset(position)
        path = asset.path or ""
        with self._fetcher.fetched(generation, asset, Lease(generation.id, new_token())) as file:
            if (file.sha256, file.size_bytes) != (asset.sha256, asset.size_bytes):
                raise StepError("media.changed", "what is there now is another file")
            self._put(file, path, lambda: None)
        try:
            self._store.generations.tell(generation.id, restored(asset))
        except (KeyError, HeldError):
            self._storage.delete(path)
            raise

    def delete(self, claimed: Generation) -> None:
        """Delete a claimed generation and its files, wherever they are.

        From the first moment on whoever comes next would finish it. Raises StorageError where a
        file cannot be removed now, and LeaseLostError.
        """
        token = claimed.lease_token or ""
        with self._leases.hold(claimed.id, token) as lease:
            turn = Turn(self._store.generations, claimed, lease, Channel.SYNC)
            try:
                if claimed.delete_requested_at is None:
                    turn.save(deletion_begun(claimed, self._store.now()))
                self._remove(turn.generation)
                self._store.generations.delete(claimed.id, token)
            except (StorageError, StoreUnavailableError):
                self._hand_back(claimed.id, token, timedelta())
                raise

    def run(self, claimed: Generation, channel: Channel) -> Generation | None:
        """Carry a claimed generation on until it has to wait; None: handed back, or deleted.

        Never raises: an unexpected error is logged and the generation tried again later.
        """
        token = claimed.lease_token or ""
        with self._leases.hold(claimed.id, token) as lease:
            turn = Turn(self._store.generations, claimed, lease, channel)
            try:
                return self._work(turn)
            except LeaseLostError:
                logger.info("lease ended", extra=context(claimed, event="lease.ended"))
                self._hand_back(claimed.id, token, timedelta())
                self._remove_if_deleted(turn.generation)
            except StoreUnavailableError as error:
                logger.warning("%s", error, extra=context(claimed, event="store.unavailable"))
                self._hand_back(claimed.id, token, AFTER_OUTAGE)
            except Exception:
                logger.exception("a step failed", extra=context(claimed, event="step.bug"))
                self._hand_back(claimed.id, token, AFTER_BUG)
        return None

    def _hand_back(self, generation_id: str, token: str, after: timedelta) -> None:
        with suppress(StoreUnavailableError):  # else the lease dies by itself, and is taken over
            self._store.claims.hand_back(generation_id, token, after=after)

    def _remove_if_deleted(self, generation: Generation) -> None:
        """Somebody may have deleted a generation before its file was put: it would stay for ever.

        Where another worker has taken it over, the very file is that one's.
        """
        with suppress(StoreUnavailableError, StorageError):
            if not self._store.generations.is_known(generation.id):
                self._remove(generation)

    def _remove(self, generation: Generation) -> None:
        paths = [asset.path for asset in generation.assets if asset.path is not None]
        for storage in self._storages():
            for path in paths:
                storage.delete(path)

    def _work(self, turn: Turn) -> Generation | None:
        while True:
            change = self._step(turn)
            if change is None:
                return None
            due_at = change.generation.due_at
            if due_at is not None and due_at <= self._store.now():
                turn.save(change)
            elif turn.let_go(change):
                return turn.generation

    def _step(self, turn: Turn) -> Change | None:
        """What became of it; None: it was deleted."""
        step = next_step(turn.generation, self._store.now(), self._policy)
        match step:
            case Submit():
                return self._submission.submit(turn)
            case Ask(task_id):
                return self._ask(turn, task_id)
            case StoreFile(asset):
                return self._store_file(turn, asset)
            case Delete():
                return self._finish_deletion(turn)
            case Rest(change):
                return change
            case _:
                assert_never(step)

    def _finish_deletion(self, turn: Turn) -> Change | None:
        generation = turn.generation
        try:
            self._remove(generation)
        except StorageError as error:
            return deletion_put_off(generation, error, self._store.now(), self._policy)
        self._store.generations.delete(generation.id, turn.lease.token)
        extra = context(generation, event="generation.deleted")
        logger.info("deleted, as somebody had begun to", extra=extra)
        return None

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
        saved = self._submission.save_task_id(turn, report.task_id)
        if saved is not TaskIdResult.SAVED:
            return saved.value
        turn.save(candidate_confirmed(turn.generation, report.task_id, self._store.now()))
        return None

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
            turn.save(after_fetched(turn.generation, placed))  # proves the lease as well
            self._put(file, path, turn.lease.keep_going)
            return self._storage.url(path)

    def _put(self, file: SpooledFile, path: str, keep_going: KeepGoing) -> None:
        """Store a file, and look whether all of it is there."""
        self._storage.put(file.path, path, file.content_type, keep_going)
        stored = self._storage.size(path)
        if stored != file.size_bytes:
            why = f"storage shows {stored} bytes of {file.size_bytes} at {path}"
            raise StorageError("storage.unavailable", why)


def _placed(generation: Generation, asset: Asset, file: SpooledFile) -> Asset:
    path = object_path(
        user_id=generation.user_id,
        kind=generation.kind if asset.source_url else "text",
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
