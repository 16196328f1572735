"""A pretend KIE inside the test's own process: no thread, no socket, a clock that tests move."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from simulator.app import create_app
from simulator.clock import Clock
from simulator.faults import Switches
from simulator.kie import PretendKie
from simulator.ledger import Ledger
from simulator.scenario import parse

NOON = 1_790_000_000.0
KEY = {"Authorization": "Bearer simulator"}
IMAGE: dict[str, Any] = {
    "model": "flux-2/pro-text-to-image",
    "callBackUrl": "http://receiver.test/hook?token=t",
    "input": {"prompt": "a red kite", "aspect_ratio": "16:9", "resolution": "1K"},
}
VIDEO: dict[str, Any] = {
    "model": "kling-2.6/text-to-video",
    "input": {"prompt": "a kite", "sound": False, "aspect_ratio": "16:9", "duration": "5"},
}
SPEECH: dict[str, Any] = {
    "model": "elevenlabs/text-to-speech-multilingual-v2",
    "input": {"text": "a red kite", "voice": "Rachel"},
}


@dataclass
class FakeReceiver:
    """Takes callbacks in place of the network; `answers` are given in turn, then 200."""

    answers: list[int | None] = field(default_factory=list)
    got: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int | None, str]:
        """Keep the request and answer it."""
        self.got.append((url, body, headers))
        status = self.answers.pop(0) if self.answers else 200
        return status, "" if status else "ConnectError"


class InProcessKie:
    """A pretend KIE with its client; every task takes 100 seconds unless a scenario says otherwise.

    Close it with `close()`; `reopened()` gives another over the same ledger.
    """

    def __init__(self, data: Path, *, time: float = NOON, **faults: Any) -> None:
        self.data, self.time, self.slept = data, time, 0.0
        self.receiver = FakeReceiver()
        self.ledger = Ledger(data / "ledger.jsonl")
        numbers = itertools.count(len(self.ledger.tasks) + 1)
        self.kie = PretendKie(
            ledger=self.ledger,
            clock=Clock(lambda: self.time),
            switches=Switches(1, parse({"outcome_seconds": {"value": 100}, **faults})),
            transport=self.receiver,
            base_url="http://kie.test",
            hmac_key="whk_test",
            new_id=lambda: f"{next(numbers):032x}",
            sleep=self._sleep,
        )
        self.client: FlaskClient = create_app(self.kie, data / "uploads").test_client()

    def create(self, request: dict[str, Any] = IMAGE) -> str:
        """The id of a new task."""
        answer = self.client.post("/api/v1/jobs/createTask", json=request, headers=KEY)
        task_id: str = answer.json["data"]["taskId"]
        return task_id

    def record(self, task_id: str) -> dict[str, Any]:
        """The whole body of recordInfo."""
        url = f"/api/v1/jobs/recordInfo?taskId={task_id}"
        body: dict[str, Any] = self.client.get(url, headers=KEY).json
        return body

    def advance(self, seconds: float) -> None:
        """Let time pass and callbacks that fall due be sent."""
        self.time += seconds
        self.kie.sender.send_due()

    def view(self, task_id: str) -> dict[str, Any]:
        """What the ledger knows of the task."""
        return self.ledger.view(task_id, self.kie.clock.now())

    def reopened(self) -> InProcessKie:
        """Another one, over the same ledger and at the same time."""
        return InProcessKie(self.data, time=self.time)

    def close(self) -> None:
        """Let go of the ledger."""
        self.ledger.close()

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds
