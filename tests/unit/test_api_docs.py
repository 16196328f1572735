"""The description of the API, for programs and for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api, open_api
from webhook.schemas import GenerationAnswer


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with open_api(tmp_path, database_url) as opened:
        yield opened


def document(api: Api) -> Any:
    return api.client.get("/api/openapi.json").json


def test_it_is_openapi_3_1(api: Api) -> None:
    assert document(api)["openapi"].startswith("3.1.")


def test_it_describes_every_route_and_no_other(api: Api) -> None:
    described = {(path, method) for path, all_ in document(api)["paths"].items() for method in all_}
    routed = {
        (re.sub(r"<(?:path:)?(?:generation_)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in api.client.application.url_map.iter_rules()
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }
    assert described == routed


def test_every_reference_leads_somewhere(api: Api) -> None:
    found = document(api)
    names = set(re.findall(r"#/components/schemas/(\w+)", str(found)))
    assert names <= set(found["components"]["schemas"])
    assert {"CreateBody", "GenerationAnswer", "ErrorAnswer"} <= names


def test_what_is_open_is_said_to_be(api: Api) -> None:
    paths = document(api)["paths"]
    open_paths = {
        path
        for path, all_ in paths.items()
        if not any("security" in each for each in all_.values())
    }
    assert open_paths == {
        *("/api/kie/callback", "/api/health", "/api/ready", "/assets/{path}"),
        *("/api/openapi.json", "/api/docs"),
    }


def test_answers_are_as_they_are_described(api: Api) -> None:
    generation = api.world.add_submitted(user_id="u")
    api.world.finish()
    api.world.advance(generation)
    text = api.client.get(f"/api/generations/{generation.id}").data
    assert GenerationAnswer.model_validate_json(text).id == generation.id


def test_the_page_shows_every_route_and_needs_nothing_from_elsewhere(api: Api) -> None:
    response = api.client.get("/api/docs")
    page = response.text
    assert all(f"<code>{path}</code>" in page for path in document(api)["paths"])
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_description_and_page_need_no_database(api: Api) -> None:
    api.lose_database()
    answers = [api.client.get(path).status_code for path in ("/api/openapi.json", "/api/docs")]
    assert answers == [200, 200]
