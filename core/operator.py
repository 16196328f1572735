"""What an operator may do: each act marks the row and tells the timeline; workers do the work."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from core.generation.model import Change, Generation
from core.generation.operating import (
    ActRefusedError,
    Order,
    given_up,
    looked_again,
    sent_again,
    task_attached,
)
from core.generation.schedule import Policy
from core.store.store import Store

TASK_ID = re.compile(r"[!-~]{1,128}")
MAX_REASON_LENGTH = 500


class Operator:
    """Acts on one generation each, in one transaction.

    All raise ActRefusedError where the act would change nothing or harm, HeldError where a worker
    is on it, StoreUnavailableError where nothing could be saved.
    """

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy

    def look_again(self, generation_id: str, order: Order) -> Generation:
        """Have KIE asked, or the file fetched, as soon as a worker is free. Free of charge."""
        return self._act(generation_id, lambda one: looked_again(one, order, self._store.now()))

    def give_up(self, generation_id: str, why: str, order: Order) -> Generation:
        """End it as `failed`, `operator.gave_up`; a file that turns up later still makes it
        `success`."""
        words = why.strip()
        if not words or len(words) > MAX_REASON_LENGTH:
            raise ActRefusedError(f"giving up needs a reason of 1-{MAX_REASON_LENGTH} characters")
        return self._act(generation_id, lambda one: given_up(one, words, order, self._store.now()))

    def attach(self, generation_id: str, task_id: str, order: Order) -> Generation:
        """Name KIE's task of a generation that has none; taken once KIE confirms it."""
        named = task_id.strip()
        if not TASK_ID.fullmatch(named):
            raise ActRefusedError("a task id has 1-128 printable ASCII characters and no spaces")
        return self._act(
            generation_id, lambda one: task_attached(one, named, order, self._store.now())
        )

    def send_again(self, generation_id: str, seen: datetime | None, order: Order) -> Generation:
        """Submit it once more. May pay twice: KIE may have made a task of it already.

        `seen`: its `submit_started_at` as the operator saw it. Two who decide about the same
        submission have it sent once.
        """
        return self._act(
            generation_id,
            lambda one: sent_again(one, seen, order, self._store.now(), self._policy),
        )

    def _act(self, generation_id: str, decide: Callable[[Generation], Change]) -> Generation:
        try:
            return self._store.generations.act(generation_id, decide)
        except KeyError:
            raise ActRefusedError("there is no such generation any more") from None
