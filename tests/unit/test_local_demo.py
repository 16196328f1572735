from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from core.settings import Settings
from local.api import Api
from local.demo import Demo, how_to_create, in_words

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VIEW: dict[str, Any] = {
    "id": "1",
    "kind": "image",
    "taskId": "t",
    "status": "queued",
    "providerState": None,
    "error": None,
    "assetUrl": None,
    "createdAt": "2026-01-01T00:00:00.000Z",
}
STORED = {**VIEW, "status": "success", "assetUrl": "http://x.test/a.png"}

Handler = Callable[[httpx.Request], httpx.Response]


@contextmanager
def demo(handler: Handler) -> Iterator[tuple[Demo, list[str]]]:
    """A demonstration over a pretend webhook, and what it says."""
    said: list[str] = []
    transport = httpx.MockTransport(handler)
    with httpx.Client(base_url="http://web.test", transport=transport) as http:
        yield Demo(Api(http), say=said.append, sleep=lambda _: None, now=lambda: NOW), said


def page(request: httpx.Request, *views: dict[str, Any]) -> httpx.Response:
    items = [view for view in views if view["status"] == request.url.params.get("status")]
    return httpx.Response(200, json={"items": items, "nextCursor": None})


def test_it_creates_three_and_says_where_they_are() -> None:
    def web(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(201, json={**VIEW, "id": next(ids)})
        if request.url.path == "/api/generations":
            return page(request)
        return httpx.Response(200, json=STORED)

    ids = iter("123")
    with demo(web) as (show, said):
        show.show()
    assert said[-4:] == ["3 of 3 have a permanent URL", *["  http://x.test/a.png"] * 3]


def test_what_an_earlier_run_left_open_is_followed_instead() -> None:
    def web(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        is_page = request.url.path == "/api/generations"
        return page(request, VIEW) if is_page else httpx.Response(200, json=STORED)

    with demo(web) as (show, said):
        show.show()
    assert said[0] == "1 still open from an earlier run: following them to their end"
    assert said[2] == "picture    0 s  stored: http://x.test/a.png"


def test_a_refusal_is_said_in_one_line() -> None:
    def web(request: httpx.Request) -> httpx.Response:
        error = {"code": "provider.402", "message": "Insufficient credits"}
        refused = httpx.Response(402, json={"error": error, "id": "1"})
        return refused if request.method == "POST" else page(request)

    with demo(web) as (show, said):
        show.show()
    assert said[0].startswith("flux-2/pro-text-to-image was not created: web answered 402")
    assert said[0].endswith("provider.402: Insufficient credits")


def test_it_waits_until_all_is_ready_and_says_once_what_is_missing() -> None:
    checks = {"database": "ok", "poller": "never started"}
    answers = [httpx.Response(503, json={"checks": checks})] * 3 + [httpx.Response(200)]
    with demo(lambda _: answers.pop(0)) as (show, said):
        show.wait_until_ready()
    assert said == ["waiting: poller never started"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"taskId": None}, "recorded, KIE has not accepted it yet"),
        ({}, "accepted by KIE, waiting there"),
        ({"providerState": "queuing"}, "accepted by KIE, waiting there"),
        ({"status": "generating", "providerState": "generating"}, "KIE is making it"),
        ({"status": "generating", "providerState": "success"}, "made, being stored"),
        (
            {"providerState": "success", "error": {"message": "storage is away"}},
            "made, being stored (storage is away)",
        ),
        ({"status": "failed", "error": {"message": "refused"}}, "failed (refused)"),
        (STORED, "stored: http://x.test/a.png"),
    ],
)
def test_a_status_in_words(changes: dict[str, Any], words: str) -> None:
    assert in_words({**VIEW, **changes}) == words


@pytest.mark.parametrize(
    ("public", "news"),
    [
        ("https://x.test", "callbacks will come to https://x.test/api/kie/callback"),
        ("http://127.0.0.1:8000", "no callbacks, polling only: set PUBLIC_BASE_URL"),
    ],
)
def test_with_a_real_key_it_says_what_to_send_without_telling_secrets(
    public: str, news: str
) -> None:
    settings = Settings(_env_file=None, api_token="hush", public_base_url=public)
    lines = how_to_create(settings)
    assert lines[-1].startswith(news)
    assert "$API_TOKEN" in lines[1] and "hush" not in str(lines)
