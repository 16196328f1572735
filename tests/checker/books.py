"""KIE's side: what its ledger says of tasks, calls and callbacks, and what its files are."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from simulator.media import whole
from simulator.results import OBJECT
from simulator.tasks import Task, file_names, record

Fact = Mapping[str, Any]

#: Forms of a result that name only the first of several files, each file twice, or none.
FIRST_ONLY = ("url", "videoUrl", "audio_url", "resultImageUrl", "bare")
TWICE = "twin_hosts"
NOTHING = ("missing", "null", "blank")
#: The name of a result that is data and no file.
DATA = "resultObject"


class Content(NamedTuple):
    """What a file or object holds."""

    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, chunks: Iterable[bytes]) -> Content:
        """Of these bytes."""
        size, digest = 0, hashlib.sha256()
        for chunk in chunks:
            size += len(chunk)
            digest.update(chunk)
        return cls(size, digest.hexdigest())


class File(NamedTuple):
    """One file that KIE names as part of a result."""

    role: str
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """One createTask call. `code` is None where it made a task."""

    number: int
    code: int | None


class Books:
    """The ledger's facts, summed up."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.tasks: dict[str, Task] = {}
        self.calls: dict[str, list[Call]] = defaultdict(list)  # by generation
        self.stray_codes: list[int] = []  # of refused calls that named no generation
        self.attempts: list[Fact] = []  # at callbacks
        self._owed: dict[str, set[str]] = defaultdict(set)  # by task: names of KIE's own posts
        for fact in facts:
            self._apply(fact)
        for calls in self.calls.values():
            calls.sort(key=lambda call: call.number)

    @cached_property
    def refusals(self) -> list[int]:
        """The codes of all calls that made no task."""
        calls = [call for calls in self.calls.values() for call in calls]
        return [*self.stray_codes, *(call.code for call in calls if call.code is not None)]

    @cached_property
    def told_at(self) -> dict[str, float]:
        """When a callback that KIE owed was first acknowledged, by task."""
        found: dict[str, float] = {}
        for fact in self.attempts:
            if is_acknowledged(fact) and fact["post"] in self._owed[fact["taskId"]]:
                found.setdefault(fact["taskId"], fact["at"])
        return found

    def _apply(self, fact: Fact) -> None:
        match fact["fact"]:
            case "created":
                task = Task(**fact["task"])
                self.tasks[task.id] = task
                if generation_id := made_for(task):
                    self.calls[generation_id].append(Call(task.number, None))
            case "refused":
                if generation_id := generation_of(_text(fact["callBackUrl"])):
                    self.calls[generation_id].append(Call(fact["number"], fact["code"]))
                else:
                    self.stray_codes.append(fact["code"])
            case "finished":
                self.tasks[fact["taskId"]] = replace(
                    self.tasks[fact["taskId"]],
                    finishes_at=fact["at"],
                    fail_code=fact["failCode"],
                    fail_message=fact["failMsg"],
                )
            case "owed":
                self._owed[fact["taskId"]] |= {post["name"] for post in fact["posts"]}
            case "attempt":
                self.attempts.append(fact)


def is_acknowledged(attempt: Fact) -> bool:
    """Whether the receiver took the callback."""
    return attempt["status"] is not None and 200 <= attempt["status"] < 300


def made_for(task: Task) -> str | None:
    """The generation that a task's callback URL names."""
    return generation_of(task.callback_url)


@lru_cache(maxsize=1024)  # asked of the same few URLs again and again
def generation_of(callback_url: str | None) -> str | None:
    """The generation that a callback URL names."""
    if callback_url is None:
        return None
    return parse_qs(urlsplit(callback_url).query).get("generation", [None])[0]


def _text(value: object) -> str | None:
    """What a hostile or careless client put there, if it is text."""
    return value if isinstance(value, str) else None


def visible_at(task: Task) -> float | None:
    """When the task's files could first be seen; None: never."""
    if task.finishes_at is None or task.fail_code is not None or task.no_files_seconds is None:
        return None
    return task.finishes_at + task.no_files_seconds if named_files(task) else None


def named_files(task: Task) -> list[File]:
    """What the result of a success names: as often as it names it."""
    if task.kind == "text" or task.shape == OBJECT:
        return [File("main", DATA)]
    if task.shape in NOTHING:
        return []
    files = [File(role, name) for role, names in file_names(task).items() for name in names]
    if task.shape in FIRST_ONLY:
        return files[:1]
    return files * 2 if task.shape == TWICE else files


class Contents:
    """What KIE's files hold; each is made once, for it can be large."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, int, str], Content] = {}

    def __call__(self, task: Task, name: str) -> Content:
        """Size and hash of one file; data is JSON text, as it has to be stored."""
        key = task.id, name, task.file_bytes, json.dumps(task.request["input"])
        if key not in self._known:
            chunks = _data(task) if name == DATA else whole(task, name).content.read()
            self._known[key] = Content.of(chunks)
        return self._known[key]


def _data(task: Task) -> Iterator[bytes]:
    result = json.loads(record(task, visible_at(task) or 0, "")["resultJson"])
    yield json.dumps(result[DATA], ensure_ascii=False).encode()
