"""Task ids that KIE gave us and that the database could not take: they wait in small files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from core.ids import new_token

SUFFIX = ".task"


class AcceptedTasks:
    """A folder of task ids, a file each named by its generation, on disk before `keep` returns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, generation_id: str, task_id: str) -> None:
        """Remember the task that KIE made for a generation. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f"{generation_id}.{new_token()}.draft"
        with draft.open("w") as file:
            file.write(task_id)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file(generation_id))

    def forget(self, generation_id: str) -> None:
        """The database has it now."""
        self._file(generation_id).unlink(missing_ok=True)

    def kept(self) -> Iterator[tuple[str, str]]:
        """Generation id and task id of each that waits."""
        for file in sorted(self._folder.glob(f"*{SUFFIX}")):
            yield file.stem, file.read_text()

    def _file(self, generation_id: str) -> Path:
        return self._folder / f"{generation_id}{SUFFIX}"
