"""The app on a whole core, with a client; workers that work while one watches, or in threads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core.generation.model import Channel, Generation
from core.kie.credentials import callback_token
from core.store.claims import Lane
from core.workers import Workers
from tests.support.databases import take_away
from tests.support.world import World, open_world
from webhook.app import create_app
from webhook.waiting import Waiting

BODY = {"model": "flux-2/pro-text-to-image", "input": {"prompt": "a red kite"}}
SECRET = "the-callback-secret"


class InlineWorkers:
    """Does at once, in the caller's thread, what it is given; `nudges` counts by lane."""

    def __init__(self, world: World) -> None:
        self._delivery = world.core.delivery
        self.nudges: list[Lane] = []
        self.lanes: list[Lane] = []

    def advance(
        self, generation_id: str, channel: Channel, lane: Lane
    ) -> Future[Generation | None]:
        """The future is done already."""
        self.lanes.append(lane)
        future: Future[Generation | None] = Future()
        future.set_result(self._delivery.advance(generation_id, channel))
        return future

    def nudge(self, lane: Lane) -> None:
        """Only counted."""
        self.nudges.append(lane)


@dataclass
class Api:
    """What a test calls and looks at."""

    world: World
    client: FlaskClient
    workers: Any
    waiting: Waiting

    def create(self, body: Any = None, **headers: str) -> TestResponse:
        """createTask."""
        body = BODY if body is None else body
        return self.client.post("/api/kie/createTask", json=body, headers=headers)

    def callback(
        self, generation: Generation | str, body: Any, *, token: str | None = None, **more: Any
    ) -> TestResponse:
        """A callback with the right token of a generation, or another one."""
        name = generation if isinstance(generation, str) else generation.id
        token = callback_token(SECRET, name) if token is None else token
        return self.call_back({"generation": name, "token": token}, body, **more)

    def call_back(self, query: dict[str, str], body: Any, **more: Any) -> TestResponse:
        """A callback with any query."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post("/api/kie/callback", query_string=query, data=data, **more)

    def lose_database(self) -> None:
        """From now on nobody can open the database."""
        take_away(self.world.core.settings.database)
        self.world.core.store.database.close()

    def kept(self, generation: Generation) -> list[tuple[str, str | None]]:
        """Verdict and reason of the callbacks that are shown for a generation."""
        rows = self.world.core.queries.callbacks_of(generation)
        return [(row["verdict"], row["reason"]) for row in rows]


def told(task_id: str = "task-1", state: str = "success", **data: Any) -> dict[str, Any]:
    """A callback's body."""
    return {"code": 200, "msg": "ok", "data": {"taskId": task_id, "state": state, **data}}


def code_of(response: TestResponse) -> tuple[int, str]:
    """Status and code of an error in the one shape."""
    assert response.json is not None
    assert response.json["error"]["message"]
    return response.status_code, response.json["error"]["code"]


@contextmanager
def open_api(
    tmp_path: Path, database_url: str, *, threads: bool = False, **overrides: Any
) -> Iterator[Api]:
    """The app on an empty database; with `threads` on real workers, which nobody waits for long."""
    settings = {"kie_callback_secret": SECRET, "delivery_threads": 2, **overrides}
    with open_world(tmp_path, database_url, **settings) as world:
        waiting = Waiting(2, create=5, sync=5, delete=5) if threads else Waiting(2, delete=0)
        workers = _real(world) if threads else InlineWorkers(world)
        app = create_app(world.core, workers, waiting)
        try:
            yield Api(world, app.test_client(), workers, waiting)
        finally:
            if isinstance(workers, Workers):
                workers.stop(1)


def _real(world: World) -> Workers:
    return world.core.workers(Channel.CALLBACK, announced_only=True)
