"""Who calls the product from outside: its client, and strangers who would like to change things."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tests.support.simulator import IMAGE, SPEECH, VIDEO

if TYPE_CHECKING:
    from tests.simulation.world import World

#: What the host of a forger's files serves.
PLANTED = b"\x89PNG\r\n\x1a\nnot what was ordered"
GAPS = (1.0, 5.0, 60.0, 900.0)


class Client:
    """An application: creates, each with a key so that it can repeat it, and looks now and then."""

    tries = 8  # at an order

    def __init__(self, world: World) -> None:
        self._world = world
        self._dice = world.plan.dice("client")

    def work(self) -> None:
        """All creates of the plan, spread over its span."""
        world, dice = self._world, self._dice
        moments = sorted(dice.uniform(0, world.plan.span) for _ in range(world.plan.tasks))
        requests = [dice.choice([IMAGE, IMAGE, VIDEO, SPEECH]) for _ in moments]
        last = 0.0
        for number, (moment, request) in enumerate(zip(moments, requests, strict=True)):
            world.scheduler.sleep(moment - last)
            last = moment
            world.scheduler.spawn(world.people, lambda n=number, r=request: self._create(n, r))

    def _create(self, number: int, request: dict[str, Any]) -> None:
        body = {
            "model": request["model"],
            "input": _worded(request["input"], number),
            "userId": f"user-{number % 3}",
        }
        headers = self._headers() | {"Idempotency-Key": f"intent-{number}"}
        for _ in range(self.tries):
            answer = self._world.request(
                "POST", "/api/kie/createTask", headers, json.dumps(body).encode()
            )
            if answer is not None and answer[0] < 500:
                break
            self._world.scheduler.sleep(self._dice.choice(GAPS))
        else:
            return
        self._look(json.loads(answer[1]))

    def _look(self, ordered: dict[str, Any]) -> None:
        while self._dice.random() < 0.3:
            self._world.scheduler.sleep(self._dice.choice(GAPS))
            named = ordered.get("id", "")
            self._world.request("GET", f"/api/kie/sync?id={named}", self._headers(), b"")

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": "Bearer api-token",
            "Content-Type": "application/json",
            "Host": "app.test",
        }


def _worded(given: dict[str, Any], number: int) -> dict[str, Any]:
    """An order in words of its own, by which KIE's task can be told."""
    words = "text" if "text" in given else "prompt"
    return {**given, words: f"{given[words]} {number}"}


def evil_host(environment: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Where the files are that a forger would have kept."""
    start_response("200 OK", [("Content-Type", "image/png"), ("Content-Length", str(len(PLANTED)))])
    return [PLANTED]


class Stranger:
    """Sends callbacks that KIE did not: without a credential, with a stolen one, of old news."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._dice = world.plan.dice("stranger")

    def work(self) -> None:
        """A handful in the time of faults."""
        for _ in range(self._dice.randint(5, 30)):
            self._world.scheduler.sleep(self._dice.uniform(0, self._world.plan.faults_end / 10))
            tasks = list(self._world.kie.ledger.tasks.values())
            if tasks and not self._world.has_calmed:
                self._forge(self._dice.choice(tasks), self._dice.choice(tasks))

    def _forge(self, task: Any, other: Any) -> None:
        path = (task.callback_url or "").partition("app.test")[2]
        target = self._dice.choice(
            [
                path,  # stolen
                path[:-4] + "0000",
                re.sub(r"[?&](token|secret)=.*", "", path),
                "/api/kie/callback?secret=guessed",
                "/api/kie/callback",
            ]
        )
        task_id = self._dice.choice([task.id, task.id, other.id, "f" * 32, ""])
        url = self._dice.choice(["https://evil.test/x.png", "https://10.0.0.1/latest/meta-data"])
        result = json.dumps({"resultUrls": [url]})
        state = self._dice.choice(["success", "fail", "generating"])
        data = {"taskId": task_id, "state": state, "resultJson": result, "failMsg": "forged"}
        body = json.dumps({"code": 200, "msg": "forged", "data": data}).encode()
        self._world.struck["forged"] += 1
        headers = {"Content-Type": "application/json"}
        answer = self._world.request("POST", target, headers, body)
        if target != path and answer is not None and answer[0] == 200:
            self._world.let_in.append(target)
