"""One task of the pretend KIE: what it is at a moment follows from its record. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.models import Kind
from simulator.results import FRAMES, OBJECT, WATERMARK, Urls, result_json

RETENTION_SECONDS = 14 * 24 * 3600
REAL_SECONDS: Mapping[Kind, tuple[float, float]] = {
    "image": (10, 60),
    "video": (60, 300),
    "audio": (3, 8),
    "text": (3, 10),
}
EXTENSIONS: Mapping[Kind, str] = {"image": "png", "video": "mp4", "audio": "mp3"}
_QUEUING_FROM, _GENERATING_FROM = 0.1, 0.3  # shares of the whole time


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What was asked and what will come of it. Times are seconds since the epoch."""

    id: str
    number: int  # of the createTask call; refused calls count too
    kind: Kind
    request: Mapping[str, Any]  # the whole body of createTask
    created_at: float
    finishes_at: float | None  # None: never
    charged: float  # credits
    fail_code: str | None = None
    fail_message: str | None = None
    files: int = 1
    shape: str = "urls"  # one of results.SHAPES
    no_files_seconds: float | None = 0  # success without files for so long; None: for ever
    file_bytes: int = 0  # about; 0: as they come

    @property
    def callback_url(self) -> str | None:
        """Where the end is to be told."""
        url = self.request.get("callBackUrl")
        return url if isinstance(url, str) and url else None

    def is_final(self, now: float) -> bool:
        """Whether the task has ended, well or badly."""
        return self.finishes_at is not None and now >= self.finishes_at

    def state(self, now: float) -> str:
        """KIE's word for where the task is."""
        if self.is_final(now):
            return "fail" if self.fail_code else "success"
        if self.finishes_at is None:
            return "waiting"
        share = (now - self.created_at) / max(self.finishes_at - self.created_at, 1e-9)
        if share < _QUEUING_FROM:
            return "waiting"
        return "queuing" if share < _GENERATING_FROM else "generating"

    def has_files(self, now: float) -> bool:
        """Whether the result can be seen; it never can for a failure."""
        if self.finishes_at is None or self.state(now) != "success":
            return False
        return self.no_files_seconds is not None and (
            now >= self.finishes_at + self.no_files_seconds
        )

    def is_expired(self, now: float) -> bool:
        """Whether KIE has deleted record and files."""
        return now >= (self.finishes_at or self.created_at) + RETENTION_SECONDS

    def refunded(self, now: float) -> float:
        """Credits given back: all of them once the task has failed."""
        return self.charged if self.state(now) == "fail" else 0


def file_names(task: Task) -> dict[str, list[str]]:
    """The names of a task's files by their place in `Urls`."""
    extension = EXTENSIONS.get(task.kind)
    if extension is None or task.shape == OBJECT:
        return {"main": []}
    numbers = range(1, task.files + 1)
    names = {"main": [f"{n}.{extension}" for n in numbers]}
    if task.shape == WATERMARK:
        names["watermark"] = [f"{n}-watermark.{extension}" for n in numbers]
    if task.shape == FRAMES:
        names |= {"first_frame": ["first-frame.png"], "last_frame": ["last-frame.png"]}
    return names


def record(task: Task, now: float, folder_url: str) -> dict[str, Any]:
    """The `data` of recordInfo; `folder_url` is where the task's files are.

    `costTime` is in seconds, as observed on the live service, though its page says milliseconds.
    """
    final = task.is_final(now)
    failed = final and task.fail_code is not None
    ended = _milliseconds(task.finishes_at) if final else None
    data = {
        "taskId": task.id,
        "model": task.request["model"],
        "state": task.state(now),
        "param": _param(task.request),
        "resultJson": _result(task, now, folder_url) if final and not failed else None,
        "failCode": task.fail_code if failed else None,
        "failMsg": task.fail_message if failed else None,
        "costTime": _cost_seconds(task) if final else None,
        "createTime": _milliseconds(task.created_at),
        "updateTime": ended or _milliseconds(now),
        "completeTime": ended,
    }
    return data | ({"creditsConsumed": task.charged} if final and not failed else {})


def result_urls(task: Task, now: float, folder_url: str) -> Urls:
    """Where the task's files are; nowhere while they cannot be seen."""
    if not task.has_files(now):
        return Urls([])
    places = file_names(task).items()
    return Urls(**{place: [f"{folder_url}/{name}" for name in names] for place, names in places})


def _result(task: Task, now: float, folder_url: str) -> object:
    if not task.has_files(now):
        return json.dumps({"resultUrls": []})
    shape = OBJECT if task.kind == "text" else task.shape
    text = f"A red kite over the hills, take {task.number}."
    return result_json(shape, result_urls(task, now, folder_url), text)


def _param(request: Mapping[str, Any]) -> str:
    """The create request as JSON text, with `input` encoded once more inside it."""
    return _json({**request, "input": _json(request["input"])})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _cost_seconds(task: Task) -> int:
    if task.fail_code is not None or task.finishes_at is None:
        return 0
    return round(task.finishes_at - task.created_at)


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
