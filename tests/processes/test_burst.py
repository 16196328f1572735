"""10,000 callbacks at once: KIE's are kept and answered, and strangers' do not pile up."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from bench.figures import percentile
from core.ids import new_id
from core.kie.credentials import callback_url
from core.made_up_secret import CALLBACK, made_up_secret
from simulator.callbacks import Post, headers
from tests.processes.load import finish, submitted
from tests.support.site import HMAC_KEY, Site

TASKS, REPEATS, OTHERS = 200, 19, 5
STRANGERS = 1000  # of each sort
SORTS = 5
CONNECTIONS = 200
ALL = TASKS * (1 + REPEATS + OTHERS) + STRANGERS * SORTS
#: Of refused and unmatched callbacks, with and without a valid credential, in each hour.
KEPT_AT_MOST = 2 * 1000


@dataclass
class Answers:
    """What came back, and after how many seconds."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


class Callbacks:
    """Requests as KIE and others send them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._secret = made_up_secret(site.data, CALLBACK)
        self.tasks = {
            str(row["id"]): row["task_id"] for row in site.rows("SELECT * FROM generations")
        }

    def of_kie(self) -> Iterator[bytes]:
        """The end of each task, told again and again, and other news of it."""
        for generation_id, task_id in self.tasks.items():
            for _ in range(1 + REPEATS):
                yield self._request(generation_id, task_id)
            for number in range(OTHERS):
                yield self._request(generation_id, task_id, number=number)

    def of_strangers(self) -> Iterator[bytes]:
        """A thousand each: without a credential, with a wrong one, unsigned, of unknown
        generations, and of others' tasks."""
        ids = list(self.tasks)
        for number in range(STRANGERS):
            one, other = ids[number % TASKS], ids[(number + 1) % TASKS]
            task_id = self.tasks[one]
            yield self._request(one, task_id, query="")
            yield self._request(one, task_id, query=f"?generation={one}&token={number:064x}")
            yield self._request(one, task_id, signature="none", number=number)
            yield self._request(new_id(), f"unknown-{number}")
            yield self._request(other, task_id, number=number)

    def _request(
        self,
        generation_id: str,
        task_id: str,
        *,
        query: str | None = None,
        signature: str = "right",
        number: int | None = None,
    ) -> bytes:
        url = httpx.URL(callback_url(self._site.web_url, self._secret, generation_id))
        path = url.raw_path.decode() if query is None else url.path + query
        data = {"taskId": task_id, "state": "success", "number": number}
        body = json.dumps({"code": 200, "msg": "success", "data": data})
        post = Post(name="burst", due_at=0, signature=signature)
        lines = {
            "Host": url.netloc.decode(),
            "Connection": "close",
            "Content-Length": str(len(body)),
            **headers(task_id, post, time.time(), HMAC_KEY),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"POST {path} HTTP/1.1\r\n{head}\r\n{body}".encode()


@pytest.mark.parametrize("site_url", ["sqlite"], indirect=True)
def test_ten_thousand_callbacks_at_once(site: Site) -> None:
    site.faults(callback_none=True, outcome_stuck=True, media_bytes={"value": 20_000})
    site.web()
    site.poller()
    finish(site, submitted(site, TASKS))
    callbacks = Callbacks(site)
    requests = [("kie", each) for each in callbacks.of_kie()]
    requests += [("stranger", each) for each in callbacks.of_strangers()]
    random.Random(1).shuffle(requests)
    assert len(requests) == ALL

    with healthy(site) as waits:
        started = time.monotonic()
        answers = asyncio.run(send_all(httpx.URL(site.web_url).port or 0, requests))
        took = time.monotonic() - started
    p50, p99 = (1000 * percentile(answers.seconds, share) for share in (50, 99))
    print(f"{ALL} callbacks in {took:.1f} s: p50 {p50:.0f} ms, p99 {p99:.0f} ms,", end=" ")
    print(f"health within {1000 * max(waits):.0f} ms, {dict(answers.statuses)}")

    of_kie = TASKS * (1 + REPEATS + OTHERS)
    assert answers.statuses["kie", 200] == of_kie
    # 429: of others' tasks, beyond what is kept in an hour.
    assert {status for _, status in answers.statuses} == {200, 401, 404, 429}
    verdicts = Counter(
        (row["verdict"], row["reason"]) for row in site.rows("SELECT * FROM callbacks")
    )
    assert verdicts["accepted", None] == TASKS * (1 + OTHERS)
    assert verdicts["duplicate", None] == TASKS * REPEATS
    assert verdicts.total() - of_kie <= KEPT_AT_MOST
    assert [row["status"] for row in site.wait_for_all(40)] == ["success"] * TASKS
    assert took < 60


@contextmanager
def healthy(site: Site) -> Iterator[list[float]]:
    """For the length of the block the webhook says that it lives; how long each answer took."""
    waits: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            started = time.monotonic()
            assert site.answers()
            waits.append(time.monotonic() - started)
            over.wait(0.2)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()


async def send_all(port: int, requests: Sequence[tuple[str, bytes]]) -> Answers:
    """As many at any time as there are connections; each has to be answered."""
    answers, left = Answers(), iter(requests)

    async def send() -> None:
        for sort, request in left:
            started = time.perf_counter()
            answers.statuses[sort, await status(port, request)] += 1
            answers.seconds.append(time.perf_counter() - started)

    await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
    return answers


async def status(port: int, request: bytes) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return int((await reader.read())[9:12])
    finally:
        writer.close()
