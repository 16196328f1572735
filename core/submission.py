"""Asking KIE for a task: once, recorded before, and with the answer saved whatever it takes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from core.accepted_tasks import AcceptedTasks
from core.errors import StoreUnavailableError
from core.fetching import Provider
from core.generation.model import Change
from core.generation.schedule import Policy
from core.generation.submitting import after_no_slot, after_submit, before_submit
from core.kie.report import Accepted, NotNow, Unknown
from core.store.generations import TaskIdResult, TaskKnownError
from core.store.store import Store
from core.turn import Turn, context

logger = logging.getLogger(__name__)

SAVE_WAITS = (0.5, 1, 2, 4, 8, 15, 30, 60)  # seconds

Answer = TypeVar("Answer")


class Submission:
    """Submits generations to KIE, within its limits."""

    def __init__(
        self,
        *,
        store: Store,
        kie: Provider,
        policy: Policy,
        callback_url: Callable[[str], str | None],
        accepted_tasks: AcceptedTasks,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._kie = kie
        self._policy = policy
        self._callback_url = callback_url
        self._accepted_tasks = accepted_tasks
        self._sleep = sleep

    def submit(self, turn: Turn) -> Change:
        """Ask KIE for the task, unless its limit says to wait."""
        free_at = self._store.grants.grant(turn.generation.id)
        if free_at is not None:
            return after_no_slot(turn.generation, free_at)
        turn.lease.keep_going()
        try:
            self._begin(turn)
        except TaskKnownError:
            return self._with_its_task(turn)
        generation = turn.generation
        answer = self._kie.create(
            generation.family,
            generation.model,
            generation.input,
            self._callback_url(generation.id),
        )
        if isinstance(answer, Accepted):
            return self._accepted(turn, answer)
        change = after_submit(generation, answer, self._store.now(), self._policy)
        self._insist(turn, lambda: turn.save(change))
        if isinstance(answer, NotNow) and answer.code == "kie.rate_limited":
            with suppress(StoreUnavailableError):
                self._store.grants.close_window()
        return Change(turn.generation)

    def save_task_id(self, turn: Turn, task_id: str) -> TaskIdResult:
        """Save KIE's task id although the database is away: what was paid for hangs on it.

        Until it is saved it stands in a file, too: a process that ends here loses nothing.
        """
        generation_id = turn.generation.id

        def save() -> TaskIdResult:
            return self._store.generations.save_task_id(generation_id, turn.lease.token, task_id)

        try:
            return save()
        except Exception as error:
            extra = context(turn.generation, event="submit.not_saved", accepted_task=task_id)
            logger.error("KIE made a task that cannot be saved yet", extra=extra)
            with suppress(OSError):  # no room for a file either: then all hangs on the retries
                self._accepted_tasks.keep(generation_id, task_id)
            if not isinstance(error, StoreUnavailableError):
                raise
        saved = self._insist(turn, save)
        with suppress(OSError):
            self._accepted_tasks.forget(generation_id)
        return saved

    def hand_in(self) -> None:
        """Save the task ids that an earlier process could only keep in files."""
        for generation_id, task_id in self._accepted_tasks.kept():
            self._store.generations.save_task_id(generation_id, "", task_id)
            self._accepted_tasks.forget(generation_id)

    def _begin(self, turn: Turn) -> None:
        begun = before_submit(turn.generation, self._store.now())
        try:
            turn.save(begun)
        except StoreUnavailableError:  # perhaps only the answer was lost, and KIE knows nothing yet
            turn.save(begun)

    def _with_its_task(self, turn: Turn) -> Change:
        """The generation as others wrote it meanwhile, who knew its task: to go on with at once."""
        turn.reload()
        return Change(turn.generation.evolve(due_at=self._store.now()))

    def _accepted(self, turn: Turn, answer: Accepted) -> Change:
        saved = self.save_task_id(turn, answer.task_id)
        if saved is TaskIdResult.ROW_HAS_OTHER:
            return self._with_its_task(turn)
        now = self._store.now()
        if saved is TaskIdResult.TAKEN:
            why = Unknown("KIE named a task that another generation has")
            return after_submit(turn.generation, why, now, self._policy)
        return after_submit(turn.generation, answer, now, self._policy)

    def _insist(self, turn: Turn, write: Callable[[], Answer]) -> Answer:
        for wait in SAVE_WAITS:
            try:
                return write()
            except StoreUnavailableError as error:
                extra = context(turn.generation, event="store.unavailable")
                logger.warning("KIE's answer cannot be saved yet: %s", error, extra=extra)
                self._sleep(wait)
        return write()
