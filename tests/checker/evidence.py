"""What the checker looks at: plain data of one moment, from whoever holds it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from simulator.tasks import Task
from tests.checker import witness
from tests.checker.books import Books, Content, Contents, Fact
from tests.checker.database import Row, read

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Rows as `database.read` gives them, KIE's facts, objects. None: nobody knows.

    All times are KIE's: seconds since the epoch.
    """

    horizon: float  # when all of this was seen
    generations: Sequence[Row] = ()
    assets: Sequence[Row] = ()
    callbacks: Sequence[Row] = ()
    events: Sequence[Row] = ()
    facts: Sequence[Fact] = ()
    objects: Mapping[str, Content] = field(default_factory=dict)  # by path
    status_changes: Sequence[Row] | None = None  # see `witness`
    grants: Sequence[Row] | None = None  # see `witness`
    connected: Collection[str] | None = None  # addresses called for media
    up: Mapping[str, Sequence[Interval]] | None = None  # by component; None: all, always
    downloadable: Collection[str] | None = None  # tasks to be had for 24 h; None: all
    deleted: Collection[str] = ()  # generations that somebody deleted on purpose
    let_in: Collection[str] = ()  # paths where a callback without a credential was taken
    stuck: Mapping[str, str] | None = None  # reason by generation; None: work is under way
    true_causes: Collection[str] = ()  # reasons for which something may be stuck
    content: Callable[[Task, str], Content] = field(default_factory=Contents)  # of KIE's files

    @cached_property
    def books(self) -> Books:
        """KIE's side."""
        return Books(self.facts)

    @cached_property
    def by_id(self) -> dict[str, Row]:
        """The generations by their ids."""
        return {row["id"]: row for row in self.generations}

    @cached_property
    def by_task(self) -> dict[str, Row]:
        """The generations that have a task, by its id."""
        return {row["task_id"]: row for row in self.generations if row["task_id"]}

    @cached_property
    def stored(self) -> dict[str, list[Row]]:
        """The files that are said to be stored, by generation."""
        found = defaultdict(list)
        for asset in self.assets:
            if asset["stored_at"] is not None:
                found[asset["generation_id"]].append(asset)
        return found

    @cached_property
    def timelines(self) -> dict[str, list[Row]]:
        """The events by generation."""
        found = defaultdict(list)
        for event in self.events:
            found[event["generation_id"]].append(event)
        return found

    def task_of(self, generation: Row) -> Task | None:
        """The task that a generation says is its own, where KIE knows it."""
        return self.books.tasks.get(generation["task_id"] or "")

    def told(self, generation: Row, event: str) -> list[Row]:
        """The lines of a generation's timeline with this name."""
        return [line for line in self.timelines.get(generation["id"], ()) if line["name"] == event]


#: Not in here: bodies and headers, which say nothing that the checker believes.
QUERIES = {
    "generations": "SELECT * FROM generations WHERE provider = 'kie' ORDER BY id",
    "assets": "SELECT * FROM assets ORDER BY generation_id, position",
    "callbacks": "SELECT id, received_at, task_id, generation_id, stage, verdict, reason,"
    " body_sha256 FROM callbacks ORDER BY id",
    "events": "SELECT generation_id, at, name, detail FROM events ORDER BY id",
}


def rows_of(database_url: str) -> dict[str, Any]:
    """What a database says, by the names of Evidence's fields."""
    watched = witness.QUERIES if witness.is_installed(database_url) else {}
    queries = QUERIES | watched
    answers = read(database_url, *queries.values())
    return dict.fromkeys(witness.QUERIES) | dict(zip(queries, answers, strict=True))


def facts_of(ledger: Path) -> list[Fact]:
    """The whole lines of a simulator's ledger."""
    lines = ledger.read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in lines]


def objects_in(folder: Path) -> dict[str, Content]:
    """The files of a folder, by path."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): Content.of([file.read_bytes()]) for file in files}


def objects_of(contents: Mapping[str, bytes]) -> dict[str, Content]:
    """Objects whose bytes are at hand."""
    return {path: Content.of([content]) for path, content in contents.items()}
