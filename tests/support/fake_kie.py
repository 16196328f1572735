"""KIE as the engine sees it, scripted by a test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from core.kie.report import (
    Accepted,
    AskAnswer,
    AskFailed,
    CreateAnswer,
    Report,
    ResultFile,
    TaskRecord,
    TaskRequest,
)

Answer = TypeVar("Answer")


class FakeKie:
    """Answers what it was told to; the last answer of a script is repeated.

    `creates` and `asks` hold what was called. `on_create` and `on_ask` run before the answer.
    """

    def __init__(self) -> None:
        self.creates: list[dict[str, Any]] = []
        self.asks: list[str] = []
        self.create_script: list[CreateAnswer] = []
        self.ask_scripts: dict[str, list[AskAnswer]] = defaultdict(list)
        self.request = TaskRequest(model="flux-2/pro-text-to-image", input={"prompt": "a red kite"})
        self.links: dict[str, str] = {}
        self.credits_left: Decimal | AskFailed = Decimal(1000)
        self.on_create: Callable[[], None] = lambda: None
        self.on_ask: Callable[[], None] = lambda: None

    def create(
        self, family: str, model: str, input: Mapping[str, Any], callback_url: str | None
    ) -> CreateAnswer:
        """The next answer of the script; without one, a task `task-1`, `task-2` ..."""
        self.creates.append({"model": model, "input": input, "callback_url": callback_url})
        self.on_create()
        if self.create_script:
            return _next(self.create_script)
        return Accepted(f"task-{len(self.creates)}")

    def ask(self, family: str, task_id: str) -> AskAnswer:
        """The next answer of the task's script; without one, KIE does not know the task."""
        self.asks.append(task_id)
        self.on_ask()
        if self.ask_scripts[task_id]:
            return _next(self.ask_scripts[task_id])
        return AskFailed("kie.unknown_task", "recordInfo is null")

    def record(self, family: str, task_id: str) -> TaskRecord | AskFailed:
        """The next answer of the same script, with the one `request` of all tasks."""
        answer = self.ask(family, task_id)
        return answer if isinstance(answer, AskFailed) else TaskRecord(answer, self.request)

    def download_url(self, url: str) -> str | AskFailed:
        """The link set for a URL."""
        return self.links.get(url) or AskFailed("kie.refused", "422 not a file of ours")

    def credits(self) -> Decimal | AskFailed:
        """What the test says is left."""
        return self.credits_left

    def will_say(self, task_id: str, *answers: AskAnswer) -> None:
        """Script what KIE says of a task."""
        self.ask_scripts[task_id] = list(answers)


def report(task_id: str = "task-1", state: str = "generating", **fields: Any) -> Report:
    """A report; `urls` are its main files."""
    files = tuple(ResultFile(url) for url in fields.pop("urls", ()))
    return Report(task_id=task_id, state=state, files=fields.pop("files", files), **fields)


def _next(script: list[Answer]) -> Answer:
    return script.pop(0) if len(script) > 1 else script[0]
