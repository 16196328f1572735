"""Who may call which endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import BODY, Api, code_of, open_api

TOKEN = "an-api-token-\u00fc"
GUARDED = [
    ("POST", "/api/kie/createTask"),
    ("GET", "/api/kie/sync"),
    ("GET", "/api/debug/kie"),
    ("GET", "/api/generations"),
    ("GET", "/api/generations/x"),
    ("DELETE", "/api/generations/x"),
]
OPEN = ["/api/health", "/api/ready", "/api/openapi.json", "/api/docs", "/assets/x.png"]


@pytest.fixture
def local(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with open_api(tmp_path, database_url) as opened:
        yield opened


@pytest.fixture
def guarded(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with open_api(tmp_path, database_url, api_token=TOKEN) as opened:
        yield opened


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"],
)
def test_without_the_token_it_is_401(guarded: Api, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode().decode("latin-1")}
    for method, path in GUARDED:
        response = guarded.client.open(path, method=method, headers=headers, json={})
        assert code_of(response) == (401, "auth.token")
        assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_with_the_token_it_is_answered_from_anywhere(guarded: Api, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {TOKEN}".encode().decode("latin-1"), "Host": "any.test"}
    assert guarded.client.get("/api/generations", headers=headers).status_code == 200


@pytest.mark.parametrize("path", OPEN)
def test_some_endpoints_are_open(guarded: Api, path: str) -> None:
    response = guarded.client.get(path, headers={"Host": "any.test"})
    assert response.status_code not in (401, 403)


def test_callbacks_bring_their_own_credential(guarded: Api) -> None:
    assert code_of(guarded.call_back({}, {})) == (401, "credential.missing")


@pytest.mark.parametrize("path", ["/", "/api", "/api/", "/api/nothing", "/nothing"])
def test_what_is_not_there_is_404_for_everyone(guarded: Api, path: str) -> None:
    assert code_of(guarded.client.get(path)) == (404, "request.not_found")


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_without_a_token_set_this_machine_may_call(local: Api, host: str) -> None:
    assert local.client.get("/api/generations", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.test", "localhost.evil.test", "127.0.0.1.nip.io", "", "[", "10.0.0.1", "a@localhost"],
)
def test_without_a_token_set_nobody_else_may(local: Api, host: str) -> None:
    for method, path in GUARDED:
        response = local.client.open(path, method=method, headers={"Host": host})
        assert code_of(response) == (403, "auth.host")


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_without_a_token_set_a_form_in_a_browser_cannot_create(
    local: Api, content_type: str | None
) -> None:
    response = local.client.post("/api/kie/createTask", data=b"{}", content_type=content_type)
    assert code_of(response) == (415, "body.not_json")
    assert local.world.kie.creates == []


def test_without_a_token_set_a_body_elsewhere_must_be_json_too(local: Api) -> None:
    response = local.client.delete("/api/generations/x", data=b"x", content_type="text/plain")
    assert code_of(response) == (415, "body.not_json")


def test_without_a_token_set_this_machine_may_create(local: Api) -> None:
    assert local.create(BODY).status_code == 201
