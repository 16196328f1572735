"""A whole core on a fresh database, with a fake KIE, a fake media host and a clock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.generation.model import Channel, Generation
from core.ids import new_id
from core.settings import Settings
from core.storage.port import AssetStorage
from core.store.inbox import Received, Verdict
from core.wiring import Core, open_core
from tests.support.clock import Clock
from tests.support.databases import sqlite_url
from tests.support.fake_kie import FakeKie, report
from tests.support.media import FakeMedia, png

MEDIA = "https://media.test"


@dataclass
class World:
    """What a test looks at and moves."""

    core: Core
    kie: FakeKie
    media: FakeMedia
    clock: Clock
    sleeps: list[float]  # the waits of core, which nobody waited

    def add(self, **fields: Any) -> Generation:
        """A new generation, due now."""
        now = self.clock()
        values: dict[str, Any] = {
            "id": new_id(),
            "family": "market",
            "model": "flux-2/pro-text-to-image",
            "kind": "image",
            "prompt": "a red kite",
            "input": {"prompt": "a red kite"},
            "created_at": now,
            "updated_at": now,
            "due_at": now,
        }
        generation, _ = self.core.store.generations.add(Generation(**{**values, **fields}))
        return generation

    def add_submitted(self, task_id: str = "task-1", **fields: Any) -> Generation:
        """A generation whose task KIE has made, due now."""
        now = self.clock()
        return self.add(task_id=task_id, submit_started_at=now, submitted_at=now, **fields)

    def finish(self, task_id: str = "task-1", *names: str) -> None:
        """KIE says success, and its media host has the files."""
        names = names or ("a.png",)
        for number, name in enumerate(names):
            self.media.files[f"/{name}"] = png(number)
        urls = [f"{MEDIA}/{name}" for name in names]
        self.kie.will_say(task_id, report(task_id, "success", urls=urls))

    def advance(self, generation: Generation, channel: Channel = Channel.POLL) -> Generation:
        """One call of the engine; the row afterwards."""
        self.core.delivery.advance(generation.id, channel)
        return self.row(generation)

    def call_back(self, generation: Generation, task_id: str, stage: str = "success") -> Verdict:
        """An accepted callback, as the webhook hands it over."""
        body = f"{task_id} {stage}"
        return self.core.store.inbox.accept(
            Received(
                body=body,
                body_sha256=hashlib.sha256(body.encode()).hexdigest(),
                task_id=task_id,
                generation_id=generation.id,
                stage=stage,
                claimed_state=stage,
            )
        )

    def row(self, generation: Generation) -> Generation:
        """The row as it is now."""
        row = self.core.queries.by_id(generation.id)
        assert row is not None
        return row

    def events(self, generation: Generation) -> list[str]:
        """The names of the timeline."""
        return [event["name"] for event in self.core.queries.events_of(generation)]

    def stored(self) -> dict[str, bytes]:
        """Everything in permanent storage, by path."""
        root = self.core.settings.assets_dir
        return {
            str(file.relative_to(root)): file.read_bytes()
            for file in root.rglob("*")
            if file.is_file()
        }


def settings(tmp_path: Path, **overrides: Any) -> Settings:
    """Settings for a test, whatever the environment holds."""
    return Settings(_env_file=None, data_dir=tmp_path, **overrides)


@contextmanager
def open_world(
    tmp_path: Path,
    database_url: str = "",
    *,
    storage: AssetStorage | None = None,
    **overrides: Any,
) -> Iterator[World]:
    """A world in an empty folder; on a SQLite database, where no migrated one is given."""
    database_url = database_url or sqlite_url(tmp_path)
    chosen = settings(tmp_path, database_url=database_url, **overrides)
    kie, media, clock = FakeKie(), FakeMedia(), Clock()
    sleeps: list[float] = []
    with (
        media.client() as client,
        open_core(
            chosen, clock=clock, sleep=sleeps.append, kie=kie, media=client, storage=storage
        ) as core,
    ):
        yield World(core, kie, media, clock, sleeps)
