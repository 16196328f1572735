"""A stored file that is harmed: what is to be done, or was done, about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from core.delivery import Delivery
from core.errors import StepError
from core.generation.storing import may_be_fetched_again
from core.store.files import FileRow
from core.store.queries import Queries
from core.sweeping.findings import FETCH_AGAIN, FROM_BACKUP, Finding
from core.sweeping.judging import Harm


class Harmed(NamedTuple):
    """A stored file that is not in storage as its row says."""

    file: FileRow
    path: str
    harm: Harm
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Judges harmed files; with `fetches`, fetches again what KIE may still have."""

    delivery: Delivery
    queries: Queries
    now: datetime
    fetches: bool

    def of(self, harmed: Harmed) -> Finding:
        """What there is to say of a file, once what is allowed has been tried."""
        file = harmed.file
        generation = self.queries.by_id(file.generation_id)
        may = generation is not None and may_be_fetched_again(
            generation, generation.asset(file.position), self.now
        )
        finding = Finding(
            what=harmed.harm,
            path=harmed.path,
            generation_id=file.generation_id,
            why=harmed.why,
            remedy=FETCH_AGAIN if may else FROM_BACKUP,
        )
        if generation is None or not (may and self.fetches):
            return finding
        try:
            self.delivery.restore(generation, file.position)
        except StepError as error:
            return replace(finding, why=f"{finding.why}; not fetched again: {error}")
        return replace(finding, repaired="fetched again, and stored under the same path")
