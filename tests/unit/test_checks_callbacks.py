"""A callback of our own: sent, verified, kept, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.checks import callbacks
from core.checks.model import Check
from core.store.taking_back import take_back
from tests.contract.conftest import received
from tests.support.checks import PUBLIC, SECRETS, as_we_do, internet, looked_at, looking, world_with
from tests.support.databases import on_sqlite, rows
from tests.support.world import World, open_world

STRANGE = "SELECT * FROM callbacks WHERE verdict <> 'accepted'"
COUNTS = "SELECT * FROM refusals"


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[World]:
    """Everything is well, on the internet."""
    with world_with(tmp_path, database_url) as world:
        yield world


def own_callback(world: World, **others: Any) -> Check:
    return looked_at(world, internet(world, **others), changing=True)["own_callback"]


def left(world: World) -> list[dict[str, Any]]:
    url = world.core.settings.database
    return rows(url, STRANGE) + rows(url, COUNTS)


def test_it_is_verified_and_kept_and_nothing_is_left_of_it(site: World) -> None:
    check = own_callback(site)
    assert (check.state, check.found.endswith("kept in this database and taken back")) == (
        "ok",
        True,
    )
    assert left(site) == []


def test_it_is_signed_only_where_there_is_a_key(tmp_path: Path, database_url: str) -> None:
    with world_with(tmp_path, database_url, kie_webhook_hmac_key=None) as world:
        assert own_callback(world).state == "ok"


def test_what_others_sent_stays_and_stays_counted(site: World) -> None:
    site.core.store.inbox.accept(received("theirs"))
    before = left(site)
    assert own_callback(site).state == "ok"
    assert left(site) == before
    assert len(before) == 2


@pytest.mark.parametrize(
    ("there", "code", "remedy"),
    [
        (
            {"kie_callback_secret": "another-0123456789abcdef"},
            "credential.wrong",
            "CALLBACK_SECRET",
        ),
        ({"kie_webhook_hmac_key": "another"}, "signature.wrong", "WEBHOOK_HMAC_KEY"),
    ],
)
def test_a_webhook_with_other_secrets_refuses_it(
    tmp_path: Path, site: World, there: dict[str, str], code: str, remedy: str
) -> None:
    """Also then it is in our database, and has to go."""
    url = site.core.settings.database
    chosen = {**SECRETS, "public_base_url": PUBLIC, **there}
    with open_world(tmp_path / "there", url, **chosen) as other:
        check = looked_at(site, internet(other), changing=True)["own_callback"]
    assert (check.state, f"HTTP 401, `{code}`" in check.found) == ("failed", True)
    assert remedy in (check.remedy or "")
    assert left(site) == []


@on_sqlite
def test_a_webhook_with_another_database_is_told(tmp_path: Path, site: World) -> None:
    (tmp_path / "there").mkdir()
    with world_with(tmp_path / "there", "") as other:
        check = looked_at(site, internet(other), changing=True)["own_callback"]
    assert (check.state, "is not in this database" in check.found) == ("failed", True)
    assert "DATABASE_URL" in (check.remedy or "")


def nobody(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("timed out", request=request)


REDIRECT = httpx.Response(308, headers={"location": "https://www.example.org/x?token=t"})


def ours(code: str) -> httpx.Response:
    return httpx.Response(503, json={"error": {"code": code}})


@on_sqlite
@pytest.mark.parametrize(
    ("answer", "found", "remedy"),
    [
        (httpx.Response(404, html="<h1>nginx</h1>"), "HTTP 404, but not by our webhook", "POST"),
        (httpx.Response(200, json={"ok": 1}), "HTTP 200, but not by our webhook", "POST"),
        (httpx.Response(401), "HTTP 401, but not by our webhook", "login"),
        (httpx.Response(413), "HTTP 413, but not by our webhook", "1 MiB"),
        (httpx.Response(502), "HTTP 502, but not by our webhook", "does not reach"),
        (REDIRECT, "HTTP 308 redirects to https://www.example.org/x, and", "PUBLIC_BASE_URL"),
        (ours("store.unavailable"), "our webhook refused it: HTTP 503, `store.un", "log"),
        (ours("\x1b[2Jx\ny"), "our webhook refused it: HTTP 503, `[2Jx y`", "log"),
    ],
)
def test_any_other_answer_is_explained(
    site: World, answer: httpx.Response, found: str, remedy: str
) -> None:
    check = own_callback(site, callback=lambda _: answer)
    assert (check.state, check.found.startswith(found)) == ("failed", True)
    assert remedy in (check.remedy or "")


@on_sqlite
def test_what_was_kept_though_no_answer_came_is_taken_back_too(site: World) -> None:
    ours = internet(site)

    def lost(request: httpx.Request) -> httpx.Response:
        ours(request)
        return nobody(request)

    assert own_callback(site, callback=lost).state == "warning"
    assert left(site) == []


@on_sqlite
def test_nothing_is_sent_where_nothing_of_ours_answers(tmp_path: Path, database_url: str) -> None:
    sent: list[str] = []

    def somebody(request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        return httpx.Response(200, html="hello")

    here = {"public_base_url": "http://127.0.0.1:8000"}
    with world_with(tmp_path, database_url, **here) as world:
        check = looked_at(world, somebody, changing=True)["own_callback"]
    assert check.found == "not looked at: first `public_address` must be well"
    assert (check.state, "POST" in sent) == ("unknown", False)


@on_sqlite
def test_without_any_secret_so_far_none_is_made_up(site: World) -> None:
    with looking(site, as_we_do, callback_secrets=()) as around:
        outcome = callbacks.own_callback(around)
    assert (outcome.state, "Start the webhook" in (outcome.remedy or "")) == ("unknown", True)


def test_nothing_to_take_back_changes_nothing(site: World) -> None:
    site.core.store.inbox.accept(received("theirs"))
    before = left(site)
    assert take_back(site.core.store.database, "doctor-1") is False
    assert left(site) == before
