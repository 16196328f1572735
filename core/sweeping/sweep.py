"""Goes through all of storage, then through all rows, and says where they disagree."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from itertools import islice

from core.storage.paths import owner_of
from core.storage.port import AssetStorage
from core.store.files import AT_ONCE, FileRow, Files
from core.sweeping.catalog import Catalog
from core.sweeping.findings import Finding, is_old_enough, of_object
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
        """Objects that no row speaks of; those of the verdicts in `deletes` go, if old enough."""
        for verdict in (Verdict.SUPERSEDED, Verdict.UNKNOWN):
            for listed in self._catalog.of(verdict):
                deleted = verdict in deletes and is_old_enough(listed, now)
                if deleted:
                    self._storages[listed.place].delete(listed.object.path)
                yield of_object(listed, verdict, now, deleted=deleted)

    def harmed(self, progress: Progress = lambda files: None) -> Iterator[Harmed]:
        """Stored files that are not there, or with another size; to be asked after `list_objects`.

        Files of adopted rows whose path nobody knows are passed over.
        """
        for number, file in enumerate(self._files.stored(), 1):
            if number % AT_ONCE == 0:
                progress(number)
            if file.path is None or judge_file(file, self._catalog.sizes(file.path)) is None:
                continue
            harm = self._harm_now(file, file.path)
            if harm is not None:
                yield Harmed(file, file.path, harm, _WHY[harm])

    def _harm_now(self, file: FileRow, path: str) -> Harm | None:
        """The same, asked again: it may have been stored or deleted since the listing."""
        sizes = [size for storage in self._storages if (size := storage.size(path)) is not None]
        harm = judge_file(file, sizes)
        rows = self._files.of([file.generation_id]).values() if harm else ()
        return harm if any(file in of_one for of_one in rows) else None
