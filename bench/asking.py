"""How often KIE is asked. Counted on a clock that only this moves, so it is the same every time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from bench.figures import Row, at_most
from bench.product import product
from core.generation.model import Channel, Generation, Status
from core.ids import new_id
from core.kie.report import Accepted, AskAnswer, AskFailed, CreateAnswer, Report, ResultFile
from core.store.inbox import Received
from core.wiring import Core, open_core
from tests.support.postgres import Postgres

TASK_ID = "task-1"
TASK_TIME = timedelta(minutes=5)
MOST_LOOKS = 8
LATEST_SECONDS = 60.0
KINDS = ("image", "video", "audio", "text", None)
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@dataclass(slots=True)
class Clock:
    """Call it for the time."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class CountedKie:
    """One task that ends after its time, and how often it was made and asked about."""

    clock: Clock
    finishes_at: datetime
    calls: list[str] = field(default_factory=list)

    def create(
        self, family: str, model: str, input: Mapping[str, Any], callback_url: str | None
    ) -> CreateAnswer:
        """Take the task."""
        self.calls.append("create")
        return Accepted(TASK_ID)

    def ask(self, family: str, task_id: str) -> AskAnswer:
        """Say how it stands."""
        self.calls.append("read")
        if self.clock() < self.finishes_at:
            return Report(task_id=task_id, state="generating")
        files = (ResultFile("https://media.example/result.pdf"),)
        return Report(task_id=task_id, state="success", files=files, completed_at=self.finishes_at)

    def download_url(self, url: str) -> str | AskFailed:
        """Nobody should need it."""
        self.calls.append("download-url")
        return url

    def record(self, family: str, task_id: str) -> AskFailed:
        """Nor this."""
        return AskFailed("kie.unknown_task", "recordInfo is null")

    def credits(self) -> Decimal | AskFailed:
        """Nor this."""
        self.calls.append("credits")
        return Decimal(0)


def asking(quick: bool, server: Postgres | None) -> list[Row]:
    """The worst kind of task without a callback, and any task with one."""
    looks, late = zip(*(_without_callback(server, kind) for kind in KINDS), strict=True)
    creates, reads = _with_callback(server)
    task = "task of 5 min without callback"
    early = "callback before the first look"
    return [
        at_most(f"{task}: reads", max(looks), MOST_LOOKS, ""),
        at_most(f"{task}: found after its end", max(late), LATEST_SECONDS, "s"),
        at_most(f"{early}: creates", creates, 1, ""),
        at_most(f"{early}: reads", reads, 1, ""),
    ]


def _without_callback(server: Postgres | None, kind: str | None) -> tuple[int, float]:
    """Reads until it was delivered, and how long after its end that was."""
    with _core(server, TASK_TIME) as (core, kie, clock):
        generation = _add(core, kind)
        while generation.due_at is not None:
            clock.now = generation.due_at
            generation = core.delivery.advance(generation.id, Channel.POLL) or generation
        _require_success(generation)
        return kie.calls.count("read"), (clock() - kie.finishes_at).total_seconds()


def _with_callback(server: Postgres | None) -> tuple[int, int]:
    """Creates and reads when the callback comes five seconds after the create."""
    with _core(server, timedelta(seconds=5)) as (core, kie, clock):
        generation = _add(core, "image")
        core.delivery.advance(generation.id, Channel.POLL)
        clock.now = kie.finishes_at
        core.store.inbox.accept(
            Received(
                body="{}",
                body_sha256="0" * 64,
                task_id=TASK_ID,
                generation_id=generation.id,
                stage="success",
                claimed_state="success",
            )
        )
        _require_success(core.delivery.advance(generation.id, Channel.CALLBACK))
        return kie.calls.count("create"), kie.calls.count("read")


@contextmanager
def _core(
    server: Postgres | None, task_time: timedelta
) -> Iterator[tuple[Core, CountedKie, Clock]]:
    clock = Clock()
    kie = CountedKie(clock, clock() + task_time)
    wire = httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(PDF)))
    with (
        product(server) as home,
        httpx.Client(transport=wire) as media,
        open_core(home.settings(), clock=clock, kie=kie, media=media) as core,
    ):
        yield core, kie, clock


def _add(core: Core, kind: str | None) -> Generation:
    now = core.store.now()
    return core.store.generations.add(
        Generation(
            id=new_id(),
            family="market",
            model="some/model",
            kind=kind,
            input={},
            created_at=now,
            updated_at=now,
            due_at=now,
        )
    )[0]


def _require_success(generation: Generation | None) -> None:
    if generation is None or generation.status is not Status.SUCCESS:
        raise RuntimeError(f"not delivered: {generation}")
