"""Goes through all of storage, then through all rows, and says where they disagree."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from itertools import islice

from core.storage.paths import owner_of
from core.storage.port import AssetStorage
from core.store.files import AT_ONCE, FileRow, Files
from core.sweeping.catalog import Catalog, Listed
from core.sweeping.findings import Finding, obstacle_to_deletion, of_object
from core.sweeping.judging import Harm, Verdict, judge_file, judge_object
from core.sweeping.repair import Harmed

Progress = Callable[[int], None]

_WHY = {Harm.MISSING: "storage does not have it", Harm.DIFFERS: "storage has it in another size"}


class Sweep:
    """One comparison. `storages`: all that may hold files, the one that is written to first."""

    def __init__(self, storages: Sequence[AssetStorage], files: Files, catalog: Catalog) -> None:
        self._storages = storages
        self._files = files
        self._catalog = catalog

    def list_objects(self, progress: Progress = lambda objects: None) -> None:
        """Write every object into the catalog, with what it is to the database."""
        listed = 0
        for place, storage in enumerate(self._storages):
            objects = storage.objects()
            while page := list(islice(objects, AT_ONCE)):
                owners = (owner_of(found.path) for found in page)
                known = self._files.of(owner.generation_id for owner in owners if owner)
                self._catalog.add(
                    place, [(found, judge_object(found.path, known)) for found in page]
                )
                listed += len(page)
                progress(listed)

    def strays(self, deletes: Collection[Verdict], now: datetime) -> Iterator[Finding]:
        """Objects that no row speaks of; those of the verdicts in `deletes` go, if they may."""
        newest = self._files.newest()
        for verdict in (Verdict.SUPERSEDED, Verdict.UNKNOWN):
            for listed in self._catalog.of(verdict):
                obstacle = obstacle_to_deletion(listed, verdict, now, newest)
                if verdict not in deletes or obstacle is not None:
                    yield of_object(listed, verdict, obstacle)
                elif self._verdict_now(listed) is verdict:
                    self._storages[listed.place].delete(listed.object.path)
                    yield of_object(listed, verdict, None, deleted=True)

    def _verdict_now(self, listed: Listed) -> Verdict:
        """The same, asked again: a row may have come since the listing."""
        owner = owner_of(listed.object.path)
        known = self._files.of([owner.generation_id]) if owner else {}
        return judge_object(listed.object.path, known)

    def count_missing(self) -> tuple[int, int]:
        """How many stored files were not listed, and of how many."""
        missing = compared = 0
        for file in self._files.stored():
            if file.path is not None:
                compared += 1
                missing += not self._catalog.sizes(file.path)
        return missing, compared

    def harmed(self, progress: Progress = lambda files: None) -> Iterator[list[Harmed]]:
        """Stored files that are not there, or with another size; to be asked after `list_objects`.

        Files of adopted rows whose path nobody knows are passed over.
        """
        looked_for, files = 0, self._files.stored()
        while page := list(islice(files, AT_ONCE)):
            yield [harmed for file in page if (harmed := self._harmed(file)) is not None]
            looked_for += len(page)
            progress(looked_for)

    def _harmed(self, file: FileRow) -> Harmed | None:
        if file.path is None or judge_file(file, self._catalog.sizes(file.path)) is None:
            return None
        now = (storage.size(file.path) for storage in self._storages)  # stored since the listing?
        harm = judge_file(file, [size for size in now if size is not None])
        return Harmed(file, file.path, harm, _WHY[harm]) if harm else None
