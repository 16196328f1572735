"""The leases that this process holds, and their renewal."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.errors import LeaseLostError, StoreUnavailableError

logger = logging.getLogger(__name__)


class Lease:
    """The right to work on one generation, proved by a token."""

    def __init__(self, generation_id: str, token: str) -> None:
        self.generation_id = generation_id
        self.token = token
        self._ended = threading.Event()

    def end(self) -> None:
        """Cancel the step under way: somebody else has the generation, or we are to stop."""
        self._ended.set()

    def keep_going(self) -> None:
        """Raise LeaseLostError once the lease has ended."""
        if self._ended.is_set():
            raise LeaseLostError


class Leases:
    """All leases of this process; `renew` is to be called every quarter of the lease time."""

    def __init__(self, renew: Callable[[list[str]], set[str]]) -> None:
        self._renew = renew
        self._held: dict[str, Lease] = {}
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, generation_id: str, token: str) -> Iterator[Lease]:
        """A lease that is renewed until the end of the block."""
        lease = Lease(generation_id, token)
        with self._lock:
            self._held[token] = lease
        try:
            yield lease
        finally:
            with self._lock:
                del self._held[token]

    def renew(self) -> None:
        """Renew all leases, and end those that somebody else has taken over.

        While the database is away nothing ends: nobody else can have taken a lease either.
        """
        held = self.held()
        if not held:
            return
        try:
            mine = self._renew([lease.token for lease in held])
        except StoreUnavailableError as error:
            logger.warning("leases not renewed: %s", error, extra={"event": "lease.not_renewed"})
            return
        for lease in held:
            if lease.token not in mine:
                lease.end()

    def end_all(self) -> None:
        """Cancel every step under way."""
        for lease in self.held():
            lease.end()

    def held(self) -> list[Lease]:
        """Every lease of this process."""
        with self._lock:
            return list(self._held.values())
