"""The simulator's own books: every fact appended to a file as it happens, and their sum.

One JSON object a line. A line is written with a single system call, so a killed process leaves
whole lines and at most one torn last line, which the next start cuts off. There is no fsync: the
books survive the process, not a loss of power.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from simulator.callbacks import Attempt, Post
from simulator.tasks import Task

INITIAL_CREDITS = 1_000_000.0

Fact = dict[str, Any]


class Ledger:
    """Facts on disk and their sum in memory. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self.calls = 0  # createTask calls, refused ones included
        self.offset = 0.0  # seconds the clock was moved
        self.tasks: dict[str, Task] = {}
        self.posts: dict[str, list[Post]] = {}  # no entry: not planned yet
        self.attempts: dict[str, dict[str, list[Attempt]]] = {}  # by task, then post
        self.renewals: Counter[str] = Counter()
        self.downloads: dict[str, list[Fact]] = defaultdict(list)
        self.refused: list[Fact] = []
        self.findings: list[Fact] = []
        self.asked: Counter[str] = Counter()  # recordInfo calls of this process, not on disk
        for fact in _read(path):
            self._apply(fact)
        self._file = path.open("ab", buffering=0)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._file.close()

    def next_number(self) -> int:
        """The number of the createTask call that now begins."""
        with self._lock:
            self.calls += 1
            return self.calls

    def refuse(self, number: int, at: float, code: int, why: str, callback_url: object) -> None:
        """A createTask call that made no task."""
        detail = {"number": number, "at": at, "code": code, "why": why}
        self._record("refused", **detail, callBackUrl=callback_url)

    def add(self, task: Task) -> None:
        """A task was made and charged."""
        self._record("created", task=asdict(task))

    def finish(self, task_id: str, at: float, fail_code: str | None, message: str | None) -> Task:
        """A control call ended the task before its time."""
        self._record("finished", taskId=task_id, at=at, failCode=fail_code, failMsg=message)
        return self.tasks[task_id]

    def owe(self, task_id: str, posts: Sequence[Post]) -> None:
        """All the callbacks the task's end is to be told with; there may be none."""
        self._record("owed", taskId=task_id, posts=[asdict(post) for post in posts])

    def attempt(self, task_id: str, post_name: str, attempt: Attempt) -> None:
        """A callback was tried."""
        self._record("attempt", taskId=task_id, post=post_name, **asdict(attempt))

    def download(self, task_id: str, **detail: Any) -> None:
        """The media host answered for a file of the task."""
        self._record("download", taskId=task_id, **detail)

    def renew(self, task_id: str) -> None:
        """The task's files got fresh URLs."""
        self._record("renewed", taskId=task_id)

    def find(self, at: float, what: str, **detail: Any) -> None:
        """Somebody did what no client should."""
        self._record("finding", at=at, what=what, **detail)

    def move_clock(self, seconds: float) -> float:
        """The clock was moved; returns the whole offset."""
        with self._lock:
            self._record("clock", offset=self.offset + seconds)
            return self.offset

    def count_ask(self, task_id: str) -> None:
        """recordInfo was called for the task."""
        with self._lock:
            self.asked[task_id] += 1

    def tries(self, task_id: str, post_name: str) -> list[Attempt]:
        """The attempts at one post so far."""
        with self._lock:
            return list(self.attempts.get(task_id, {}).get(post_name, ()))

    def credits(self, now: float) -> float:
        """The account's balance: failed tasks cost nothing."""
        with self._lock:
            spent = sum(task.charged - task.refunded(now) for task in self.tasks.values())
            return INITIAL_CREDITS - spent

    def view(self, task_id: str, now: float) -> Fact:
        """All that is known of one task, for the control endpoints."""
        with self._lock:
            task = self.tasks[task_id]
            return {
                "taskId": task_id,
                "number": task.number,
                "kind": task.kind,
                "request": task.request,
                "callBackUrl": task.callback_url,
                "createdAt": task.created_at,
                "finishesAt": task.finishes_at,
                "state": task.state(now),
                "charged": task.charged,
                "refunded": task.refunded(now),
                "asked": self.asked[task_id],
                "renewals": self.renewals[task_id],
                "callbacks": [
                    {"name": name, **asdict(attempt)}
                    for name, attempts in self.attempts.get(task_id, {}).items()
                    for attempt in attempts
                ],
                "downloads": list(self.downloads[task_id]),
            }

    def view_all(self, now: float) -> Fact:
        """Everything, tasks in the order in which they were made."""
        with self._lock:
            return {
                "now": now,
                "credits": self.credits(now),
                "calls": self.calls,
                "tasks": [self.view(task_id, now) for task_id in self.tasks],
                "refused": list(self.refused),
                "findings": list(self.findings),
            }

    def _record(self, name: str, **detail: Any) -> None:
        fact = {"fact": name, **detail}
        line = json.dumps(fact, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            if self._file.closed:
                return  # a request that outlived the simulator: nobody will read of it
            self._file.write(line)
            self._apply(fact)

    def _apply(self, fact: Fact) -> None:
        detail = dict(fact)
        match detail.pop("fact"):
            case "created":
                task = Task(**detail["task"])
                self.tasks[task.id] = task
                self.calls = max(self.calls, task.number)
            case "refused":
                self.refused.append(detail)
                self.calls = max(self.calls, detail["number"])
            case "finished":
                self._apply_finish(detail)
            case "owed":
                self.posts[detail["taskId"]] = [Post(**post) for post in detail["posts"]]
            case "attempt":
                by_post = self.attempts.setdefault(detail.pop("taskId"), {})
                by_post.setdefault(detail.pop("post"), []).append(Attempt(**detail))
            case "download":
                self.downloads[detail.pop("taskId")].append(detail)
            case "renewed":
                self.renewals[detail["taskId"]] += 1
            case "finding":
                self.findings.append(detail)
            case "clock":
                self.offset = detail["offset"]

    def _apply_finish(self, detail: Fact) -> None:
        self.tasks[detail["taskId"]] = replace(
            self.tasks[detail["taskId"]],
            finishes_at=detail["at"],
            fail_code=detail["failCode"],
            fail_message=detail["failMsg"],
        )


def _read(path: Path) -> list[Fact]:
    """The facts of the file, cut after its last whole line."""
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return [json.loads(line) for line in whole.splitlines()]
