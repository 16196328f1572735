"""A stored file that is harmed: what is to be done, or was done, about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from core.delivery import Delivery
from core.errors import StepError
from core.generation.model import Generation
from core.generation.storing import may_be_fetched_again
from core.store.files import AT_ONCE, FileRow, Files
from core.store.generations import HeldError
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
    files: Files
    now: Callable[[], datetime]
    fetches: bool

    def of(self, harmed: Sequence[Harmed]) -> Iterator[Finding]:
        """What there is to say of each, once what is allowed has been tried.

        Nothing of those whose rows have changed or gone since they were looked at, or that a worker
        holds, who may be deleting them.
        """
        at_once = 1 if self.fetches else AT_ONCE  # a fetch takes its time, and the next row changes
        for start in range(0, len(harmed), at_once):
            yield from self._of_some(harmed[start : start + at_once])

    def _of_some(self, harmed: Sequence[Harmed]) -> Iterator[Finding]:
        ids = {one.file.generation_id for one in harmed}
        generations = self.queries.by_ids(ids)
        rows = self.files.of(ids)  # after: a deletion may come in between
        for one in harmed:
            generation = generations.get(one.file.generation_id)
            is_held = generation is not None and generation.is_held(self.now())
            if one.file in rows.get(one.file.generation_id, ()) and not is_held:
                yield self._of(one, generation)

    def _of(self, harmed: Harmed, generation: Generation | None) -> Finding:
        file = harmed.file
        may = generation is not None and may_be_fetched_again(
            generation, generation.asset(file.position), self.now()
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
        except (StepError, HeldError) as error:
            return replace(finding, why=f"{finding.why}; not fetched again: {error}")
        except KeyError:
            return replace(finding, repaired="deleted meanwhile, and so is the file")
        return replace(finding, repaired="fetched again, and stored under the same path")
