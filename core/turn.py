"""One holder's work on one generation: what is known of it, and how it is saved."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from core.generation.model import Change, Channel, Generation
from core.leases import Lease
from core.store.generations import Generations
from core.telling import told

logger = logging.getLogger(__name__)


class Turn:
    """A generation under a lease, as it was last saved. Every save proves the lease."""

    def __init__(
        self,
        generations: Generations,
        generation: Generation,
        lease: Lease,
        channel: Channel,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.generation = generation
        self.lease = lease
        self.channel = channel
        self._generations = generations
        self._monotonic = monotonic
        self._since = monotonic()

    def save(self, change: Change) -> None:
        """Save what changed and go on. Raises LeaseLostError."""
        self._generations.save(self.lease.token, self.generation, change)
        self._saved(change)

    def let_go(self, change: Change) -> bool:
        """Save what changed and give the lease back; False: news came, look again.

        Raises LeaseLostError.
        """
        released = self._generations.release(self.lease.token, self.generation, change)
        self._saved(change)
        if not released:
            self.reload()
        return released

    def reload(self) -> None:
        """See what others have written meanwhile."""
        self.generation = self._generations.load(self.generation.id)

    def _saved(self, change: Change) -> None:
        self.generation = change.generation
        now = self._monotonic()
        elapsed_ms, self._since = round((now - self._since) * 1000), now
        for event in change.events:
            sentence, fields = told(event.name, event.detail)
            extra = context(self.generation, event=event.name, ms=elapsed_ms, **fields)
            logger.info(sentence, extra=extra)


def context(generation: Generation, **fields: Any) -> dict[str, Any]:
    """What every log line about a generation says."""
    return {"generation": generation.id, "task": generation.task_id, **fields}
