"""The pretend KIE itself: what each API call does, without HTTP around it."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from simulator.answers import (
    BAD_GATEWAY,
    NO_RECORD,
    REFUSALS,
    SERVER_ERROR,
    Answer,
    envelope,
)
from simulator.callbacks import Attempt, Post, headers, plan, render
from simulator.clock import Clock
from simulator.faults import Fault, Switches
from simulator.ledger import Ledger
from simulator.limits import CreateWindow
from simulator.links import LINK_SECONDS, Links
from simulator.models import complaint
from simulator.outcomes import new_task
from simulator.sender import Sender, Transport
from simulator.tasks import Task, record


class PretendKie:
    """One account's KIE: tasks, credits, media links and callbacks."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        switches: Switches,
        transport: Transport,
        base_url: str,
        speed: float = 1,
        key: str = "simulator",
        hmac_key: str | None = None,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.ledger, self.clock, self.switches = ledger, clock, switches
        self.base_url, self.key, self.sleep = base_url, key, sleep
        self.links = Links(key)
        self._speed, self._hmac_key = speed, hmac_key
        self._transport, self._new_id = transport, new_id
        self._window = CreateWindow()
        clock.offset = ledger.offset
        self.sender = Sender(ledger, clock, speed=speed, plan=self._plan, send=self.send)

    def create(self, body: object) -> Answer:
        """jobs/createTask."""
        number = self.ledger.next_number()
        request = body if isinstance(body, dict) else {}
        if refusal := self._refusal(number, request):
            answer, code, why = refusal
            url = request.get("callBackUrl")
            self.ledger.refuse(number, self.clock.now(), code, why, url)
            return answer
        task = new_task(
            self._new_id(), number, request, self.clock.now(), self._speed, self.switches
        )
        self.ledger.add(task)
        if self._hit(task, "callback_early"):
            self._tell_at_once(task)
        self.sender.look_at(task)
        return self._create_answer(task)

    def record_info(self, task_id: str | None) -> Answer:
        """jobs/recordInfo."""
        if not task_id:
            return envelope(400, "taskId is required")
        task = self.ledger.tasks.get(task_id)
        if task is None:
            return NO_RECORD
        self.ledger.count_ask(task_id)
        if task.is_expired(self.clock.now()):
            return envelope(422, "Only records within 14 days are supported")
        return self._record_fault(task) or self._record_answer(task)

    def download_url(self, body: object) -> Answer:
        """common/download-url: a link good for 20 minutes to a file made here."""
        url = body.get("url") if isinstance(body, dict) else None
        path = str(url).removeprefix(self.base_url)
        task = self.ledger.tasks.get(self.links.task_id(path))
        if task is None or path == url:
            return envelope(422, "The url is not one of ours")
        expired = self._hit(task, "link_expired") is not None
        now = self.clock.now() - (LINK_SECONDS if expired else 0)
        return envelope(200, "success", self.base_url + self.links.signed(path, now))

    def folder_url(self, task: Task) -> str:
        """Where the task's files are now."""
        return f"{self.base_url}/media/{task.id}/{self.ledger.renewals[task.id]}"

    def finish(self, task: Task, failure: tuple[str, str] | None) -> Task:
        """End a task now."""
        code, message = failure or (None, None)
        ended = self.ledger.finish(task.id, self.clock.now(), code, message)
        self.sender.look_at(ended)
        return ended

    def advance(self, seconds: float) -> float:
        """Move the clock forward; returns the time it then is."""
        self.clock.offset = self.ledger.move_clock(seconds)
        self.sender.wake()
        return self.clock.now()

    def send_extra(self, task: Task, post: Post, url: str) -> Attempt:
        """Send a callback nobody owes, once, and note it."""
        attempt = self.send(task, post, url)
        self.ledger.attempt(task.id, post.name, attempt)
        return attempt

    def send(self, task: Task, post: Post, url: str | None = None) -> Attempt:
        """Try one callback once, to the task's own address unless another is given."""
        now = self.clock.now()
        body = render(task, post, now, self.folder_url(task))
        signed = headers(task.id, post, self.clock.wall(), self._hmac_key)
        status, error = self._transport(url or task.callback_url or "", body, signed)
        sha256 = hashlib.sha256(body).hexdigest()
        return Attempt(self.clock.now(), status, error or None, sha256)

    def _refusal(self, number: int, request: Mapping[str, Any]) -> tuple[Answer, int, str] | None:
        if limit := self._over_limit(number):
            status = 429 if limit.value == "http" else 200
            return envelope(429, REFUSALS[429], status=status), 429, "rate_limit"
        if fault := self.switches.hit("create_refusal", number):
            return envelope(fault.value, REFUSALS[fault.value]), fault.value, "create_refusal"
        if self.switches.hit("create_error_before", number):
            return SERVER_ERROR, 500, "create_error_before"
        if words := complaint(request.get("model"), request.get("input")):
            return envelope(422, words), 422, words
        return None

    def _over_limit(self, number: int) -> Fault | None:
        fault = self.switches.hit("rate_limit", number)
        if fault and fault.next is None and self._window.admit(self.clock.now()):
            return None
        return fault

    def _tell_at_once(self, task: Task) -> None:
        ended = self.ledger.finish(task.id, self.clock.now(), task.fail_code, task.fail_message)
        posts = self._plan(ended)
        self.ledger.owe(task.id, posts)
        for post in posts[:1]:
            self.ledger.attempt(task.id, post.name, self.send(ended, post))

    def _create_answer(self, task: Task) -> Answer:
        if self._hit(task, "create_error_after"):
            return SERVER_ERROR
        answer = envelope(200, "success", {"taskId": task.id, "recordId": task.id})
        if self._hit(task, "create_cut"):
            return replace(answer, cut=True)
        delay = self._hit(task, "create_delay")
        return replace(answer, delay_seconds=delay.value) if delay else answer

    def _record_fault(self, task: Task) -> Answer | None:
        unknown = self._hit(task, "record_null")
        if unknown and _still(unknown.value, self.clock.now() - task.created_at):
            return NO_RECORD
        if self._hit(task, "record_error"):
            return SERVER_ERROR
        return BAD_GATEWAY if self._hit(task, "record_html") else None

    def _record_answer(self, task: Task) -> Answer:
        self._renew_dead_urls(task)
        now = self.clock.now()
        data = record(task, now, self.folder_url(task))
        if not task.is_final(now) and (word := self._hit(task, "record_unknown_state")):
            data["state"] = word.value
        if self._hit(task, "record_extra_fields"):
            data |= {"progress": None, "region": "moon", "trace": {"id": 7, "steps": [1, 2.5]}}
        answer = envelope(200, "success", data)
        if self._hit(task, "record_truncated"):
            answer = replace(answer, body=answer.body[: len(answer.body) * 2 // 3])
        hang = self._hit(task, "record_hang")
        return replace(answer, delay_seconds=hang.value) if hang else answer

    def _renew_dead_urls(self, task: Task) -> None:
        """Give fresh URLs once the first ones were found dead."""
        if self.switches.faults.media_dead_url is None or self.ledger.renewals[task.id]:
            return
        if any(download["status"] == 404 for download in self.ledger.downloads[task.id]):
            self.ledger.renew(task.id)

    def _plan(self, task: Task) -> tuple[Post, ...]:
        return plan(task, self.clock.now(), lambda name: self._hit(task, name))

    def _hit(self, task: Task, name: str) -> Fault | None:
        return self.switches.hit(name, task.number)


def _still(seconds: float | None, elapsed: float) -> bool:
    """Whether something that lasts so long, for ever where None, goes on."""
    return seconds is None or elapsed < seconds
