"""The checks over a `World`, and whoever answers at the addresses that they ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from core.checks.address import plain_client
from core.checks.model import Check, Surroundings
from core.checks.run import run_checks
from core.checks.surroundings import surroundings_of
from tests.support.api import InlineWorkers
from tests.support.world import World, open_world
from webhook.app import create_app

GIB = 1 << 30
PUBLIC = "https://kie.example.org"
SECRETS = {
    "kie_api_key": "kie-key-0123456789",
    "kie_webhook_hmac_key": "whk-0123456789abcdef",
    "kie_callback_secret": "b1f0c2d3e4a5968778695a4b3c2d1e0f",
}

Answering = Callable[[httpx.Request], httpx.Response]


class Disk(NamedTuple):
    """A disk with room."""

    total: int = 500 * GIB
    free: int = 400 * GIB


def as_we_do(_request: httpx.Request) -> httpx.Response:
    """The answer of our health endpoint."""
    return httpx.Response(200, json={"status": "ok"})


def internet(world: World, **others: Answering) -> Answering:
    """Our webhook at its public address, and KIE; `others` answer at paths that begin so."""
    ours = httpx.WSGITransport(create_app(world.core, InlineWorkers(world)))  # type: ignore[arg-type]

    def answer(request: httpx.Request) -> httpx.Response:
        if not str(request.url).startswith(world.core.settings.public_base_url):
            return kie_at(world.clock())(request)
        first = request.url.path.split("/")[-1 if "/api/" in request.url.path else 1]
        return others.get(first, ours.handle_request)(request)

    return answer


def kie_at(time: Any) -> Answering:
    """Any answer of KIE's at that time."""
    headers = {"date": format_datetime(time, usegmt=True)}
    return lambda _: httpx.Response(404, headers=headers)


@contextmanager
def looking(world: World, answer: Answering, **parts: Any) -> Iterator[Surroundings]:
    """What the checks look at, with some parts of it replaced."""
    with plain_client(httpx.MockTransport(answer)) as http:
        around = surroundings_of(world.core, http)
        yield replace(around, **{"disk_usage": lambda _: Disk(), **parts})


def looked_at(
    world: World, answer: Answering | None = None, *, changing: bool = False, **parts: Any
) -> dict[str, Check]:
    """All checks by name; by default those that only look."""
    with looking(world, answer or internet(world), **parts) as around:
        checks = list(run_checks(around, changing=changing))
    for check in checks:
        assert "\n" not in f"{check.found}{check.remedy}"
        assert check.state == "unknown" or (check.state == "ok") == (check.remedy is None)
    return {check.name: check for check in checks}


def begin(world: World) -> None:
    """Both processes live, and KIE has just called back."""
    world.core.store.processes.started("poller")
    world.core.store.processes.started("web")
    world.call_back(world.add_submitted(), "task-1")


@contextmanager
def world_with(tmp_path: Path, database_url: str, **settings: Any) -> Iterator[World]:
    """A world in which all is well on the internet, but for these settings."""
    chosen = {**SECRETS, "public_base_url": PUBLIC, **settings}
    with open_world(tmp_path, database_url, **chosen) as world:
        begin(world)
        yield world
